"""The published tree: C2SP's layout, notes as C2SP signs them, files made again when they are gone."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from matpho_contracts import merkle
from matpho_contracts.errors import BadInputError
from matpho_contracts.signing import SigningKey
from matpho_platform.audit import publishing
from matpho_platform.audit.errors import AuditBrokenError
from matpho_platform.audit.log import AuditLog
from matpho_platform.audit.note import Checkpoint, open_note, origin_of, sign_note, verifier_key
from matpho_platform.audit.offline import verify_audit
from matpho_platform.audit.schemas import AuditEntry
from matpho_platform.audit.tiles import levels, number_path, pack, tile_path, unpack
from matpho_platform.audit.witness import read_witness
from matpho_platform.store import Store, open_store

KEY = SigningKey.generate()


def entry(number: int) -> AuditEntry:
    return AuditEntry(user_id="an", role="officer", action="search_events", arguments={"n": number})


@pytest.fixture
async def store(tmp_path: Path, migrated: Path) -> AsyncIterator[Store]:
    shutil.copy(migrated, tmp_path / "a.db")
    opened = await open_store(tmp_path / "a.db")
    yield opened
    await opened.close()


@pytest.fixture
async def log(store: Store, tmp_path: Path) -> AuditLog:
    made = AuditLog(store, KEY, tmp_path / "audit")
    await made.open()
    return made


async def grow(log: AuditLog, count: int) -> None:
    await asyncio.gather(*(log.append(entry(number)) for number in range(count)))


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in (folder / "tile").rglob("*")
        if path.is_file()
    }


class TestLayout:
    def test_numbers(self) -> None:
        assert number_path(0) == "000"
        assert number_path(999) == "999"
        assert number_path(1000) == "x001/000"
        assert number_path(1_234_067) == "x001/x234/067"

    def test_a_tree_of_70_000(self) -> None:
        """The example of the specification: 273 full tiles, then widths 112, 17 (after one full), 1."""
        assert list(levels(70_000)) == [(0, 70_000), (1, 273), (2, 1)]
        assert [(count // 256, count % 256) for _, count in levels(70_000)] == [(273, 112), (1, 17), (0, 1)]
        assert tile_path(0, 273, 112) == "tile/0/273.p/112"
        assert tile_path(1, 0) == "tile/1/000"
        assert tile_path("entries", 273, 112) == "tile/entries/273.p/112"

    def test_a_bundle_and_back(self) -> None:
        entries = [b"", b"a" * 65_535, "Việt".encode()]
        assert unpack(pack(entries)) == entries
        assert pack([b"ab"]) == b"\x00\x02ab"
        with pytest.raises(OverflowError):
            pack([b"a" * 65_536])
        for cut in (pack(entries)[:-1], b"\x00", b"\x00\x05abc"):
            with pytest.raises(AuditBrokenError):
                unpack(cut)


class TestPublishing:
    async def test_files_of_a_tree(self, log: AuditLog, tmp_path: Path) -> None:
        await grow(log, 300)
        head = await log.publish()
        assert head.size == 300
        assert set(files(log.folder)) == {
            "tile/0/000",
            "tile/0/001.p/44",
            "tile/1/000.p/1",
            "tile/entries/000",
            "tile/entries/001.p/44",
        }
        hashes = files(log.folder)["tile/0/000"] + files(log.folder)["tile/0/001.p/44"]
        leaves = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
        assert merkle.root_hash(leaves) == head.root
        assert files(log.folder)["tile/1/000.p/1"] == merkle.root_hash(leaves[:256])
        bundle = unpack(files(log.folder)["tile/entries/001.p/44"])
        assert [merkle.leaf_hash(text) for text in bundle] == leaves[256:]

    async def test_partial_tiles_go_when_the_full_one_is_there(self, log: AuditLog) -> None:
        for count in (100, 100, 56):
            await grow(log, count)
            await log.publish()
        assert set(files(log.folder)) == {"tile/0/000", "tile/1/000.p/1", "tile/entries/000"}
        assert (await log.verify()).tiles == 3

    async def test_levels_above(self, log: AuditLog, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """Narrow tiles, so that a small tree climbs high; the tree's root must come out at every step."""
        from matpho_platform.audit import proofs, tile_check, tiles, verification

        for module in (publishing, tiles, tile_check, proofs, verification):
            monkeypatch.setattr(module, "WIDTH", 4)
        for module in (publishing, proofs, verification):
            monkeypatch.setattr(module, "LEVEL_HEIGHT", 2)
        for count in (1, 2, 1, 12, 48, 3, 30):
            await grow(log, count)
            head = await log.publish()
            async with store.reading() as session:
                from matpho_platform.audit import repository

                leaves = await repository.leaves_from(session, 0, 1000)
            assert merkle.root_hash(leaves) == head.root
            again = AuditLog(store, KEY, log.folder)
            await again.open()
            assert await again.publish() == head
            for index in range(0, head.size, 5):
                await log.inclusion(index)
                await log.consistency(index + 1)
            assert (await log.verify()).intact

    @pytest.mark.parametrize("lost", ["all", "tile/0/000", "tile/entries/000", "tile/1/000.p/1", "checkpoint"])
    async def test_lost_files_are_made_again(self, log: AuditLog, store: Store, lost: str) -> None:
        await grow(log, 300)
        await log.publish()
        before = files(log.folder)
        if lost == "all":
            shutil.rmtree(log.folder / "tile")
        else:
            (log.folder / lost).unlink()
        again = AuditLog(store, KEY, log.folder)
        await again.open()
        if lost != "checkpoint":
            assert not (await again.verify()).intact
        await grow(again, 3)
        assert (await again.publish()).size == 303
        assert (await again.verify()).intact
        assert {name: data for name, data in before.items() if ".p/" not in name}.items() <= files(log.folder).items()

    async def test_a_changed_file_stops_publishing(self, log: AuditLog, store: Store) -> None:
        await grow(log, 300)
        await log.publish()
        (log.folder / "tile/0/001.p/44").write_bytes(bytes(44 * 32))
        again = AuditLog(store, KEY, log.folder)
        await again.open()
        await grow(again, 1)
        with pytest.raises(AuditBrokenError):
            await again.publish()

    async def test_the_worker_publishes_in_time_and_in_number(
        self, log: AuditLog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        worker = asyncio.create_task(log.keep_published())
        try:
            await grow(log, 256)  # at once, though ten seconds are not over
            await _published(log, 256)
            monkeypatch.setattr(publishing, "EVERY_S", 0.05)
            await grow(log, 1)
            await _published(log, 257)
        finally:
            worker.cancel()

    async def test_an_empty_log_has_a_checkpoint(self, log: AuditLog) -> None:
        head = await log.publish()
        assert (head.size, head.root) == (0, hashlib.sha256(b"").digest())
        assert Checkpoint.open((await log.checkpoint()).encode(), KEY.public).size == 0
        assert (await log.verify()).intact
        with pytest.raises(BadInputError):
            await log.inclusion(0)


async def _published(log: AuditLog, size: int) -> None:
    """Wait for the worker's file."""
    for _ in range(1_000):
        path = log.folder / "checkpoint"
        if path.exists() and f"\n{size}\n".encode() in path.read_bytes():
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"{size} entries were not published")


