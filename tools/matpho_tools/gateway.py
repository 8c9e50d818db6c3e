"""The one way to run a tool, whoever asks: chat, REST, bots, MCP. The numbers are those of the flow "Tool call".

1 authenticate (the channel's work: it brings a Principal or nothing)
2 principal from the runtime, never from a model's or a client's words
3 decide by policy
4 refuse, deny, or ask for what is missing; refusal comes before denial
5 audit entry: decision, policy version, argument hash
6 run, within a deadline
7 redact for the role
8 audit the outcome
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ValidationError

from matpho_contracts.errors import BadInputError, MatphoError, NotFoundError
from matpho_contracts.times import now as present
from matpho_platform.access.policy import POLICY_VERSION, Allowed, Denied, Resource, decide
from matpho_platform.access.principal import Principal
from matpho_platform.access.role_table import Condition
from matpho_platform.audit.schemas import MAX_RESULT_IDS, AuditEntry, argument_hash, loggable
from matpho_tools.city import City, CityNames
from matpho_tools.contract import Arguments, Call, Outcome, Produced, Tool, ToolResult
from matpho_tools.narrowing import narrow
from matpho_tools.redaction import WithheldError, redact
from matpho_tools.refusals import Refusal, judge
from matpho_tools.registry import TOOLS
from matpho_tools.wording import NOT_FOUND, denial, failure, missing

if TYPE_CHECKING:
    from matpho_platform.center import Center

Decision = Literal["allowed", "denied", "refused", "none"]
AUDIT_PART = ("nhật ký kiểm toán", "the audit log")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Guards:
    """The judgements of a call, each a pure function; tests take one out at a time and must turn red."""

    decide: Callable[[Principal, str, Resource | None], Allowed | Denied] = decide
    judge: Callable[[Iterable[str], Callable[[str], bool]], Refusal | None] = judge
    narrow: Callable[[Principal, Tool[Any], Arguments, City, Allowed], tuple[Arguments, bool] | Denied] = narrow
    redact: Callable[[BaseModel, Collection[Condition]], dict[str, Any]] = redact


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call comes from, for the trail; `prompts` names the prompt files that the planner read."""

    channel: str
    conversation_id: str = ""
    prompts: str = ""


