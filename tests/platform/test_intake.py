"""Intake: what is stored, what is repeated, what is turned away, and that none of it stops the rest."""

from __future__ import annotations

import asyncio
import json
import resource
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from matpho_contracts.errors import BadInputError, StorageFullError
from matpho_contracts.signing import SignatureError, SigningKey, verify_batch
from matpho_contracts.times import now
from matpho_contracts.wire import Batch, decode_batch
from matpho_platform.access.principal import Scope
from matpho_platform.cameras.errors import UnknownKeyError
from matpho_platform.center import Center
from matpho_platform.events import intake_repository
from matpho_platform.events.candidates import verified_paths
from matpho_platform.events.schemas import EventFilter
from matpho_platform.store.errors import DiskFailedError
from matpho_platform.store.tables import quarantine

EVERYWHERE = Scope(None)


async def total(center: Center) -> int:
    return (await center.events.search(EVERYWHERE, None, EventFilter())).total


async def aside(center: Center) -> list[tuple[str, bool]]:
    async with center.store.reading() as session:
        return [(row["code"], row["signed"]) for row in await session.all(select(quarantine))]


def statuses(answer: Any) -> list[str]:
    return [result.status for result in answer.results]


class TestAGoodBatch:
    async def test_is_stored_as_it_was_signed(self, center: Center, box: Any) -> None:
        events = [box.event() for _ in range(3)]
        answer = await center.intake.receive(box.batch(events))
        assert [result.id for result in answer.results] == [event.id for event in events]
        assert statuses(answer) == ["stored"] * 3
        detail = await center.events.get(EVERYWHERE, events[1].id)
        assert detail.event == events[1]
        assert detail.signature == "valid"

    async def test_sent_again_has_no_effect(self, center: Center, box: Any) -> None:
        events = [box.event(), box.event()]
        await center.intake.receive(box.batch(events))
        again = await center.intake.receive(box.batch([events[1], box.event(), events[0]]))
        assert statuses(again) == ["repeat", "stored", "repeat"]
        assert await total(center) == 3

    async def test_with_one_event_twice_stores_it_once(self, center: Center, box: Any) -> None:
        event = box.event()
        assert statuses(await center.intake.receive(box.batch([event, event]))) == ["stored", "repeat"]
        assert await total(center) == 1

    async def test_keeps_its_stills(self, center: Center, box: Any, jpeg: bytes) -> None:
        event = box.event(still=jpeg)
        await center.intake.receive(box.batch([event], [jpeg]))
        assert await center.events.still(EVERYWHERE, event.id) == jpeg

    async def test_many_at_once_are_all_stored(self, center: Center, box: Any) -> None:
        batches = [box.batch([box.event() for _ in range(5)]) for _ in range(40)]
        answers = await asyncio.gather(*map(center.intake.receive, batches))
        assert {status for answer in answers for status in statuses(answer)} == {"stored"}
        assert await total(center) == 200
        assert (await center.verify_all()).intact

    async def test_the_same_batch_many_times_at_once_is_stored_once(self, center: Center, box: Any) -> None:
        body = box.batch([box.event() for _ in range(5)])
        answers = await asyncio.gather(*(center.intake.receive(body) for _ in range(10)))
        assert sorted(status for answer in answers for status in statuses(answer)) == ["repeat"] * 45 + ["stored"] * 5
        assert await total(center) == 5


