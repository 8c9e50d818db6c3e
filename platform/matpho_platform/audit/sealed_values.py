"""Reading the personal values beside the log, each held against what the log commits to."""

from __future__ import annotations

from sqlalchemy import RowMapping

from matpho_platform.audit import repository
from matpho_platform.audit.errors import AuditBrokenError
from matpho_platform.audit.personal import Subjects
from matpho_platform.audit.schemas import AuditEntry
from matpho_platform.store.session import ReadSession

MAX_PERSONAL_VALUES = 64
"""Personal values of one entry."""
MAX_PROBLEMS = 1_000
_AT_ONCE = 1_000


async def values_of(session: ReadSession, subjects: Subjects, index: int) -> dict[str, str]:
    """The values of an entry that can still be read, by name; AuditBrokenError for one that is not as it was logged."""
    rows = await repository.personal_from(session, index, "", MAX_PERSONAL_VALUES)
    return {row["name"]: _opened(row, subjects) for row in rows if row["log_index"] == index}


async def wrong_values(session: ReadSession, subjects: Subjects) -> list[str]:
    """What is wrong with the values that can still be read."""
    problems, at = [], (0, "")
    while rows := await repository.personal_from(session, *at, _AT_ONCE):
        for row in rows:
            try:
                _opened(row, subjects)
            except AuditBrokenError as error:
                problems.append(str(error))
        at = (rows[-1]["log_index"], rows[-1]["name"])
    return problems[:MAX_PROBLEMS]


def _opened(row: RowMapping, subjects: Subjects) -> str:
    index, name = row["log_index"], row["name"]
    secret = subjects.unwrap(row["subject_id"], bytes(row["wrapped"]))
    value = secret.open(bytes(row["sealed"]), index, name)
    if AuditEntry.model_validate_json(row["entry"]).personal.get(name) != secret.commitment(value):
        raise AuditBrokenError(f"The personal value {name} of entry {index} is not the one that was logged.")
    return value
