"""What a call leaves on the audit log: the decision before anything runs, the outcome after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from matpho_platform.access.policy import Facts
from matpho_platform.access.principal import Principal
from matpho_platform.audit.schemas import MAX_RESULT_IDS, AuditEntry, argument_hash, loggable
from matpho_tools.contract import ToolResult

if TYPE_CHECKING:
    from matpho_platform.center import Center

Decision = Literal["allowed", "denied", "refused", "confirm", "none"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call comes from; `prompts` names the prompt files that the planner read."""

    channel: str
    conversation_id: str = ""
    prompts: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A call as it was made, before anything is judged."""

    principal: Principal
    tool: str
    arguments: Mapping[str, Any]
    origin: Origin
    facts: Facts = field(default_factory=Facts)
    proposal_id: str = ""
    spool: bool = False
    """Whether the call goes on while the log cannot be written (alerts); else it stops."""


class Trail:
    """Writes the entries of calls."""

    def __init__(self, center: Center) -> None:
        self._center = center

    async def decided(self, asked: Asked, decision: Decision, *, rule: str = "", outcome: str = "") -> int | None:
        """The decision; its log index, None when the entry was spooled. Raises MatphoError when nothing may run."""
        entry = self._entry(asked, decision).model_copy(update={"rule": rule, "outcome": outcome})
        return await self._write(entry, asked.spool)

    async def finished(self, asked: Asked, result: ToolResult, refers_to: int | None, milliseconds: float) -> None:
        """What came of an allowed call."""
        update = {
            "outcome": result.outcome.value,
            "result_ids": result.ids[:MAX_RESULT_IDS],
            "rule": result.rule,
            "count": len(result.ids),
            "ms": milliseconds,
            "refers_to": refers_to,
        }
        await self._write(self._entry(asked, "allowed").model_copy(update=update), asked.spool)

    async def _write(self, entry: AuditEntry, spool: bool) -> int | None:
        audit = self._center.audit
        return await (audit.append_or_spool(entry) if spool else audit.append(entry))

    def _entry(self, asked: Asked, decision: Decision) -> AuditEntry:
        principal, origin, secret = asked.principal, asked.origin, self._center.audit.secret
        version = self._center.policy.version
        return AuditEntry(
            user_id=principal.user_id,
            role=principal.role.value,
            action=asked.tool[:64],
            decision=decision,
            policy_version=f"{version};{origin.prompts}"[:200] if origin.prompts else version,
            argument_hash=argument_hash(asked.arguments, secret),
            arguments=loggable(asked.arguments, secret),
            channel=origin.channel[:200],
            conversation=origin.conversation_id[:200],
            session_id=principal.session_id[:200],
        )