class Gateway:
    """Permits, audits, runs and redacts every tool call of one center."""

    def __init__(self, center: Center, *, tools: Mapping[str, Tool[Any]] = TOOLS, guards: Guards | None = None) -> None:
        self._center = center
        self._tools = tools
        self._guards = guards or Guards()
        self._names = CityNames(center)

    @property
    def tools(self) -> Mapping[str, Tool[Any]]:
        """The tools that can be called."""
        return self._tools

    async def city(self) -> City:
        """The registry's names, for resolving places. Raises what the registry raises."""
        return await self._names.read()

    async def screen(self, principal: Principal, text: str, origin: Origin) -> ToolResult | None:
        """Judge a person's own words before any planning; a refusal is in the trail. None: nothing to refuse."""
        city = await self.city()
        refusal = self._guards.judge([text], city.knows)
        if refusal is None:
            return None
        return await self._refuse(principal, "say", {"text": text}, refusal, origin)

    async def denied(self, principal: Principal, action: str, origin: Origin) -> ToolResult | None:
        """A denial that rests on the role alone, for wishes that need no arguments to be judged; it is in the trail."""
        verdict = self._guards.decide(principal, action, None)
        if isinstance(verdict, Allowed):
            return None
        return await self._deny(principal, action, {}, verdict, origin)

    async def call(
        self,
        principal: Principal,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        channel: str,
        conversation_id: str | None = None,
        prompts: str = "",
    ) -> ToolResult:
        """Run a tool; what the arguments, the policy or a part of the center do is in the result, not an exception."""
        origin = Origin(channel, conversation_id or "", prompts)
        try:
            result, _value = await self._call(principal, tool, arguments, origin)
        except MatphoError as error:
            log.warning("tool call not completed", extra={"tool": tool, "code": error.code})
            return _failed(tool, AUDIT_PART, error.code)
        return result

    async def media(
        self, principal: Principal, tool: str, arguments: Mapping[str, Any], *, channel: str
    ) -> tuple[ToolResult, BaseModel | None]:
        """As `call`, with the value itself for endpoints that answer bytes; None unless the result is answered."""
        try:
            return await self._call(principal, tool, arguments, Origin(channel))
        except MatphoError as error:
            return _failed(tool, AUDIT_PART, error.code), None

    async def _call(
        self, principal: Principal, name: str, raw: Mapping[str, Any], origin: Origin
    ) -> tuple[ToolResult, BaseModel | None]:
        tool = self._tools.get(name)
        if tool is None:
            return await self._deny(principal, name, raw, Denied("unknown_tool"), origin), None
        first = self._guards.decide(principal, tool.action, None)  # 3, as far as the role alone goes
        try:
            arguments = tool.arguments.model_validate(dict(raw))
        except ValidationError as error:
            if isinstance(first, Denied):
                return await self._deny(principal, name, raw, first, origin), None
            return await self._clarify(principal, name, raw, error, origin), None
        city = await self.city()
        refusal = self._guards.judge(tool.free_text(arguments), city.knows)  # 4
        if refusal is not None:
            return await self._refuse(principal, name, raw, refusal, origin), None
        if isinstance(first, Denied):
            return await self._deny(principal, name, raw, first, origin), None
        narrowed = self._guards.narrow(principal, tool, arguments, city, first)  # 3, for every place that is named
        if isinstance(narrowed, Denied):
            return await self._deny(principal, name, raw, narrowed, origin), None
        return await self._run(principal, tool, raw, narrowed, first, origin)

    async def _run(
        self,
        principal: Principal,
        tool: Tool[Any],
        raw: Mapping[str, Any],
        narrowed: tuple[Arguments, bool],
        allowed: Allowed,
        origin: Origin,
    ) -> tuple[ToolResult, BaseModel | None]:
        index = await self._audit(principal, tool.name, raw, "allowed", origin)  # 5
        started = time.perf_counter()
        arguments, cut = narrowed
        result, value = await self._guarded(tool, principal, allowed, arguments)  # 6, 7
        spent = (time.perf_counter() - started) * 1000
        entry = self._entry(principal, tool.name, raw, "allowed", origin)
        outcome = {"outcome": result.outcome.value, "result_ids": result.ids[:MAX_RESULT_IDS], "rule": result.rule}
        await self._center.audit.append(
            entry.model_copy(update={**outcome, "count": len(result.ids), "ms": spent, "refers_to": index})
        )  # 8
        final = result.model_copy(
            update={"decision": "allow", "narrowed": cut, "audit_index": index, "milliseconds": round(spent, 3)}
        )
        return final, value

    async def _guarded(
        self, tool: Tool[Any], principal: Principal, allowed: Allowed, arguments: Arguments
    ) -> tuple[ToolResult, BaseModel | None]:
        """6 run within the deadline, 7 redact; every way to fail becomes a result."""
        try:
            async with asyncio.timeout(tool.deadline_s):
                produced: Produced = await tool.run(Call(self._center, principal, allowed.scope, arguments, present()))
            data = self._guards.redact(produced.value, allowed.conditions)
        except WithheldError as error:
            vi, en = denial("withheld", ())
            result = ToolResult(
                tool=tool.name,
                outcome=Outcome.DENIED,
                rule="withheld",
                message_vi=vi,
                message_en=f"{en} {error.message}",
            )
            return result, None
        except NotFoundError as error:
            vi, en = NOT_FOUND
            return ToolResult(
                tool=tool.name, outcome=Outcome.ANSWERED, rule=error.code, message_vi=vi, message_en=en
            ), None
        except BadInputError as error:
            vi, en = missing("arguments", error.message)
            return ToolResult(
                tool=tool.name, outcome=Outcome.CLARIFY, rule=error.code, message_vi=vi, message_en=en
            ), None
        except TimeoutError:
            return _failed(tool.name, (tool.part_vi, tool.part_en), "timeout"), None
        except MatphoError as error:
            return _failed(tool.name, (tool.part_vi, tool.part_en), error.code), None
        except Exception:
            log.exception("a tool failed in a way it does not know", extra={"tool": tool.name})
            return _failed(tool.name, (tool.part_vi, tool.part_en), "internal"), None
        ids = tuple(produced.ids)
        return ToolResult(tool=tool.name, outcome=Outcome.ANSWERED, data=data, ids=ids), produced.value

    async def _clarify(
        self, principal: Principal, name: str, raw: Mapping[str, Any], error: ValidationError, origin: Origin
    ) -> ToolResult:
        first = error.errors(include_url=False, include_input=False)[0]
        argument = ".".join(str(part) for part in first["loc"]) or "arguments"
        index = await self._audit(principal, name, raw, "none", origin, rule="bad_arguments", outcome="clarify")
        vi, en = missing(argument, first["msg"])
        data = {"missing": argument}
        return ToolResult(
            tool=name,
            outcome=Outcome.CLARIFY,
            data=data,
            rule="bad_arguments",
            message_vi=vi,
            message_en=en,
            audit_index=index,
        )

    async def _deny(
        self, principal: Principal, name: str, raw: Mapping[str, Any], denied: Denied, origin: Origin
    ) -> ToolResult:
        index = await self._audit(principal, name, raw, "denied", origin, rule=denied.rule, outcome="denied")
        vi, en = denial(denied.rule, denied.who_can)
        return ToolResult(
            tool=name,
            outcome=Outcome.DENIED,
            decision="deny",
            rule=denied.rule,
            message_vi=vi,
            message_en=en,
            audit_index=index,
        )

    async def _refuse(
        self, principal: Principal, name: str, raw: Mapping[str, Any], refusal: Refusal, origin: Origin
    ) -> ToolResult:
        index = await self._audit(principal, name, raw, "refused", origin, rule=refusal.rule, outcome="refused")
        return ToolResult(
            tool=name,
            outcome=Outcome.REFUSED,
            decision="refuse",
            rule=refusal.rule,
            message_vi=refusal.message("vi"),
            message_en=refusal.message("en"),
            audit_index=index,
        )

    async def _audit(
        self,
        principal: Principal,
        name: str,
        raw: Mapping[str, Any],
        decision: Decision,
        origin: Origin,
        *,
        rule: str = "",
        outcome: str = "",
    ) -> int:
        entry = self._entry(principal, name, raw, decision, origin)
        return await self._center.audit.append(entry.model_copy(update={"rule": rule, "outcome": outcome}))

    def _entry(
        self, principal: Principal, name: str, raw: Mapping[str, Any], decision: Decision, origin: Origin
    ) -> AuditEntry:
        secret = self._center.audit.secret
        version = f"{POLICY_VERSION};{origin.prompts}" if origin.prompts else POLICY_VERSION
        return AuditEntry(
            user_id=principal.user_id,
            role=principal.role.value,
            action=name[:64],
            decision=decision,
            policy_version=version[:200],
            argument_hash=argument_hash(raw, secret),
            arguments=loggable(raw, secret),
            channel=origin.channel[:200],
            conversation=origin.conversation_id[:200],
            session_id=principal.session_id[:200],
        )


def _failed(tool: str, part: tuple[str, str], reason: str) -> ToolResult:
    vi, en = failure(*part, reason)
    return ToolResult(tool=tool, outcome=Outcome.FAILED, rule=reason, part=part[1], message_vi=vi, message_en=en)
