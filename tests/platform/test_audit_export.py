"""An export is verified by one script in a Python that knows nothing of us; whatever is changed in it is found."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from matpho_contracts.signing import SigningKey
from matpho_contracts.times import now
from matpho_platform.access.policy_files import DEFAULT_FOLDER
from matpho_platform.audit.errors import AuditBrokenError
from matpho_platform.audit.export import Wanted, export_audit
from matpho_platform.audit.log import AuditLog
from matpho_platform.audit.offline import verify_audit
from matpho_platform.audit.schemas import AuditEntry
from matpho_platform.audit.witness import Witnessed, read_witness
from matpho_platform.store import open_store

KEY = SigningKey.generate()
ENTRIES = 320


@pytest.fixture
async def log(tmp_path: Path, migrated: Path) -> AsyncIterator[AuditLog]:
    shutil.copy(migrated, tmp_path / "a.db")
    store = await open_store(tmp_path / "a.db")
    made = AuditLog(store, KEY, tmp_path / "audit")
    await made.open()
    start = now() - timedelta(hours=ENTRIES)
    for first in (0, 100):
        await asyncio.gather(
            *(
                made.append(
                    AuditEntry(
                        user_id=f"u{number % 3}",
                        role="investigator",
                        action="request_identity_check",
                        case_number=f"VA-{number % 10}",
                        at=start + timedelta(hours=number),
                    ),
                    personal={"plate": f"30A-{number:05d}"},
                )
                for number in range(first, 100 if first == 0 else ENTRIES)
            )
        )
        if first == 0:
            await made.publish()
            shutil.copy(made.folder / "checkpoint", tmp_path / "witness")
    yield made
    await store.close()


def script(*arguments: str | Path) -> tuple[int, dict[str, object]]:
    """The script out of the archive itself, isolated: no site packages, no path to us."""
    archive = Path(arguments[0])
    with zipfile.ZipFile(archive) as file:
        extracted = file.extract("verify_audit.py", archive.parent)
    command = [sys.executable, "-I", "-S", extracted, *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


async def test_the_whole_log(log: AuditLog, tmp_path: Path) -> None:
    archive = tmp_path / "x.zip"
    witness = tmp_path / "witness"
    heads = await asyncio.to_thread(read_witness, witness, KEY.public)
    summary = await export_audit(log, archive, Wanted(), witnesses=heads)
    assert summary.entries == summary.size == ENTRIES
    code, report = await asyncio.to_thread(script, archive, "--key", summary.key, "--witness", witness)
    assert code == 0, report
    assert report["witnessed"] == [100]
    assert report["root"] == summary.root
    assert report["key_given"] is True
    with zipfile.ZipFile(archive) as file:
        assert {"README.vi.md", "README.en.md", "checkpoint", "log.key"} <= set(file.namelist())
        assert b"30A" not in file.read("entries.jsonl")


async def test_the_policies_that_decide_here_are_in_it(log: AuditLog, tmp_path: Path) -> None:
    own = shutil.copytree(DEFAULT_FOLDER, tmp_path / "policies")
    (own / "ours.cedar").write_text("// Của chúng tôi. / Ours.\n", encoding="utf-8")
    (own / "notes.txt").write_text("not for auditors", encoding="utf-8")
    await export_audit(log, tmp_path / "x.zip", Wanted(case_number="VA-3"), policies=own)
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        inside = {name for name in archive.namelist() if name.startswith("policies/")}
        assert inside == {f"policies/{path.name}" for path in own.iterdir()} - {"policies/notes.txt"}
        assert archive.read("policies/ours.cedar") == (own / "ours.cedar").read_bytes()


async def test_one_case_and_a_span_of_time(log: AuditLog, tmp_path: Path) -> None:
    archive = tmp_path / "x.zip"
    summary = await export_audit(log, archive, Wanted(case_number="VA-3"))
    assert summary.entries == ENTRIES // 10
    code, report = await asyncio.to_thread(script, archive, "--find", '"case_number":"VA-3"')
    assert code == 0
    assert len(report["found"]) == ENTRIES // 10  # type: ignore[arg-type]  # a list
    end = now() - timedelta(hours=10.5)
    summary = await export_audit(log, archive, Wanted(time_from=end - timedelta(hours=20), time_to=end))
    assert summary.entries == 20
    assert (await asyncio.to_thread(script, archive))[0] == 0
    summary = await export_audit(log, archive, Wanted(subject="30a 00007"))
    assert summary.entries == 1
    assert (await asyncio.to_thread(script, archive))[0] == 0


async def test_a_witness_outside_needs_its_proof_inside(log: AuditLog, tmp_path: Path) -> None:
    archive, witness = tmp_path / "x.zip", tmp_path / "witness"
    await export_audit(log, archive, Wanted(case_number="VA-3"))
    code, report = await asyncio.to_thread(script, archive, "--witness", witness)
    assert code == 1
    assert "--witness" in str(report["problem"])
    heads = await asyncio.to_thread(read_witness, witness, KEY.public)
    await export_audit(log, archive, Wanted(case_number="VA-3"), witnesses=heads)
    assert (await asyncio.to_thread(script, archive, "--witness", witness))[0] == 0


async def test_a_witness_of_another_history_is_told_at_the_export(log: AuditLog, tmp_path: Path) -> None:
    with pytest.raises(AuditBrokenError):
        await export_audit(log, tmp_path / "x.zip", Wanted(), witnesses=[Witnessed(100, "00" * 32)])
    with pytest.raises(AuditBrokenError):
        await export_audit(log, tmp_path / "x.zip", Wanted(), witnesses=[Witnessed(100, "00" * 32, "another key")])
    assert not (tmp_path / "x.zip").exists()


def rewritten(source: Path, target: Path, change: Callable[[dict[str, bytes]], None], key: SigningKey | None) -> None:
    """The archive with changed files; with `key`, its list of files made and signed anew."""
    with zipfile.ZipFile(source) as file:
        files = {name: file.read(name) for name in file.namelist()}
    change(files)
    if key is not None:
        manifest = json.loads(files["manifest.json"])
        manifest["files"] = {
            name: hashlib.sha256(data).hexdigest() for name, data in files.items() if not name.startswith("manifest.")
        }
        files["manifest.json"] = json.dumps(manifest).encode()
        files["manifest.sig"] = key.sign(files["manifest.json"]).hex().encode()
    with zipfile.ZipFile(target, "w") as file:
        for name, data in files.items():
            file.writestr(name, data)


def lines(files: dict[str, bytes]) -> list[dict[str, object]]:
    return [json.loads(line) for line in files["entries.jsonl"].splitlines()]


def put(files: dict[str, bytes], documents: list[dict[str, object]]) -> None:
    files["entries.jsonl"] = b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def edit_an_entry(files: dict[str, bytes]) -> None:
    documents = lines(files)
    documents[3]["entry"] = str(documents[3]["entry"]).replace("u0", "u9").replace("u1", "u9").replace("u2", "u9")
    put(files, documents)


def drop_an_entry(files: dict[str, bytes]) -> None:
    put(files, lines(files)[:-1])


def drop_an_entry_and_count(files: dict[str, bytes]) -> None:
    put(files, lines(files)[:-1])
    manifest = json.loads(files["manifest.json"])
    manifest["entries"] -= 1
    files["manifest.json"] = json.dumps(manifest).encode()


def swap_entries(files: dict[str, bytes]) -> None:
    documents = lines(files)
    documents[0]["entry"], documents[1]["entry"] = documents[1]["entry"], documents[0]["entry"]
    put(files, documents)


def repeat_an_entry(files: dict[str, bytes]) -> None:
    documents = lines(files)
    put(files, [documents[0], *documents])


def grow_the_checkpoint(files: dict[str, bytes]) -> None:
    files["checkpoint"] = files["checkpoint"].replace(b"\n320\n", b"\n321\n")


def swap_the_key(files: dict[str, bytes]) -> None:
    from matpho_platform.audit.note import origin_of, verifier_key

    stranger = SigningKey.generate()
    files["log.key"] = verifier_key(origin_of(KEY.public), stranger.public).encode()


@pytest.mark.parametrize("wanted", [Wanted(), Wanted(case_number="VA-3")], ids=["whole", "case"])
@pytest.mark.parametrize(
    "change",
    [edit_an_entry, drop_an_entry, swap_entries, repeat_an_entry, grow_the_checkpoint, swap_the_key],
    ids=lambda change: change.__name__,
)
async def test_a_changed_archive_is_found(
    log: AuditLog, tmp_path: Path, wanted: Wanted, change: Callable[[dict[str, bytes]], None]
) -> None:
    """Also when whoever changed it signs the list of files anew with the stolen key."""
    archive, forged = tmp_path / "x.zip", tmp_path / "forged.zip"
    summary = await export_audit(log, archive, wanted)
    for key in (None, KEY):
        rewritten(archive, forged, change, key)
        assert verify_audit.main([str(forged), "--key", summary.key]) == 1 or change is swap_the_key
        if change is swap_the_key:  # the key given by another way is the one that counts
            assert verify_audit.main([str(forged)]) == 1
            assert verify_audit.main([str(forged), "--key", summary.key]) == (1 if key is None else 0)


async def test_leaving_out_an_entry_needs_the_key(log: AuditLog, tmp_path: Path) -> None:
    """A part of the log cannot prove that it is all: the signed count says what the center gave out."""
    archive, forged = tmp_path / "x.zip", tmp_path / "forged.zip"
    await export_audit(log, archive, Wanted(case_number="VA-3"))
    rewritten(archive, forged, drop_an_entry_and_count, None)
    assert verify_audit.main([str(forged)]) == 1
    await export_audit(log, archive, Wanted())
    rewritten(archive, forged, drop_an_entry_and_count, KEY)
    assert verify_audit.main([str(forged)]) == 1  # the whole log proves itself, whoever signs


async def test_no_archive_at_all_brings_the_script_down(
    log: AuditLog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive, broken = tmp_path / "x.zip", tmp_path / "broken.zip"
    await export_audit(log, archive, Wanted(case_number="VA-3"))
    data, dice = archive.read_bytes(), random.Random(4)
    for number in range(60):
        place = dice.randrange(len(data))
        damaged = data[:place] if number % 3 == 0 else data[:place] + dice.randbytes(3) + data[place + 3 :]
        broken.write_bytes(damaged)
        code = verify_audit.main([str(broken)])
        with zipfile.ZipFile(archive) as good:
            names = {name: good.read(name) for name in good.namelist()}
        if code == 0:  # a byte that means nothing: then every file still reads the same
            with zipfile.ZipFile(broken) as file:
                assert {name: file.read(name) for name in file.namelist()} == names
    assert verify_audit.main([str(tmp_path / "none.zip")]) == 2
    capsys.readouterr()