class TestOneBadEvent:
    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"source": "urn:matpho:edge:box-2:cam-1"}, "source"),
            ({"source": "urn:matpho:edge:box-1:cam-2"}, "source"),
            ({"area": "tinh-khac"}, "area"),
            ({"time": now() + timedelta(days=3)}, "clock"),
        ],
    )
    async def test_is_rejected_and_the_others_stored(
        self, center: Center, box: Any, changes: dict[str, Any], code: str
    ) -> None:
        bad = box.event(**changes)
        answer = await center.intake.receive(box.batch([box.event(), bad, box.event()]))
        assert statuses(answer) == ["stored", "rejected", "stored"]
        assert answer.results[1].id == bad.id
        assert answer.results[1].reason.startswith(code)
        assert await aside(center) == [(code, True)]

    @pytest.mark.parametrize(
        "line",
        [
            b"{}",
            b"not json",
            b"[" * 10_000,
            b'"\\ud800"',
            json.dumps({"specversion": "1.0", "id": "x"}).encode(),
            b"\x00\xff\xfe",
        ],
    )
    async def test_of_no_shape_is_rejected_and_the_others_stored(self, center: Center, box: Any, line: bytes) -> None:
        answer = await center.intake.receive(box.batch([line, box.event()]))
        assert statuses(answer) == ["rejected", "stored"]
        assert answer.results[0].reason.startswith("schema")

    async def test_on_another_boxs_camera_is_rejected(self, center: Center, box: Any, new_box: Any) -> None:
        other = await new_box("box-2").enrol(center, "token-of-box-2")
        answer = await center.intake.receive(other.batch([other.event(camera_id="cam-2", area="p-ba-dinh")]))
        assert answer.results[0].reason.startswith("camera")
        assert await total(center) == 0

    async def test_with_a_known_id_and_other_bytes_is_a_conflict(self, center: Center, box: Any) -> None:
        event = box.event()
        changed = event.model_copy(update={"data": event.data.model_copy(update={"object_count": 9})})
        await center.intake.receive(box.batch([event]))
        answer = await center.intake.receive(box.batch([changed]))
        assert answer.results[0].reason.startswith("conflict")
        assert (await center.events.get(EVERYWHERE, event.id)).event == event

    async def test_with_a_nul_in_a_label_does_not_stop_the_batch(self, center: Center, box: Any) -> None:
        answer = await center.intake.receive(box.batch([box.event(objects=[("bot\0tle|x", None)]), box.event()]))
        assert statuses(answer) == ["stored", "stored"]

    async def test_with_a_still_that_is_no_jpeg_is_rejected(self, center: Center, box: Any) -> None:
        answer = await center.intake.receive(box.batch([box.event(still=b"<svg/>")], [b"<svg/>"]))
        assert answer.results[0].reason.startswith("still")


