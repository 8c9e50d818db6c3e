"""The engine at work: what is due comes by itself, words are heard, runs outlive engines and engines' databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from tests.platform.incidents.conftest import OFFICER, entries

from matpho_contracts.times import now
from matpho_platform.access.principal import Scope
from matpho_platform.center import Center, open_center
from matpho_platform.incidents.errors import EngineError
from matpho_platform.incidents.schemas import Status
from matpho_platform.incidents.workflow.settings import WorkflowSettings
from matpho_platform.settings import CenterSettings
from matpho_platform.store.tables import incidents, sop_executors, sop_runs, sop_signals

QUICK: dict[str, Any] = {
    "format": 2,
    "id": "QT-NHANH",
    "title": "Thử nhanh",
    "event_types": ["crowd"],
    "escalation": [{"to": "team", "after": "0s"}, {"to": "commander", "after": "2s"}],
    "steps": [
        {"id": "hoi", "name": "Hỏi", "kind": "question", "answers": {"có": ["bao"], "không": []}, "within": "1h"},
        {"id": "bao", "name": "Báo", "kind": "notify", "tell": ["commander"]},
        {"id": "cho", "name": "Chờ", "kind": "wait", "wait": "1s"},
    ],
}
ENGINE = WorkflowSettings(on=True, beat_seconds=0.2, dead_after_seconds=1.0, sweep_seconds=0.5)
WAIT_S = 90.0


@asynccontextmanager
async def following(settings: CenterSettings) -> AsyncIterator[Center]:
    center = await open_center(settings.model_copy(update={"workflows": ENGINE}))
    try:
        yield center
    finally:
        await center.close()


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not await check():  # noqa: ASYNC110 - what is waited for happens in a database
            await asyncio.sleep(0.1)


async def opened(center: Center, box: Any) -> str:
    await center.incidents.load(procedures=[QUICK])
    event = box.event()
    await center.intake.receive(box.batch([event]))
    return (await center.incidents.open(OFFICER, [event.id], at=now())).incident.id


async def actions(center: Center, incident: str) -> list[str]:
    return [row["action"] for row in await entries(center, incident) if row["actor"] == "center"]


async def levels(center: Center, incident: str) -> list[str]:
    return [row["key"].rsplit(":", 1)[1] for row in await entries(center, incident, "alerted")]


async def open_runs(center: Center) -> int:
    async with center.store.reading() as session:
        return len(await session.all(select(sop_runs).where(sop_runs.c.ended_ms.is_(None))))


async def attempts(center: Center) -> int:
    async with center.store.reading() as session:
        return int((await session.all(select(sop_runs)))[0]["attempt"])


async def enrolled(center: Center, new_box: Any) -> Any:
    return await (await new_box().enrol(center)).report(center)


async def test_what_is_due_comes_by_itself_and_words_are_heard(settings: CenterSettings, new_box: Any) -> None:
    async with following(settings) as center:
        box = await enrolled(center, new_box)
        incident = await opened(center, box)
        await until(lambda: _has(levels(center, incident), ["0", "1"]))
        raised = await center.incidents.get(Scope(None), incident, now())
        assert raised.status is Status.ESCALATED
        await center.incidents.update(OFFICER, incident, step_done="hoi", answer="có", at=now())
        wanted = ["alerted", "alerted", "escalated", "step_done", "step_done"]
        await until(lambda: _has(actions(center, incident), wanted))
        await center.incidents.update(OFFICER, incident, status=Status.CLOSED, at=now())
        await until(lambda: _is(open_runs(center), 0))
        async with center.store.reading() as session:
            assert not await session.all(select(sop_signals))
        engine = center.following
        assert engine is not None
        await until(lambda: _is(engine.forget(now()), 1))
    async with following(settings) as center:
        assert await levels(center, incident) == ["0", "1"]


async def test_an_incident_opened_while_nobody_follows_is_followed_later(
    settings: CenterSettings, new_box: Any
) -> None:
    idle = await open_center(settings)
    box = await enrolled(idle, new_box)
    incident = await opened(idle, box)
    assert await levels(idle, incident) == []
    given = {"id": "VV-0101-01", "priority": "low", "area": "p-ba-dinh", "opened_at": now() - timedelta(days=1)}
    await idle.incidents.load(incidents=[given])
    await idle.close()
    async with following(settings) as center:
        await until(lambda: _has(levels(center, incident), ["0", "1"]))
        await until(lambda: _has(levels(center, "VV-0101-01"), ["0", "1"]))


async def test_a_lost_engine_database_loses_no_incident(settings: CenterSettings, new_box: Any) -> None:
    async with following(settings) as center:
        box = await enrolled(center, new_box)
        incident = await opened(center, box)
        await until(lambda: _begins(levels(center, incident), ["0"]))
    await _lose_engine(settings)
    async with following(settings) as center:
        await until(lambda: _has(levels(center, incident), ["0", "1"]))


async def test_a_silent_process_is_taken_over_and_struck_off(settings: CenterSettings, new_box: Any) -> None:
    async with following(settings) as center:
        box = await enrolled(center, new_box)
        incident = await opened(center, box)
        await until(lambda: _begins(levels(center, incident), ["0"]))
        async with center.store.writing() as session:
            await session.run(sop_executors.insert().values(executor_id="dead-1", started_ms=0, beat_ms=0))
        await until(lambda: _is(_executors(center), 1))
        await until(lambda: _has(levels(center, incident), ["0", "1"]))


async def test_one_engine_in_a_process(settings: CenterSettings) -> None:
    async with following(settings):
        with pytest.raises(EngineError):
            await open_center(settings.model_copy(update={"workflows": ENGINE}))


async def test_a_run_whose_workflow_failed_is_begun_anew(settings: CenterSettings, new_box: Any) -> None:
    async with following(settings) as center:
        box = await enrolled(center, new_box)
        incident = await opened(center, box)
        await until(lambda: _has(levels(center, incident), ["0", "1"]))
        await center.incidents.update(OFFICER, incident, status=Status.CLOSED, at=now())
        await until(lambda: _is(open_runs(center), 0))
        async with center.store.writing() as session:  # as if the workflow had ended before its time
            await session.run(update(sop_runs).values(ended_ms=None, next_ms=0))
            await session.run(update(incidents).values(status="in_progress"))
        await until(lambda: _is(attempts(center), 1))
        await center.incidents.update(OFFICER, incident, status=Status.CLOSED, at=now())
        await until(lambda: _is(open_runs(center), 0))


async def _executors(center: Center) -> int:
    async with center.store.reading() as session:
        return len(await session.all(select(sop_executors)))


async def _lose_engine(settings: CenterSettings) -> None:
    if settings.database_url is None:
        for path in settings.data.glob("workflows.db*"):
            path.unlink()
        return
    center = await open_center(settings)
    async with center.store.writing() as session:
        await session.run(text("DROP SCHEMA dbos CASCADE"))
    await center.close()


async def _has(found: Awaitable[list[str]], wanted: list[str]) -> bool:
    return await found == wanted


async def _begins(found: Awaitable[list[str]], wanted: list[str]) -> bool:
    return (await found)[: len(wanted)] == wanted


async def _is(found: Awaitable[int], wanted: int) -> bool:
    return await found == wanted