class TestProofs:
    async def test_every_entry_and_every_beginning(self, log: AuditLog) -> None:
        await grow(log, 270)
        head = await log.publish()
        for index in (0, 1, 127, 255, 256, 269):
            proof = await log.inclusion(index)
            path = [bytes.fromhex(step) for step in proof.path]
            leaf = merkle.leaf_hash(proof.entry.encode())
            assert merkle.verify_inclusion(leaf, index, 270, path, head.root)
        for old in (1, 2, 128, 255, 256, 257, 270):
            grown = await log.consistency(old)
            path = [bytes.fromhex(step) for step in grown.path]
            assert merkle.verify_consistency(old, 270, bytes.fromhex(grown.old_root), head.root, path)
        early = await log.inclusion(3, 200)
        assert early.size == 200

    @pytest.mark.parametrize(("index", "size"), [(270, None), (-1, None), (5, 5), (5, 271), (0, 10**9)])
    async def test_outside_the_tree(self, log: AuditLog, index: int, size: int | None) -> None:
        await grow(log, 270)
        with pytest.raises(BadInputError):
            await log.inclusion(index, size)
        with pytest.raises(BadInputError):
            await log.consistency(index + 1 if index > 0 else index, size if size and size > 270 else index)


class TestNotes:
    ORIGIN = origin_of(KEY.public)

    def note(self) -> str:
        return Checkpoint(self.ORIGIN, 7, bytes(32)).sign(KEY)

    def test_the_form(self) -> None:
        text, _, under = self.note().rpartition("\n\n")
        assert text.split("\n") == [self.ORIGIN, "7", base64.b64encode(bytes(32)).decode()]
        dash, name, encoded = under.removesuffix("\n").split(" ")
        assert (dash, name) == ("—", self.ORIGIN)
        raw = base64.b64decode(encoded)
        assert raw[:4] == hashlib.sha256(f"{self.ORIGIN}\n\x01".encode() + KEY.public.raw).digest()[:4]
        assert verify_audit.signed_by(KEY.public.raw, f"{text}\n".encode(), raw[4:])

    def test_both_readers_agree(self) -> None:
        key = verify_audit.Key(verifier_key(self.ORIGIN, KEY.public))
        assert verify_audit.open_note(self.note().encode(), key) == (self.ORIGIN, 7, bytes(32))
        assert Checkpoint.open(self.note().encode(), KEY.public) == Checkpoint(self.ORIGIN, 7, bytes(32))

    def test_the_specification_s_own_note(self) -> None:
        """Its signature's key is not given; the form must be readable, and the log another's."""
        note = (
            "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
            "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"
            "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        )
        assert Checkpoint.read(note.rpartition("\n\n")[0] + "\n").size == 20_852_163
        with pytest.raises(AuditBrokenError, match="another key"):
            Checkpoint.open(note.encode(), KEY.public)

    def test_other_signatures_are_passed_over(self) -> None:
        other = SigningKey.generate()
        witnessed = (
            self.note() + sign_note(self.note().rpartition("\n\n")[0] + "\n", "witness.vn", other).split("\n\n")[1]
        )
        assert Checkpoint.open(witnessed.encode(), KEY.public).size == 7
        same_name = sign_note(Checkpoint(self.ORIGIN, 7, bytes(32)).text(), self.ORIGIN, other)
        with pytest.raises(AuditBrokenError):
            open_note(same_name.encode(), self.ORIGIN, KEY.public)

    @pytest.mark.parametrize(
        "change",
        [
            lambda note: note.replace("\n7\n", "\n07\n"),
            lambda note: note.replace("\n7\n", "\n8\n"),
            lambda note: note.replace("\n7\n", "\n-7\n"),
            lambda note: note.replace("\n7\n", "\n٧\n"),
            lambda note: note.replace("\n\n", "\n"),
            lambda note: note.replace("—", "-"),
            lambda note: note[:-1],
            lambda note: note + "\n",
            lambda note: note + "— x\n",
            lambda note: note.replace("\n7\n", "\n7\t\n"),
            lambda note: "x" + note,
            lambda note: note + note.split("\n\n")[1] * 100,
            lambda note: "x" * 70_000,
            lambda note: "",
        ],
    )
    def test_what_is_no_note_of_ours(self, change: object) -> None:
        with pytest.raises(AuditBrokenError):
            Checkpoint.open(change(self.note()).encode(), KEY.public)  # type: ignore[operator]  # a function

    def test_a_witness_s_file_must_hold_a_checkpoint(self, tmp_path: Path) -> None:
        for number, text in enumerate(("", "hello", "{", '{"size": 1}\n', "\n\n\n", "a\nb\nc\n\n— d e\n")):
            path = tmp_path / str(number)
            path.write_text(text)
            with pytest.raises(BadInputError):
                read_witness(path, KEY.public)
        with pytest.raises(BadInputError):
            read_witness(tmp_path / "none", KEY.public)