class TestABatchThatIsNotTheBoxs:
    async def test_altered_on_the_way_is_refused(self, center: Center, box: Any) -> None:
        body = box.batch([box.event(), box.event()])
        altered = body.replace(b'"object_count":1', b'"object_count":2', 1)
        assert altered != body
        with pytest.raises(SignatureError):
            await center.intake.receive(altered)
        assert await total(center) == 0
        assert await aside(center) == [("signature", False)]
        assert center.intake.counts["signature"] == 1

    async def test_by_an_unknown_key_is_refused(self, center: Center, new_box: Any) -> None:
        stranger = new_box()
        with pytest.raises(UnknownKeyError):
            await center.intake.receive(stranger.batch([stranger.event()]))

    async def test_by_the_key_of_another_box_is_refused(self, center: Center, box: Any, new_box: Any) -> None:
        thief = new_box("box-2", key=box.key)
        with pytest.raises(UnknownKeyError):
            await center.intake.receive(thief.batch([thief.event()]))

    async def test_by_a_revoked_key_is_refused_while_its_old_events_stay_valid(self, center: Center, box: Any) -> None:
        event = box.event()
        await center.intake.receive(box.batch([event]))
        assert await center.edges.revoke("box-1") == 1
        with pytest.raises(UnknownKeyError):
            await center.intake.receive(box.batch([box.event()]))
        assert (await center.events.get(EVERYWHERE, event.id)).signature == "valid"

    @pytest.mark.parametrize("body", [b"", b"\n\n", b"{}\n{}", b"\xff" * 10_000])
    async def test_of_no_shape_is_refused(self, center: Center, body: bytes) -> None:
        with pytest.raises(BadInputError):
            await center.intake.receive(body)

    async def test_a_flood_of_rubbish_keeps_a_bounded_sample(
        self, center: Center, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(intake_repository, "QUARANTINE_UNSIGNED", 5)
        for number in range(80):
            with pytest.raises(BadInputError):
                await center.intake.receive(b"rubbish %d" % number)
        assert len(await aside(center)) == 5
        assert center.intake.counts["bad_input"] == 80


class TestAFullDisk:
    async def test_refuses_the_batch_whole_and_takes_it_later(self, center: Center, box: Any) -> None:
        if center.store.dialect != "sqlite":
            pytest.skip("the limit on pages is SQLite's")
        body = box.batch([box.event() for _ in range(200)])
        async with center.store.writing() as session:
            pages = await session.scalar(text("PRAGMA page_count"))
            await session.scalar(text(f"PRAGMA max_page_count={pages + 4}"))
        with pytest.raises(StorageFullError):
            await center.intake.receive(body)
        assert await total(center) == 0
        async with center.store.writing() as session:
            await session.scalar(text("PRAGMA max_page_count=1000000"))
        assert statuses(await center.intake.receive(body)) == ["stored"] * 200
        assert (await center.verify_all()).intact

    async def test_for_stills_stores_no_event(self, center: Center, box: Any, jpeg: bytes) -> None:
        center.blobs._min_free_bytes = 1 << 60  # type: ignore[attr-defined]  # as if the disk were full
        with pytest.raises(StorageFullError):
            await center.intake.receive(box.batch([box.event(still=jpeg)], [jpeg]))
        assert await total(center) == 0


class TestAFailedDisk:
    async def test_stops_intake_until_a_restart(self, center: Center, box: Any) -> None:
        if center.store.dialect != "sqlite":
            pytest.skip("a file size limit stands for the failing disk: PostgreSQL writes in its own process")
        wal = center.settings.data / "center.db-wal"
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size + 8192, hard))
        try:
            with pytest.raises(DiskFailedError):
                await center.intake.receive(box.batch([box.event() for _ in range(100)]))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        with pytest.raises(DiskFailedError):
            await center.intake.receive(box.batch([box.event()]))
        await asyncio.sleep(0)
        assert not center.workers.alive()
        assert await total(center) == 0


class TestVerifiedPaths:
    """The quick check of a batch must judge as the contract's own does."""

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 16])
    def test_gives_the_proofs_of_the_contract(self, new_box: Any, size: int) -> None:
        box = new_box()
        batch = decode_batch(box.batch([box.event() for _ in range(size)]))
        proofs = verify_batch(batch.events, batch.header, box.key.public)
        paths = verified_paths(batch, box.key.public)
        assert [tuple(step.hex() for step in path) for path in paths] == [proof.path for proof in proofs]

    @pytest.mark.parametrize(
        "change", ["key", "event", "order", "missing", "size", "root", "signature", "edge", "time"]
    )
    def test_refuses_what_the_contract_refuses(self, new_box: Any, change: str) -> None:
        box = new_box()
        batch = decode_batch(box.batch([box.event() for _ in range(4)]))
        events, header, key = list(batch.events), batch.header, box.key.public
        if change == "key":
            key = SigningKey.generate().public
        elif change == "event":
            events[2] = events[2].replace(b"crowd", b"smoke")
        elif change == "order":
            events.reverse()
        elif change == "missing":
            events.pop()
        else:
            values = {
                "size": {"size": 5},
                "root": {"root": "0" * 64},
                "signature": {"signature": "0" * 128},
                "edge": {"edge_id": "box-2"},
                "time": {"signed_at": header.signed_at + timedelta(seconds=1)},
            }
            header = header.model_copy(update=values[change])
        with pytest.raises(SignatureError):
            verify_batch(events, header, key)
        with pytest.raises(SignatureError):
            verified_paths(Batch(header, events), key)
