"""False alarms: ended with a reason, counted for camera and rule, shown; nothing is muted by them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.platform.incidents.conftest import OFFICER, entries

from matpho_contracts.errors import BadInputError
from matpho_contracts.times import now
from matpho_platform.access.principal import Scope
from matpho_platform.center import Center
from matpho_platform.incidents.errors import ReasonNeededError
from matpho_platform.incidents.outcomes import ENOUGH
from matpho_platform.incidents.schemas import Status

ALL = Scope(None)


async def ended(center: Center, box: Any, **more: Any) -> str:
    event = box.event()
    await center.intake.receive(box.batch([event]))
    incident = (await center.incidents.open(OFFICER, [event.id], at=now())).incident.id
    await center.incidents.update(OFFICER, incident, status=Status.CLOSED, at=now(), **more)
    return incident


async def test_it_needs_a_reason_and_an_end(center: Center, box: Any) -> None:
    incident = await ended(center, box)
    await center.incidents.update(OFFICER, incident, status=Status.REOPENED, reason="xem lại", at=now())
    with pytest.raises(ReasonNeededError):
        await center.incidents.update(OFFICER, incident, status=Status.CLOSED, false_alarm=True, at=now())
    with pytest.raises(BadInputError):
        await center.incidents.update(
            OFFICER, incident, status=Status.IN_PROGRESS, false_alarm=True, reason="nhầm", at=now()
        )
    await center.incidents.update(OFFICER, incident, status=Status.CLOSED, false_alarm=True, reason="cờ bay", at=now())
    last = (await entries(center, incident, "updated"))[-1]
    assert last["reason"] == "cờ bay"
    assert '"outcome": "false_alarm"' in last["details"]


async def test_rules_are_counted_by_camera_and_shown_within_the_scope(center: Center, box: Any) -> None:
    for _ in range(ENOUGH):
        await ended(center, box, false_alarm=True, reason="cờ bay")
    shown = (await center.outcomes.records(ALL, now=now())).rules
    assert [(one.camera_id, one.rule, one.ended, one.false_alarms, one.look_at_it) for one in shown] == [
        ("cam-1", "crowd", ENOUGH, ENOUGH, True)
    ]
    for _ in range(2):
        await ended(center, box)
    assert not (await center.outcomes.records(ALL, now=now())).rules[0].look_at_it
    assert (await center.outcomes.records(Scope(("p-ba-dinh",)), now=now())).total == 0
    assert (await center.outcomes.records(ALL, now=now() + timedelta(days=31))).total == 0


async def test_what_was_reopened_counts_no_more(center: Center, box: Any) -> None:
    incident = await ended(center, box, false_alarm=True, reason="cờ bay")
    await center.incidents.update(OFFICER, incident, status=Status.REOPENED, reason="có thật", at=now())
    assert (await center.outcomes.records(ALL, now=now())).total == 0
