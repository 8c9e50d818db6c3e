"""Personal values: outside the log, found by whoever may ask, gone for good when their subject is erased."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from matpho_contracts.errors import BadInputError
from matpho_contracts.signing import SigningKey
from matpho_platform.audit.errors import AuditBrokenError
from matpho_platform.audit.log import AuditLog
from matpho_platform.audit.personal import Subjects, owners, subject_of
from matpho_platform.audit.schemas import AuditEntry, sealed
from matpho_platform.store import Store, open_store
from matpho_platform.store.tables import audit_personal, audit_subjects

KEY = SigningKey.generate()
ERASED = 1_000


def entry(user: str = "an", **changes: object) -> AuditEntry:
    made = AuditEntry(user_id=user, role="officer", action="search_events", decision="allowed", outcome="answered")
    return made.model_copy(update=changes)


@pytest.fixture
async def store(database: str | None, tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(database or tmp_path / "a.db")
    yield opened
    await opened.close()


@pytest.fixture
async def log(store: Store, tmp_path: Path) -> AuditLog:
    made = AuditLog(store, KEY, tmp_path / "audit")
    await made.open()
    return made


async def everything_written(store: Store, folder: Path) -> bytes:
    """Every byte of the entries, and of all files beside the database."""
    from matpho_platform.audit import repository

    async with store.reading() as session:
        rows = await repository.entries_from(session, 0, 10_000)
    files = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return "".join(row["entry"] for row in rows).encode() + files


async def test_values_stay_outside_the_log_and_come_back(store: Store, log: AuditLog, tmp_path: Path) -> None:
    arguments = {
        "plate": "30A-123.45",
        "query": "tìm xe của ông Nam",
        "subject": {"citizen_id": "001099012345", "name": "Nguyễn Văn Nam"},
        "limit": 5,
    }
    kept, personal = sealed(arguments)
    index = await log.append(entry(arguments=kept), personal=personal)
    await log.close()
    written = await everything_written(store, tmp_path / "audit")
    for value in ("30A", "123.45", "12345", "001099012345", "Nguyễn", "Nam", "tìm xe"):
        assert value.encode() not in written
    assert await log.personal(index) == {
        "plate": "30A-123.45",
        "query": "tìm xe của ông Nam",
        "subject.citizen_id": "001099012345",
        "subject.name": "Nguyễn Văn Nam",
    }
    assert (await log.verify()).intact


async def test_who_looked_at_a_plate(log: AuditLog) -> None:
    await log.append(entry("an"), personal={"plate": "30A-123.45"})
    await log.append(entry("binh"), personal={"plate": "29B-999.99"})
    await log.append(entry("chi"), personal={"query": "xe này", "plate": "30a 12345"})
    for typed in ("30A-123.45", "30a12345", "30A 123 45"):
        assert [one.entry.user_id for one in (await log.search(subject=typed)).records] == ["chi", "an"]
    assert (await log.search(subject="30A-123.45", own="an")).total == 1
    assert (await log.search(subject="51F-000.00")).total == 0


async def test_filters(log: AuditLog) -> None:
    await log.append(entry("an", outcome="denied", decision="denied", case_number='VA-"1%'))
    await log.append(entry("an", case_number="VA-12"))
    await log.append(entry("binh"))
    assert (await log.search(outcome="denied")).total == 1
    assert (await log.search(decision="denied")).total == 1
    assert (await log.search(case_number='VA-"1%')).total == 1
    assert (await log.search(case_number="VA-1")).total == 0
    assert (await log.search(own="binh", actor="an")).total == 0
    assert (await log.search(own="binh")).total == 1


async def test_erasing_a_thousand_subjects_leaves_the_log_as_it_was(log: AuditLog) -> None:
    plates = [f"30A-{number:05d}" for number in range(ERASED)]
    indexes = await asyncio.gather(
        *(log.append(entry(f"u{n % 9}"), personal={"plate": plate, "query": "xe đỏ"}) for n, plate in enumerate(plates))
    )
    kept = await log.append(entry(), personal={"plate": "51F-77777"})
    before = await log.verify()
    assert before.intact
    assert await log.personal(indexes[7]) == {"plate": plates[7], "query": "xe đỏ"}
    for plate in plates:
        assert await log.erase_subject(plate.replace("-", " ").lower()) == 2
    after = await log.verify()
    assert after.intact
    assert after.root == before.root
    assert after.entries == before.entries
    assert await log.personal(indexes[7]) == {}
    assert (await log.search(subject=plates[7])).total == 0
    assert await log.personal(kept) == {"plate": "51F-77777"}


async def test_a_new_entry_after_erasing_is_not_linked_to_the_old(log: AuditLog) -> None:
    old = await log.append(entry(), personal={"plate": "30A-123.45"})
    await log.erase_subject("30A-123.45")
    new = await log.append(entry(), personal={"plate": "30A-123.45"})
    page = await log.search()
    commitments = {record.log_index: record.entry.personal["plate"] for record in page.records}
    assert commitments[old] != commitments[new]
    assert [record.log_index for record in (await log.search(subject="30A-123.45")).records] == [new]


async def test_a_changed_value_or_secret_is_found(store: Store, log: AuditLog) -> None:
    index = await log.append(entry(), personal={"plate": "30A-123.45"})
    other = await log.append(entry(), personal={"plate": "29B-999.99"})
    async with store.reading() as session:
        rows = {row["log_index"]: row for row in await session.all(select(audit_personal))}
        secrets = {row["subject_id"]: row["wrapped"] for row in await session.all(select(audit_subjects))}
    changes = (
        update(audit_personal)
        .where(audit_personal.c.log_index == index)
        .values(sealed=rows[other]["sealed"], subject_id=rows[other]["subject_id"]),
        update(audit_subjects)
        .where(audit_subjects.c.subject_id == rows[index]["subject_id"])
        .values(wrapped=secrets[rows[other]["subject_id"]]),
    )
    for change in changes:
        async with store.writing() as session:
            await session.run(change)
        assert not (await log.verify()).intact
        with pytest.raises(AuditBrokenError):
            await log.personal(index)


async def test_the_database_alone_opens_nothing(store: Store, log: AuditLog) -> None:
    await log.append(entry(), personal={"plate": "30A-123.45"})
    async with store.reading() as session:
        row = await session.first(select(audit_subjects))
    assert row is not None
    with pytest.raises(AuditBrokenError):
        Subjects(b"another center").unwrap(row["subject_id"], bytes(row["wrapped"]))
    assert Subjects(log.secret).unwrap(row["subject_id"], bytes(row["wrapped"])).subject_id == row["subject_id"]


async def test_too_many_values_are_refused(log: AuditLog) -> None:
    with pytest.raises(BadInputError):
        await log.append(entry(), personal={f"plate{number}": "x" for number in range(65)})


def test_whom_a_value_belongs_to() -> None:
    personal = {"subject.name": "Lê Thị B", "subject.citizen_id": "001099012345", "note": "áo đỏ"}
    assert set(owners(personal, "an", None).values()) == {"001099012345"}
    assert owners({"text": "xin chào"}, "an", None) == {"text": "user:an"}
    assert owners({"text": "xin chào", "plate": "30A-1"}, "an", "IDR-7") == dict.fromkeys(("text", "plate"), "IDR7")
    assert subject_of("Nguyễn Văn Nam") == subject_of("nguyen van  nam")


async def test_values_that_do_not_fit_the_canonical_form_hurt_nobody_else(log: AuditLog) -> None:
    async def outcome(number: int) -> str:
        arguments = {"n": float("nan")} if number == 3 else {"n": number}
        try:
            await log.append(entry(arguments=arguments))
        except Exception as error:
            return type(error).__name__
        return "written"

    said = await asyncio.gather(*(outcome(number) for number in range(8)))
    assert said.count("written") == 7
    assert (await log.verify()).entries == 7


async def test_a_huge_entry_is_written_without_its_arguments(log: AuditLog) -> None:
    index = await log.append(entry(arguments={"list": ["x" * 400] * 300}, result_ids=("i" * 200,) * 200))
    record = (await log.search()).records[0]
    assert record.log_index == index
    assert record.entry.arguments == {"too_long": ["list"]}
    await log.publish()
    assert (await log.verify()).intact
