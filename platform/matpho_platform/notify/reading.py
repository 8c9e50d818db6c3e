"""What rows say: how far a notice has come at a moment. Pure.

1 somebody did something about it: acted; 2 saw it: seen; 3 a channel says it arrived: delivered; 4 a channel took it:
sent; 5 nobody needs it any more: ended; 6 owed for longer than UNDELIVERED_AFTER: UNDELIVERED, whatever a worker does;
7 a message is being sent: sending; 8 every message of the last round failed: failed (another round follows);
9 else promised
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping

from matpho_contracts.times import from_unix_ms
from matpho_contracts.vocabulary import Severity
from matpho_platform.notify.schemas import UNDELIVERED_AFTER, Channel, Notice, Progress, Sending, Shown, State, Template

_AFTER_MS = int(UNDELIVERED_AFTER.total_seconds() * 1000)


def state_of(row: RowMapping, messages: Sequence[RowMapping], at_ms: int) -> State:
    """The state of a notice at a moment (Unix ms)."""
    for column, state in (
        ("acted_ms", State.ACTED),
        ("seen_ms", State.SEEN),
        ("delivered_ms", State.DELIVERED),
        ("reached_ms", State.SENT),
        ("ended_ms", State.ENDED),
    ):
        if row[column] is not None:
            return state
    if row["alert"] and row["owed_ms"] + _AFTER_MS <= at_ms:
        return State.UNDELIVERED
    outward = [one["state"] for one in messages if one["channel"] != Channel.IN_APP.value]
    if State.SENDING.value in outward:
        return State.SENDING
    return State.FAILED if outward and set(outward) == {State.FAILED.value} else State.PROMISED


def progress(row: RowMapping, messages: Sequence[RowMapping], at_ms: int) -> Progress:
    """A notice with its messages, as shown."""
    return Progress(
        notice_id=row["notice_id"],
        key=row["key"],
        state=state_of(row, messages, at_ms),
        template=Template(row["template"]),
        severity=list(Severity)[row["severity"]],
        subject=row["subject"],
        area=row["area"],
        user_id=row["user_id"],
        role=row["role"],
        promised_at=from_unix_ms(row["promised_ms"]),
        owed_at=from_unix_ms(row["owed_ms"]),
        reached_at=_time(row["reached_ms"]),
        acted_at=_time(row["acted_ms"]),
        acted_by=row["acted_by"],
        sendings=tuple(
            Sending(
                user_id=one["user_id"],
                channel=Channel(one["channel"]),
                state=State(one["state"]),
                attempts=one["attempts"],
                sent_at=_time(one["sent_ms"]),
                error=one["error"],
            )
            for one in messages
        ),
    )


def shown(row: RowMapping, contents: Sequence[RowMapping]) -> Shown:
    """A message in the console; being shown is being delivered."""
    mine = [notice_of(one) for one in contents if one["message_id"] == row["message_id"]]
    state = State.SEEN if row["seen_ms"] is not None else State.DELIVERED
    return Shown(token=row["token"], state=state, at=from_unix_ms(row["created_ms"]), notices=tuple(mine))


def notice_of(row: RowMapping) -> Notice:
    """The notice as it was promised."""
    return Notice.model_validate_json(row["document"])


def _time(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_unix_ms(milliseconds)
