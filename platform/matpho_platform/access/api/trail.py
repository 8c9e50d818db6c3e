"""Putting what happens to accounts on the audit trail."""

from __future__ import annotations

from collections.abc import Sequence

from matpho_platform.access.principal import Principal
from matpho_platform.audit.schemas import AuditEntry
from matpho_platform.center import Center

CHANNEL = "web"
UNKNOWN = "unknown"
"""Stands for a name that is no account's: it may be a password typed into the wrong field."""


async def note(
    center: Center, who: Principal, action: str, *, outcome: str = "answered", ids: Sequence[str] = ()
) -> None:
    """Somebody who is known did something; `ids` are the accounts, factors, sessions or tokens it was done to."""
    await center.audit.append(
        AuditEntry(
            user_id=who.user_id,
            role=who.role.value,
            action=action,
            outcome=outcome,
            channel=CHANNEL,
            session_id=who.session_id,
            result_ids=tuple(ids),
            count=len(ids),
        )
    )


async def note_stranger(center: Center, user_id: str, action: str, outcome: str, rule: str = "") -> None:
    """Somebody who is not signed in tried something in an account's name."""
    known = user_id != "" and await center.accounts.find(user_id) is not None
    await center.audit.append(
        AuditEntry(
            user_id=user_id if known else UNKNOWN, role="", action=action, outcome=outcome, rule=rule, channel=CHANNEL
        )
    )
