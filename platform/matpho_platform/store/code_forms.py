"""How the codes of an installation begin: `PA-` is a report's here, `SV-` an incident's there."""

from __future__ import annotations

import re

from sqlalchemy import Column, select

from matpho_platform.store.session import ReadSession
from matpho_platform.store.tables import feedback, identity_requests, incidents, procedures

_READ = 50
"""Codes read from either end of a table: a hundred tell its few beginnings."""
_LETTERS = re.compile(r"[^\W\d_]+")
_KEPT_IN: dict[str, Column[str]] = {
    "incident": incidents.c.incident_id,
    "report": feedback.c.code,
    "request": identity_requests.c.request_id,
    "procedure": procedures.c.procedure_id,
}


async def code_beginnings(session: ReadSession) -> tuple[tuple[str, str], ...]:
    """Pairs of a beginning, in lower case, and the kind of thing whose codes alone begin so, sorted.

    Kinds are `incident`, `report`, `request` and `procedure`; a beginning that two kinds share is left out.
    """
    found: dict[str, set[str]] = {}
    for kind, column in _KEPT_IN.items():
        for order in (column.asc(), column.desc()):
            for row in await session.all(select(column).order_by(order).limit(_READ)):
                letters = _LETTERS.match(row[column.name])
                if letters:
                    found.setdefault(letters[0].lower(), set()).add(kind)
    return tuple(sorted((letters, kinds.pop()) for letters, kinds in found.items() if len(kinds) == 1))
