"""What a call leaves on the audit log: the decision before anything runs, the outcome after.

What a person said and whom it names stay outside the log, sealed under a secret of whoever it is about, so that erasing
them leaves the log whole; the log has their names and commitments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from matpho_contracts.times import now as present
from matpho_platform.access.policy import Facts
from matpho_platform.access.principal import Principal
from matpho_platform.audit.schemas import MAX_FIELDS, MAX_RESULT_IDS, AuditEntry, argument_hash, sealed
from matpho_tools.contract import ToolResult

if TYPE_CHECKING:
    from matpho_platform.center import Center

Decision = Literal["allowed", "denied", "refused", "confirm", "none"]
PICTURES = frozenset({"photos", "image"})
"""Arguments that are files; the log has that they were given and keeps no copy."""
SAME_TIME = timedelta(seconds=60)
"""A present further from the clock than this is a played one, and the entry says so."""
NOBODY = "anonymous"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call comes from; `prompts` names the prompt files that the planner read, `model` who planned."""

    channel: str
    conversation_id: str = ""
    prompts: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A call as it was made, before anything is judged."""

    principal: Principal
    tool: str
    arguments: Mapping[str, Any]
    origin: Origin
    now: datetime
    facts: Facts = field(default_factory=Facts)
    policies: tuple[str, ...] = ()
    """Ids of the policies that decided."""
    proposal_id: str = ""
    spool: bool = False
    """Whether the call goes on while the log cannot be written (alerts); else it stops."""
    nameless: bool = False
    """Whether the caller chose to stay unnamed (an anonymous report): the log has the act and not the person."""
    misfit: str = ""
    """Why the arguments cannot even be read; they are not kept then."""


class Trail:
    """Writes the entries of calls."""

    def __init__(self, center: Center) -> None:
        self._center = center

    async def decided(self, asked: Asked, decision: Decision, *, rule: str = "", outcome: str = "") -> int | None:
        """The decision; its log index, None when the entry was spooled. Raises MatphoError when nothing may run."""
        entry, personal = self._entry(asked, decision)
        entry = entry.model_copy(update={"rule": rule, "outcome": outcome})
        audit = self._center.audit
        write = audit.append_or_spool if asked.spool else audit.append
        return await write(entry, personal=personal)

    async def finished(self, asked: Asked, result: ToolResult, refers_to: int | None, milliseconds: float) -> None:
        """What came of an allowed call; whom it was about stands with the decision that it refers to."""
        update = {
            "outcome": result.outcome.value,
            "result_ids": result.ids[:MAX_RESULT_IDS],
            "rule": result.rule,
            "count": len(result.ids),
            "ms": milliseconds,
            "refers_to": refers_to,
            "fields_returned": tuple(sorted(result.data))[:MAX_FIELDS],
        }
        entry = self._entry(asked, "allowed")[0].model_copy(update=update)
        await (self._center.audit.append_or_spool(entry) if asked.spool else self._center.audit.append(entry))

    def _entry(self, asked: Asked, decision: Decision) -> tuple[AuditEntry, dict[str, str]]:
        principal, origin = asked.principal, asked.origin
        kept, personal = sealed({name: value for name, value in asked.arguments.items() if name not in PICTURES})
        kept |= {name: {"given": True} for name in PICTURES & asked.arguments.keys()}
        entry = AuditEntry(
            user_id=NOBODY if asked.nameless else principal.user_id,
            role=principal.role.value,
            action=asked.tool[:64],
            decision=decision,
            policy_version=self._center.policy.version,
            policies=asked.policies,
            argument_hash=argument_hash(kept, self._center.audit.secret),
            arguments=kept,
            channel=origin.channel[:200],
            conversation="" if asked.nameless else origin.conversation_id[:200],
            session_id="" if asked.nameless else principal.session_id[:200],
            event_at=asked.now if abs(asked.now - present()) > SAME_TIME else None,
            mfa_age_s=_age(principal, asked.now),
            purpose=asked.facts.purpose[:200],
            case_number=asked.facts.case_number[:200],
            prompts=origin.prompts[:200],
            model=origin.model[:200],
            proposal=asked.proposal_id[:200],
        )
        return entry, personal


def _age(principal: Principal, now: datetime) -> int | None:
    """Seconds since the session showed a second factor."""
    return None if principal.mfa_at is None else max(0, int((now - principal.mfa_at).total_seconds()))
