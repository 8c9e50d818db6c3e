"""Evidence: one signed package that a stranger can check, every byte of it, and that says what it lacks."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import subprocess
import sys
import warnings
import zipfile
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from matpho_contracts.errors import MatphoError, StorageFullError
from matpho_contracts.events import Event
from matpho_contracts.signing import SigningKey
from matpho_platform.access.errors import DeniedError
from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.center import Center
from matpho_platform.events.errors import EventNotFoundError
from matpho_platform.evidence import verifier
from matpho_platform.evidence.errors import EvidenceError, PackageNotFoundError
from matpho_platform.evidence.schemas import PackageView
from matpho_platform.store.tables import events as events_table

ALL = Scope(None)
CASE = "HS-2026-0147"
WHO = Principal("cmd-1", "C", Role.COMMANDER, session_id="s")


@pytest.fixture
async def recorder(center: Center, mp4: bytes) -> AsyncIterator[None]:
    """A box that delivers clips as long as the test runs."""

    async def serve() -> None:
        while True:
            for command in await center.commands.wait("box-1", 5.0):
                center.commands.answer("box-1", command.id, mp4)

    serving = asyncio.create_task(serve())
    yield
    serving.cancel()


@pytest.fixture
async def stored(center: Center, box: Any, make: Callable[..., Event], jpeg: bytes) -> list[Event]:
    """Three events of one batch: with a still, without, and in the other ward."""
    made = [
        make(still=jpeg),
        make(caption="Đêm yên tĩnh"),
        make(camera_id="cam-2", area="p-ba-dinh"),
    ]
    await center.intake.receive(box.batch(made, [jpeg]))
    return made


async def export(center: Center, ids: list[str], key: str = "k1", **changes: Any) -> PackageView:
    said = {"case_number": CASE, "purpose": "xử phạt vi phạm hành chính", **changes}
    at = (await center.events.get(ALL, ids[0])).event.time + timedelta(hours=1)
    return await center.evidence.export(WHO, ALL, ids, now=at, key=key, **said)


async def file_of(center: Center, package: PackageView) -> Path:
    return (await center.evidence.open(ALL, package.id, CASE))[1]


def key_of(center: Center) -> str:
    return center.key.public.raw.hex()


def content(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(path: Path, target: Path, files: dict[str, bytes]) -> Path:
    with target.open("w+b") as file:
        verifier.write_archive(file, files)
    return target


class TestAPackage:
    async def test_holds_everything_and_verifies_offline(
        self, center: Center, stored: list[Event], recorder: None, jpeg: bytes, mp4: bytes, tmp_path: Path
    ) -> None:
        package = await export(center, [event.id for event in stored])
        assert package.id == "BC-1120-01"
        path = await file_of(center, package)
        files = content(path)
        first, second = stored[0].id, stored[1].id
        assert files[f"events/{first}.json"] == stored[0].canonical()
        assert files[f"stills/{first}.jpg"] == jpeg
        assert files[f"clips/{first}.mp4"] == mp4
        assert [(one.event_id, one.part) for one in package.missing] == [(second, "still"), (stored[2].id, "still")]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == package.sha256
        assert path.stat().st_mode & 0o777 == 0o600
        script = tmp_path / "verify.py"
        script.write_bytes(files["verify.py"])
        ran = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-I", "-S", str(script), str(path), "--key", key_of(center)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (ran.returncode, ran.stdout) == (0, "NGUYEN VEN / INTACT\n"), ran.stderr

    async def test_says_who_what_and_which_chain(self, center: Center, stored: list[Event], recorder: None) -> None:
        manifest = json.loads(content(await file_of(center, await export(center, [stored[0].id])))["manifest.json"])
        assert (manifest["case_number"], manifest["exported_by"]) == (CASE, "cmd-1")
        assert [step["what"] for step in manifest["custody"]] == ["seen", "signed", "received", "exported"]
        (event,) = manifest["events"]
        assert (event["signature"], event["chain_begins"]) == ("valid", "edge")
        assert (event["still"]["chain_begins"], event["clip"]["chain_begins"]) == ("edge", "center")

    async def test_a_clip_that_cannot_be_had_is_said_to_be_missing(
        self, center: Center, make: Callable[..., Event], box: Any
    ) -> None:
        event = make(camera_id="cam-gone")
        await center.intake.receive(box.batch([event]))
        package = await export(center, [event.id])
        assert {one.part for one in package.missing} == {"still", "clip"}
        path = await file_of(center, package)
        assert verifier.verify(path, key_of(center)) == []
        assert len(json.loads(content(path)["manifest.json"])["missing"]) == 2

    async def test_the_same_call_again_is_the_same_package(
        self, center: Center, stored: list[Event], recorder: None
    ) -> None:
        ids = [stored[0].id]
        both = await asyncio.gather(export(center, ids), export(center, ids))
        assert both[0] == both[1] == await export(center, ids)
        assert (await export(center, ids, "k2")).id == "BC-1120-02"
        assert len(list((center.settings.data / "evidence").glob("*.zip"))) == 2

    async def test_is_in_the_audit_log_with_its_digest(
        self, center: Center, stored: list[Event], recorder: None
    ) -> None:
        package = await export(center, [stored[0].id])
        assert package.audit_index is not None
        proof = await center.audit.inclusion(package.audit_index)
        entry = json.loads(proof.entry)
        assert entry["arguments"] == {"package": package.id, "manifest_sha256": package.manifest_sha256}
        assert (entry["case_number"], entry["user_id"]) == (CASE, "cmd-1")


class TestTampering:
    @pytest.fixture
    async def path(self, center: Center, stored: list[Event], recorder: None) -> Path:
        return await file_of(center, await export(center, [event.id for event in stored]))

    async def test_every_single_byte_counts(self, center: Center, path: Path, tmp_path: Path) -> None:
        whole = path.read_bytes()
        changed = tmp_path / "changed.zip"
        chance = random.Random(7)
        for place in [0, len(whole) - 1, *(chance.randrange(len(whole)) for _ in range(150))]:
            altered = bytearray(whole)
            altered[place] ^= 1 << chance.randrange(8)
            changed.write_bytes(altered)
            assert verifier.verify(changed, key_of(center)), f"byte {place} went unseen"

    @pytest.mark.parametrize("cut", ["head", "tail", "appended", "empty"])
    async def test_cut_or_grown(self, center: Center, path: Path, tmp_path: Path, cut: str) -> None:
        whole = path.read_bytes()
        forms = {"head": whole[10:], "tail": whole[:-10], "appended": whole + b"x", "empty": b""}
        (tmp_path / "x.zip").write_bytes(forms[cut])
        assert verifier.verify(tmp_path / "x.zip", key_of(center))

    async def test_files_changed_added_or_taken_out_in_a_well_formed_archive(
        self, center: Center, path: Path, stored: list[Event], tmp_path: Path
    ) -> None:
        files = content(path)
        first, second = (f"events/{event.id}.json" for event in stored[:2])
        still, clip = f"stills/{stored[0].id}.jpg", f"clips/{stored[0].id}.mp4"
        forms: list[dict[str, bytes]] = [
            {**files, clip: files[clip] + b"\0"},
            {**files, still: files[still][:-1]},
            {**files, first: files[second], second: files[first]},
            {name: data for name, data in files.items() if name != clip},
            {**files, "stills/more.jpg": b"x"},
            {**files, "manifest.json": files["manifest.json"].replace(b"cmd-1", b"cmd-2")},
            {**files, "manifest.sig": b"00" * 64},
            {**files, "audit/checkpoint.txt": files["audit/checkpoint.txt"].replace(b"\n", b" \n", 1)},
            {**files, "audit/entry.json": files["audit/entry.json"].replace(b"cmd-1", b"cmd-2")},
            {name: data for name, data in files.items() if name != "audit/proof.json"},
        ]
        assert verifier.verify(rewritten(path, tmp_path / "same.zip", files), key_of(center)) == []
        for number, form in enumerate(forms):
            assert verifier.verify(rewritten(path, tmp_path / "x.zip", form), key_of(center)), number

    async def test_signed_again_by_an_insider_with_another_key(
        self, center: Center, path: Path, tmp_path: Path
    ) -> None:
        files = content(path)
        thief = SigningKey.generate()
        manifest = files["manifest.json"].replace(key_of(center).encode(), thief.public.raw.hex().encode())
        files |= {"manifest.json": manifest, "manifest.sig": thief.sign(manifest).hex().encode()}
        forged = rewritten(path, tmp_path / "x.zip", files)
        assert verifier.verify(forged, key_of(center)) == ["The package is signed by another key than the one given."]
        assert verifier.verify(forged), "the audit proof betrays it even to who has no key"

    async def test_the_center_itself_cannot_change_an_event(
        self, center: Center, path: Path, stored: list[Event], tmp_path: Path
    ) -> None:
        files = content(path)
        name = f"events/{stored[1].id}.json"
        files[name] = files[name].replace("yên tĩnh".encode(), "náo loạn".encode())
        manifest = json.loads(files["manifest.json"])
        manifest["files"][name] = {"sha256": hashlib.sha256(files[name]).hexdigest(), "size": len(files[name])}
        files["manifest.json"] = json.dumps(manifest).encode()
        files["manifest.sig"] = center.key.sign(files["manifest.json"]).hex().encode()
        problems = verifier.verify(rewritten(path, tmp_path / "x.zip", files), key_of(center))
        assert f"Event {stored[1].id} is not what its box signed." in problems

    async def test_an_event_that_was_changed_in_the_store_is_exported_as_invalid(
        self, center: Center, stored: list[Event], recorder: None
    ) -> None:
        raw = stored[1].canonical().replace("yên tĩnh".encode(), "náo loạn".encode())
        async with center.store.writing() as session:
            await session.run(update(events_table).where(events_table.c.id == stored[1].id).values(raw=raw))
        path = await file_of(center, await export(center, [stored[1].id]))
        assert json.loads(content(path)["manifest.json"])["events"][0]["signature"] == "invalid"
        assert verifier.verify(path, key_of(center)) == [f"Event {stored[1].id} is not what its box signed."]


class TestHostileArchives:
    def test_a_bomb_is_not_unpacked(self, tmp_path: Path) -> None:
        bomb = tmp_path / "bomb.zip"
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("manifest.json", b"0" * 50_000_000)
        assert verifier.verify(bomb) == ["The archive is packed otherwise than ours are."]

    def test_one_name_twice_and_too_many(self, tmp_path: Path) -> None:
        for names in (["manifest.json"] * 2, [f"f{number}" for number in range(verifier.MAX_FILES + 1)]):
            with warnings.catch_warnings(), zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
                warnings.simplefilter("ignore")
                for name in names:
                    archive.writestr(name, b"{}")
            assert verifier.verify(tmp_path / "x.zip") == ["The archive holds too many files, or one twice."]

    def test_documents_of_any_shape_are_no_package(self, tmp_path: Path) -> None:
        key = SigningKey.generate()
        shapes: list[Any] = [1, None, [], {}, {"center_key": 7}, {"center_key": "zz"}, {"center_key": "00"}]
        full = {"center_key": key.public.raw.hex()}
        shapes += [full, full | {"files": []}, full | {"files": {}, "events": [{}], "keys": {}}]
        shapes += [full | {"files": {}, "events": [], "keys": {}}]
        for shape in shapes:
            manifest = json.dumps(shape).encode()
            files = {"manifest.json": manifest, "manifest.sig": key.sign(manifest).hex().encode()}
            assert verifier.verify(rewritten(tmp_path, tmp_path / "x.zip", files))


class TestLimits:
    async def test_a_package_is_about_one_to_twenty_events(self, center: Center, stored: list[Event]) -> None:
        for ids in ([], [f"{stored[0].id[:-2]}{number:02d}" for number in range(21)]):
            with pytest.raises(EvidenceError):
                await center.evidence.export(WHO, ALL, ids, CASE, "x", now=stored[0].time, key="k")

    async def test_events_outside_the_scope_do_not_exist(self, center: Center, stored: list[Event]) -> None:
        scope = Scope(("p-hoan-kiem",))
        ids = [event.id for event in stored]
        with pytest.raises(EventNotFoundError):
            await center.evidence.export(WHO, scope, ids, CASE, "x", now=stored[0].time, key="k")
        with pytest.raises(EventNotFoundError):
            await center.evidence.preview(scope, ids)
        assert list((center.settings.data / "evidence").iterdir()) == []

    async def test_a_full_quota_refuses_and_removes_nothing(
        self, center: Center, stored: list[Event], recorder: None
    ) -> None:
        package = await export(center, [stored[0].id])
        center.evidence._quota = package.size + 1
        with pytest.raises(StorageFullError):
            await export(center, [stored[0].id], "k2")
        assert await file_of(center, package)
        assert len(list((center.settings.data / "evidence").iterdir())) == 1

    async def test_no_audit_entry_no_package(self, center: Center, stored: list[Event], recorder: None) -> None:
        async def refuse(*_arguments: Any, **_more: Any) -> int:
            raise MatphoError("the log is away")

        center.evidence._audit = type("Away", (), {"append": staticmethod(refuse)})()  # type: ignore[assignment]  # a log that is away
        with pytest.raises(MatphoError, match="away"):
            await export(center, [stored[0].id])
        assert list((center.settings.data / "evidence").iterdir()) == []
        with pytest.raises(PackageNotFoundError):
            await center.evidence.open(ALL, "BC-1120-01", CASE)


class TestOpening:
    async def test_within_which_scope_and_under_which_case(
        self, center: Center, stored: list[Event], recorder: None
    ) -> None:
        package = await export(center, [stored[0].id, stored[2].id])
        with pytest.raises(DeniedError) as denied:
            await center.evidence.open(ALL, package.id, "HS-2026-9999")
        assert denied.value.rule == "other_case"
        with pytest.raises(PackageNotFoundError):
            await center.evidence.open(Scope(("p-hoan-kiem",)), package.id, CASE)
        assert await center.evidence.origin(package.id) == (WHO.user_id, ("p-ba-dinh", "p-hoan-kiem"))
        assert await center.evidence.origin("BC-0101-01") is None

    async def test_a_file_changed_on_disk_is_not_handed_out(
        self, center: Center, stored: list[Event], recorder: None
    ) -> None:
        package = await export(center, [stored[0].id])
        path = await file_of(center, package)
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(PackageNotFoundError, match="changed"):
            await center.evidence.open(ALL, package.id, CASE)


class TestTheVerifiersOwnArithmetic:
    def test_agrees_with_the_library_on_true_and_false_signatures(self) -> None:
        for number in range(12):
            key = SigningKey.generate()
            message = bytes([number]) * number
            signature = key.sign(message)
            assert verifier.signed(key.public.raw, message, signature)
            assert not verifier.signed(key.public.raw, message + b"x", signature)
            assert not verifier.signed(SigningKey.generate().public.raw, message, signature)
            bad = bytearray(signature)
            bad[number * 5] ^= 1
            assert not verifier.signed(key.public.raw, message, bytes(bad))

    def test_refuses_keys_and_scalars_that_cannot_be(self) -> None:
        key = SigningKey.generate()
        signature = key.sign(b"m")
        scalar = int.from_bytes(signature[32:], "little") + verifier.ORDER
        assert not verifier.signed(key.public.raw, b"m", signature[:32] + scalar.to_bytes(32, "little"))
        assert not verifier.signed(b"\xff" * 32, b"m", signature)
        assert not verifier.signed(b"", b"m", signature)

    def test_the_command_line_tells_wrong_use(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert verifier.main([]) == 2
        (tmp_path / "x.zip").write_bytes(b"PK")
        assert verifier.main([str(tmp_path / "x.zip")]) == 1
        assert "cannot be read" in capsys.readouterr().out
