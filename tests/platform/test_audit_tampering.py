"""Fourteen kinds of tampering with the trail, its files, its key and its clock: every try is found."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from matpho_contracts import merkle
from matpho_contracts.signing import SigningKey
from matpho_contracts.times import from_rfc3339, now, to_rfc3339, unix_ms
from matpho_platform.audit.checkpoints import CheckpointFile, statement
from matpho_platform.audit.errors import AuditBrokenError
from matpho_platform.audit.log import AuditLog
from matpho_platform.audit.publishing import Publisher
from matpho_platform.audit.schemas import AuditEntry, AuditReport
from matpho_platform.audit.tree import Frontier
from matpho_platform.audit.witness import Witnessed, read_witness
from matpho_platform.store import Store, open_store

ENTRIES = 560
OLD = 300
"""How many entries there were when the backup was made and the witness came by."""
EACH = 15
EACH_NIGHTLY = 715
"""Times 14 kinds: a little more than 10,000."""


def entry(number: int) -> AuditEntry:
    return AuditEntry(
        user_id=f"officer-{number % 7}",
        role="officer",
        action=("search_events", "get_clip", "request_identity_check")[number % 3],
        decision="allowed",
        outcome=("answered", "denied", "failed")[number % 3],
        arguments={"n": number},
        case_number=f"VA-{number % 11}",
    )


@dataclass
class Site:
    """An installation that is tampered with, and what it was before."""

    store: Store
    live: Path
    folder: Path
    pristine: Path
    key: SigningKey
    witnesses: list[Witnessed]
    dice: random.Random = field(default_factory=random.Random)
    verify_with: SigningKey | None = None

    def reset(self, seed: int) -> None:
        self.dice, self.verify_with = random.Random(seed), None
        source, target = sqlite3.connect(self.pristine / "center.db"), sqlite3.connect(self.live)
        source.backup(target)
        source.close()
        target.close()
        shutil.rmtree(self.folder)
        shutil.copytree(self.pristine / "audit", self.folder)

    def sql(self, statement_: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.live) as database:
            rows = database.execute(statement_, parameters).fetchall()
        database.close()
        return rows

    def some(self, count: int = 1) -> list[int]:
        return self.dice.sample(range(ENTRIES), count)

    def text(self, index: int) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(
            self.sql("SELECT entry FROM audit_entries WHERE log_index = ?", (index,))[0][0]
        )
        return document

    def put(self, index: int, document: dict[str, Any]) -> None:
        """Write an entry as its writer would have: leaf and columns fit."""
        row = row_of(index, json.dumps(document, separators=(",", ":"), sort_keys=True))
        self.sql("DELETE FROM audit_entries WHERE log_index = ?", (index,))
        self.sql("INSERT INTO audit_entries VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def shift(self, first: int, by: int) -> None:
        self.sql("UPDATE audit_entries SET log_index = -(log_index + ?) WHERE log_index >= ?", (by, first))
        self.sql("UPDATE audit_entries SET log_index = -log_index WHERE log_index < 0")

    async def rewrite(self, texts: Sequence[str], key: SigningKey) -> None:
        """What the thief of the key can do: another history, signed all over, tiles and all."""
        tree, heads = Frontier(), []
        with sqlite3.connect(self.live) as database:
            for table in ("audit_entries", "audit_checkpoints", "audit_personal", "audit_subjects"):
                database.execute(f"DELETE FROM {table}")  # noqa: S608 - names of the test's own
            for index, text in enumerate(texts):
                row = row_of(index, text)
                database.execute("INSERT INTO audit_entries VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                tree.append(row[5])
                if tree.size % 256 == 0 or tree.size == len(texts):
                    heads.append(signed_head(tree, key))
            database.executemany(
                "INSERT INTO audit_checkpoints VALUES (:size, :root, :at_ms, :key_id, :signature)", heads
            )
            database.execute("UPDATE counters SET value = ? WHERE name = 'audit'", (tree.size,))
        database.close()
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        for head in heads:
            CheckpointFile(self.folder / "checkpoints.jsonl").append(head)
        await Publisher(self.store, key, self.folder).publish()

    def texts(self) -> list[str]:
        return [row[0] for row in self.sql("SELECT entry FROM audit_entries ORDER BY log_index")]

    async def found(self, *, witnessed: bool = True) -> bool:
        report = await self.report(witnessed=witnessed)
        return report is None or not report.intact or bool(report.clock)

    async def report(self, *, witnessed: bool = True) -> AuditReport | None:
        log = AuditLog(self.store, self.verify_with or self.key, self.folder)
        try:
            return await log.verify(self.heads() if witnessed else ())
        except AuditBrokenError:
            return None

    def heads(self) -> list[Witnessed]:
        key = (self.verify_with or self.key).public
        return [head for path in sorted(self.pristine.glob("witness*")) for head in read_witness(path, key)]


def row_of(index: int, text: str) -> tuple[Any, ...]:
    said = json.loads(text)
    at_ms = unix_ms(from_rfc3339(said["at"]))
    leaf = merkle.leaf_hash(text.encode())
    return (index, at_ms, said["user_id"], said["action"], said["outcome"], leaf, text)


def signed_head(tree: Frontier, key: SigningKey) -> dict[str, Any]:
    root, at_ms = tree.root().hex(), unix_ms(now())
    signature = key.sign(statement(tree.size, root, at_ms)).hex()
    return {"size": tree.size, "root": root, "at_ms": at_ms, "key_id": key.public.key_id, "signature": signature}


@pytest.fixture
async def site(tmp_path: Path, migrated: Path) -> AsyncIterator[Site]:
    live, folder, pristine, key = (
        tmp_path / "center.db",
        tmp_path / "audit",
        tmp_path / "pristine",
        SigningKey.generate(),
    )
    shutil.copy(migrated, live)
    pristine.mkdir()
    store = await open_store(live)
    log = AuditLog(store, key, folder)
    await log.open()
    for first in (0, OLD):
        last = OLD if first == 0 else ENTRIES
        await asyncio.gather(
            *(
                log.append(entry(number), personal={"plate": f"30A-{number % 50:03d}.45"} if number % 5 == 0 else None)
                for number in range(first, last)
            )
        )
        await log.close()
        backup(live, folder, pristine / f"old-{last}")
        shutil.copy(folder / "checkpoint", pristine / f"witness-{last}")
    backup(live, folder, pristine)
    made = Site(store, live, folder, pristine, key, [])
    assert not await made.found()
    yield made
    await store.close()


def backup(live: Path, folder: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    source, copy = sqlite3.connect(live), sqlite3.connect(target / "center.db")
    source.backup(copy)
    source.close()
    copy.close()
    shutil.copytree(folder, target / "audit", dirs_exist_ok=True)


# --- the kinds; each changes something that was written


async def edit(site: Site) -> None:
    index = site.some()[0]
    document = site.text(index)
    name, value = site.dice.choice(
        [
            ("user_id", "somebody"),
            ("outcome", "refused"),
            ("decision", "none"),
            ("case_number", "VA-99"),
            ("count", 7),
            ("rule", "x"),
            ("role", "leader"),
            ("arguments", {"n": -1}),
        ]
    )
    document[name] = value
    if site.dice.random() < 0.5:
        site.put(index, document)
    else:
        site.sql("UPDATE audit_entries SET entry = ? WHERE log_index = ?", (json.dumps(document), index))


async def remove(site: Site) -> None:
    index = site.some()[0]
    site.sql("DELETE FROM audit_entries WHERE log_index = ?", (index,))
    if site.dice.random() < 0.5:
        site.shift(index, -1)


async def insert(site: Site) -> None:
    index = site.some()[0]
    document = {**site.text(index), "user_id": "nobody"}
    site.shift(index, 1)
    site.put(index, document)


async def swap(site: Site) -> None:
    first, second = site.some(2)
    one, other = site.text(first), site.text(second)
    site.put(first, other)
    site.put(second, one)


async def cut_the_tail(site: Site) -> None:
    left = site.dice.randrange(ENTRIES)
    site.sql("DELETE FROM audit_entries WHERE log_index >= ?", (left,))
    if site.dice.random() < 0.7:
        site.sql("DELETE FROM audit_checkpoints WHERE size > ?", (left,))
        site.sql("UPDATE counters SET value = ? WHERE name = 'audit'", (left,))
    if site.dice.random() < 0.5:
        (site.folder / "checkpoint").unlink()
    if site.dice.random() < 0.5:
        (site.folder / "checkpoints.jsonl").unlink()


async def restore_an_old_backup(site: Site) -> None:
    """Everything as it was once, genuine throughout: who kept a later head knows."""
    old = site.pristine / f"old-{OLD}"
    source, target = sqlite3.connect(old / "center.db"), sqlite3.connect(site.live)
    source.backup(target)
    source.close()
    target.close()
    shutil.rmtree(site.folder)
    shutil.copytree(old / "audit", site.folder)


async def split_view(site: Site) -> None:
    """Another log of the same size under the true key, shown to somebody else."""
    texts = site.texts()
    index = site.some()[0]
    texts[index] = json.dumps({**json.loads(texts[index]), "user_id": "shown-to-you"}, sort_keys=True)
    await site.rewrite(texts, site.key)


async def sign_again_with_the_stolen_key(site: Site) -> None:
    texts = site.texts()
    del texts[site.dice.randrange(ENTRIES)]
    if site.dice.random() < 0.5:
        texts.append(texts[-1])
    await site.rewrite(texts, site.key)


async def change_the_clock(site: Site) -> None:
    index = site.some()[0]
    back = timedelta(seconds=site.dice.randrange(3, 10**7))
    kind = site.dice.randrange(4)
    if kind == 0:
        document = site.text(index)
        document["at"] = to_rfc3339(from_rfc3339(document["at"]) - back)
        site.put(index, document)
    elif kind == 1:
        site.sql("UPDATE audit_entries SET at_ms = at_ms - ? WHERE log_index = ?", (back.seconds + 1, index))
    elif kind == 2:
        site.sql("UPDATE audit_checkpoints SET at_ms = at_ms - ?", (back.seconds + 1,))
    else:  # the machine's clock is set back, and the log goes on honestly
        texts = site.texts()
        earlier = json.loads(texts[-1])
        earlier["at"] = earlier["logged_at"] = to_rfc3339(from_rfc3339(earlier["logged_at"]) - back)
        await site.rewrite([*texts, json.dumps(earlier, separators=(",", ":"), sort_keys=True)], site.key)


async def duplicate(site: Site) -> None:
    index, place = site.some()[0], site.dice.randrange(ENTRIES + 1)
    document = site.text(index)
    if place < ENTRIES:
        site.shift(place, 1)
    site.put(place, document)


async def type_sql(site: Site) -> None:
    index = site.some()[0]
    some = "WHERE log_index = ?"
    name = site.dice.choice(
        ["user_id", "action", "outcome", "leaf", "root", "signature", "key_id", "counter", "personal", "moved", "all"]
    )
    if name in ("user_id", "action", "outcome"):
        site.sql(f"UPDATE audit_entries SET {name} = 'other' {some}", (index,))  # noqa: S608 - names of the test's own
    elif name == "leaf":
        site.sql(f"UPDATE audit_entries SET leaf = ? {some}", (site.dice.randbytes(32), index))  # noqa: S608 - names of the test's own
    elif name in ("root", "signature", "key_id"):
        site.sql(f"UPDATE audit_checkpoints SET {name} = ?", ("00" * (64 if name == "signature" else 32),))  # noqa: S608 - names of the test's own
    elif name == "counter":
        site.sql("UPDATE counters SET value = value - ? WHERE name = 'audit'", (site.dice.randint(1, 500),))
    elif name == "personal":
        site.sql(f"UPDATE audit_personal SET sealed = ? {some}", (site.dice.randbytes(50), index // 5 * 5))  # noqa: S608 - names of the test's own
    elif name == "moved":
        one, other = index // 5 * 5, (index // 5 * 5 + 5) % ENTRIES
        site.sql(f"UPDATE audit_personal SET log_index = -1 {some}", (one,))  # noqa: S608 - names of the test's own
        site.sql(f"UPDATE audit_personal SET log_index = ? {some}", (one, other))  # noqa: S608 - names of the test's own
        site.sql("UPDATE audit_personal SET log_index = ? WHERE log_index = -1", (other,))
    else:
        site.sql("UPDATE audit_entries SET user_id = 'x', entry = replace(entry, 'officer-1', 'officer-2')")


async def swap_files(site: Site) -> None:
    files = sorted(path for path in (site.folder / "tile").rglob("*") if path.is_file())
    kind = site.dice.randrange(4)
    if kind == 0:
        one, other = site.dice.sample(files, 2)
        data = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(data)
    elif kind == 1:
        foreign = Frontier()
        foreign.append(site.dice.randbytes(32))
        CheckpointFile(site.folder / "checkpoints.jsonl").append(signed_head(foreign, SigningKey.generate()))
    elif kind == 2:
        foreign = Frontier()
        foreign.append(site.dice.randbytes(32))
        (site.folder / "checkpoints.jsonl").unlink()
        CheckpointFile(site.folder / "checkpoints.jsonl").append(signed_head(foreign, site.key))
    else:
        note = (site.folder / "checkpoint").read_bytes()
        place = site.dice.randrange(len(note) - 1)
        (site.folder / "checkpoint").write_bytes(note[:place] + bytes([note[place] ^ 1]) + note[place + 1 :])


async def damage_a_tile(site: Site) -> None:
    files = sorted(path for path in (site.folder / "tile").rglob("*") if path.is_file())
    file = site.dice.choice(files)
    data, kind = file.read_bytes(), site.dice.randrange(5)
    place = site.dice.randrange(len(data))
    if kind == 0:
        file.write_bytes(data[:place])
    elif kind == 1:
        file.write_bytes(data + site.dice.randbytes(32))
    elif kind == 2:
        file.write_bytes(data[:place] + bytes([data[place] ^ 1 << site.dice.randrange(8)]) + data[place + 1 :])
    elif kind == 3:
        file.with_name(str(255)).write_bytes(data) if file.parent.name.endswith(".p") else file.unlink()
    else:
        wider = file.with_name(f"{file.name}.p") if not file.parent.name.endswith(".p") else file.parent
        wider.mkdir(exist_ok=True)
        (wider / "7").write_bytes(site.dice.randbytes(7 * 32))


async def swap_the_key(site: Site) -> None:
    site.verify_with = SigningKey.generate()
    if site.dice.random() < 0.5:  # the whole log under a key of the forger's own
        await site.rewrite(site.texts(), site.verify_with)


KINDS: tuple[Callable[[Site], Any], ...] = (
    edit,
    remove,
    insert,
    swap,
    cut_the_tail,
    restore_an_old_backup,
    split_view,
    sign_again_with_the_stolen_key,
    change_the_clock,
    duplicate,
    type_sql,
    swap_files,
    damage_a_tile,
    swap_the_key,
)
NEED_A_WITNESS = {restore_an_old_backup, split_view, sign_again_with_the_stolen_key, swap_the_key}


async def tries(site: Site, kind: Callable[[Site], Any], count: int) -> int:
    """How many of `count` tries were found."""
    found = 0
    for seed in range(count):
        site.reset(seed)
        await kind(site)
        if await site.found():
            found += 1
        else:
            print(f"not found: {kind.__name__} with seed {seed}")
    return found


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
async def test_every_try_is_found(site: Site, kind: Callable[[Site], Any]) -> None:
    assert await tries(site, kind, EACH) == EACH


@pytest.mark.nightly
@pytest.mark.timeout(3600)
async def test_ten_thousand_tries_are_found(site: Site) -> None:
    found = {kind.__name__: await tries(site, kind, EACH_NIGHTLY) for kind in KINDS}
    print(f"{EACH_NIGHTLY * len(KINDS)} tries, {sum(found.values())} found: {found}")
    assert set(found.values()) == {EACH_NIGHTLY}


async def test_an_untouched_trail_raises_no_alarm(site: Site) -> None:
    for seed in range(5):
        site.reset(seed)
        log = AuditLog(site.store, site.key, site.folder)
        await log.open()
        await asyncio.gather(*(log.append(entry(number)) for number in range(site.dice.randrange(400))))
        if seed % 2:
            await log.close()
        assert not await site.found()


@pytest.mark.parametrize("kind", sorted(NEED_A_WITNESS, key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__)
async def test_a_consistent_forgery_needs_a_witness(site: Site, kind: Callable[[Site], Any]) -> None:
    """The guard itself: what only a witness can see is seen because of the witness."""
    site.reset(1)
    if kind is swap_the_key:
        site.verify_with = SigningKey.generate()
        await site.rewrite(site.texts(), site.verify_with)
    else:
        await kind(site)
    assert not await site.found(witnessed=False)
    assert await site.found(witnessed=True)


async def test_a_restored_backup_stops_publishing(site: Site) -> None:
    """The database alone goes back: the files beside it do not let it publish another history."""
    source, target = sqlite3.connect(site.pristine / f"old-{OLD}" / "center.db"), sqlite3.connect(site.live)
    source.backup(target)
    source.close()
    target.close()
    log = AuditLog(site.store, site.key, site.folder)
    await log.open()
    with pytest.raises(AuditBrokenError):
        await log.publish()
    for number in range(ENTRIES):
        await log.append(entry(number))
    with pytest.raises(AuditBrokenError):
        await log.publish()
    assert await site.found(witnessed=False)
