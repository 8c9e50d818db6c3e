"""The rules of an incident's way: which state may follow which, what may be done in each. Pure; the service asks twice.

The tool asks before it shows the act to a person, the service asks again under the row lock.

1 new -> in_progress, escalated, resolved, closed
2 in_progress -> escalated, resolved, closed
3 escalated -> in_progress, resolved, closed
4 resolved -> closed, reopened
5 closed -> reopened
6 reopened -> in_progress, escalated, resolved, closed
7 reopening needs a reason
8 acknowledging, dispatching, escalating and doing a step need an open incident; it is acknowledged once
9 escalating goes up, never down or aside
10 a step is done once, when it is its turn; a question with one of its answers
11 a step is skipped with a reason; a forced one is not
12 ending an incident with forced steps undone needs a reason (the service asks; it knows the steps)
"""

from __future__ import annotations

from collections.abc import Mapping

from matpho_platform.access.errors import DeniedError
from matpho_platform.incidents.flow import StepState
from matpho_platform.incidents.schemas import Level, Status

OPEN = frozenset({Status.NEW, Status.IN_PROGRESS, Status.ESCALATED, Status.REOPENED})
"""States in which an incident waits for somebody."""
_ENDS = frozenset({Status.RESOLVED, Status.CLOSED})
TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.NEW: _ENDS | {Status.IN_PROGRESS, Status.ESCALATED},
    Status.IN_PROGRESS: _ENDS | {Status.ESCALATED},
    Status.ESCALATED: _ENDS | {Status.IN_PROGRESS},
    Status.RESOLVED: frozenset({Status.CLOSED, Status.REOPENED}),
    Status.CLOSED: frozenset({Status.REOPENED}),
    Status.REOPENED: _ENDS | {Status.IN_PROGRESS, Status.ESCALATED},
}
NEEDS_REASON = frozenset({Status.REOPENED})
STATUS_NAMES: Mapping[Status, tuple[str, str]] = {
    Status.NEW: ("mới", "new"),
    Status.IN_PROGRESS: ("đang xử lý", "in progress"),
    Status.ESCALATED: ("đã chuyển cấp trên", "escalated"),
    Status.RESOLVED: ("đã giải quyết", "resolved"),
    Status.CLOSED: ("đã đóng", "closed"),
    Status.REOPENED: ("mở lại", "reopened"),
}
LEVEL_NAMES: Mapping[Level, tuple[str, str]] = {
    Level.WARD: ("phường/xã", "ward"),
    Level.COMMANDER: ("chỉ huy", "commander"),
    Level.PROVINCE: ("tỉnh/thành phố", "province"),
    Level.MINISTRY: ("bộ", "ministry"),
}


def next_level(level: Level) -> Level | None:
    """The level above, or None at the top."""
    above = [higher for higher in Level if higher.rank == level.rank + 1]
    return above[0] if above else None


def check_open(incident_id: str, status: Status) -> None:
    """Rule 8; raises DeniedError (`incident_not_open`)."""
    if status in OPEN:
        return
    vi, en = STATUS_NAMES[status]
    raise DeniedError(
        "incident_not_open",
        f"Vụ việc {incident_id} {vi}, phải mở lại trước (kèm lý do).",
        f"Incident {incident_id} is {en}; reopen it first, with a reason.",
    )


def check_acknowledge(incident_id: str, status: Status, acknowledged_by: str | None, acknowledged: bool) -> None:
    """Rule 8 for acknowledging; raises DeniedError (`incident_not_open`, `already_acknowledged`)."""
    check_open(incident_id, status)
    if acknowledged:
        vi = f" bởi {acknowledged_by}" if acknowledged_by else ""
        en = f" by {acknowledged_by}" if acknowledged_by else ""
        raise DeniedError(
            "already_acknowledged",
            f"Cảnh báo của vụ việc {incident_id} đã được nhận{vi}.",
            f"The alert of incident {incident_id} was acknowledged already{en}.",
        )


def check_transition(incident_id: str, status: Status, wanted: Status) -> None:
    """Rules 1 to 6; raises DeniedError (`already_in_state`, `transition`)."""
    vi, en = STATUS_NAMES[status]
    if wanted is status:
        raise DeniedError(
            "already_in_state",
            f"Vụ việc {incident_id} vốn đã ở trạng thái «{vi}».",
            f"Incident {incident_id} is {en} already.",
        )
    if wanted not in TRANSITIONS[status]:
        options = [name for name in Status if name in TRANSITIONS[status]]
        raise DeniedError(
            "transition",
            f"Vụ việc {incident_id} đang ở trạng thái «{vi}», không chuyển được sang «{STATUS_NAMES[wanted][0]}»; "
            f"chỉ chuyển được sang: {', '.join(STATUS_NAMES[name][0] for name in options)}.",
            f"Incident {incident_id} is {en} and cannot become {STATUS_NAMES[wanted][1]}; "
            f"it can become: {', '.join(STATUS_NAMES[name][1] for name in options)}.",
        )


def check_escalate(incident_id: str, status: Status, level: Level, wanted: Level) -> None:
    """Rules 8 and 9; raises DeniedError (`incident_not_open`, `level`)."""
    check_open(incident_id, status)
    if wanted.rank <= level.rank:
        vi, en = LEVEL_NAMES[level]
        raise DeniedError(
            "level",
            f"Vụ việc {incident_id} đã ở cấp {vi}, chỉ chuyển được lên cấp cao hơn.",
            f"Incident {incident_id} lies with the {en} level already; it can only go higher.",
        )


def check_step(incident_id: str, step: str, state: StepState) -> None:
    """Rule 10; raises DeniedError (`step_done_already`, `step_order`, `step_not_needed`)."""
    said: Mapping[StepState, tuple[str, str, str]] = {
        StepState.DONE: ("step_done_already", "đã hoàn thành", "is done already"),
        StepState.SKIPPED: ("step_done_already", "đã được bỏ qua", "was skipped already"),
        StepState.WAITING: (
            "step_order",
            "chưa tới lượt, còn bước trước chưa xong",
            "has to wait for the steps before it",
        ),
        StepState.NOT_NEEDED: ("step_not_needed", "không cần làm theo các câu trả lời trước", "is not needed"),
    }
    if state in said:
        rule, vi, en = said[state]
        raise DeniedError(
            rule,
            f"Bước «{step}» của vụ việc {incident_id} {vi}.",
            f"The step «{step}» of incident {incident_id} {en}.",
        )


def check_skip(incident_id: str, step: str, state: StepState, *, forced: bool) -> None:
    """Rule 11; raises DeniedError (`step_forced`, and as `check_step` but for order)."""
    if state is not StepState.WAITING:
        check_step(incident_id, step, state)
    if forced:
        raise DeniedError(
            "step_forced",
            f"Bước «{step}» của vụ việc {incident_id} bắt buộc, không được bỏ qua.",
            f"The step «{step}» of incident {incident_id} is mandatory and cannot be skipped.",
        )
