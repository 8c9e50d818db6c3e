"""Acts that wait: what they say is sealed in the database, and a row that was tampered with is gone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select, update
from tests.platform.conftest import NOON

from matpho_platform.center import Center
from matpho_platform.store.tables import proposals

ARGUMENTS = {"case_number": "HS-2026-017", "subject": {"name": "Nguyễn Thị Kín", "citizen_id": "001085012345"}}


async def test_a_copy_of_the_database_does_not_tell_what_waits(center: Center) -> None:
    kept = await center.proposals.put("tra", "request_identity_check", ARGUMENTS, conversation="c1", at=NOON)
    async with center.store.reading() as session:
        row = await session.first(select(proposals))
    assert row is not None
    for secret in ("Kín", "K\\u00edn", "001085012345", "HS-2026-017", "subject"):
        assert secret not in str(dict(row))
    assert (await center.proposals.take("tra", kept.id, NOON)) == kept


async def test_the_key_lies_beside_the_database_for_its_owner_alone(center: Center) -> None:
    key: Path = center.settings.data / "proposals.key"
    assert key.stat().st_mode & 0o777 == 0o600


async def test_a_row_given_to_somebody_else_opens_for_nobody(center: Center) -> None:
    kept = await center.proposals.put("tra", "export_evidence", ARGUMENTS, conversation="c1", at=NOON)
    async with center.store.writing() as session:
        await session.run(update(proposals).values(user_id="khoa"))
    assert await center.proposals.waiting("khoa", NOON) == []
    assert await center.proposals.take("khoa", kept.id, NOON) is None
    assert await center.proposals.take("khoa", kept.id, NOON) is None


async def test_a_row_with_another_tool_or_plain_arguments_is_gone(center: Center) -> None:
    for changes in ({"tool": "decide_identity_check"}, {"arguments": '{"request_id": "IDR-1"}'}):
        kept = await center.proposals.put("tra", "export_evidence", ARGUMENTS, conversation="c1", at=NOON)
        async with center.store.writing() as session:
            await session.run(update(proposals).where(proposals.c.proposal_id == kept.id).values(**changes))
        assert await center.proposals.take("tra", kept.id, NOON + timedelta(minutes=1)) is None
