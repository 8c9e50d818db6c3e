"""The one way to run a tool, whoever asks: chat, REST, bots, MCP. The numbers are those of the flow "Tool call".

1 authenticate (the channel's work: it brings a Principal or nothing)
2 principal from the runtime, never from a model's or a client's words
3 decide by policy
4 refuse, deny, ask for what is missing, or wait for a person's yes; refusal comes before denial, denial before waiting
5 audit entry: decision, policy version, argument hash
6 run, within a deadline
7 redact for the role
8 audit the outcome

A tool that acts stops at 4 with a proposal; `confirm` starts again at 3 with exactly what was proposed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from matpho_contracts.errors import BadInputError, MatphoError, NotFoundError
from matpho_contracts.times import now as present
from matpho_platform.access.conditions import Condition
from matpho_platform.access.errors import DeniedError
from matpho_platform.access.policy import Allowed, Denied, Facts, Resource
from matpho_platform.access.principal import Principal
from matpho_platform.proposals.schemas import Proposal
from matpho_tools import results
from matpho_tools.city import City, CityNames
from matpho_tools.contract import Arguments, Call, MissingError, Outcome, Tool, ToolResult
from matpho_tools.judging import Permit, alike, permit
from matpho_tools.narrowing import Narrow, narrow
from matpho_tools.redaction import WithheldError, redact
from matpho_tools.refusals import Refusal, judge, spoken
from matpho_tools.registry import TOOLS
from matpho_tools.resources import named_so_far
from matpho_tools.scrubbing import scrubbed
from matpho_tools.trail import Asked, Origin, Trail
from matpho_tools.wellformed import is_proposal_id, problem, tool_name
from matpho_tools.wording import denial

if TYPE_CHECKING:
    from matpho_platform.center import Center

AUDIT_PART = ("nhật ký kiểm toán", "the audit log")
PROPOSAL_GONE = Denied("proposal_gone")
PERSON_ONLY = Denied("person_only")
STEP_UP = "step_up"
Ended = tuple[ToolResult, BaseModel | None]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Guards:
    """The judgements of a call; tests take one out at a time and must turn red. None: the center's own policy."""

    decide: Callable[[Principal, str, Resource | None, Facts, datetime], Allowed | Denied] | None = None
    judge: Callable[[Iterable[str], Callable[[str], bool]], Refusal | None] = judge
    narrow: Narrow = narrow
    permit: Callable[..., Permit | Denied] = permit
    redact: Callable[[BaseModel, Collection[Condition]], dict[str, Any]] = redact


@dataclass(frozen=True, slots=True)
class _Permitted:
    """A call that may run: its tool, its arguments cut to the scope, and under which conditions."""

    tool: Tool[Any]
    arguments: Arguments
    allowed: Allowed
    cut: bool


class Gateway:
    """Permits, audits, runs and redacts every tool call of one center."""

    def __init__(self, center: Center, *, tools: Mapping[str, Tool[Any]] = TOOLS, guards: Guards | None = None) -> None:
        self._center = center
        self._tools = tools
        self._guards = guards or Guards()
        self._decide = self._guards.decide or center.policy.decide
        self._names = CityNames(center)
        self._trail = Trail(center)

    @property
    def tools(self) -> Mapping[str, Tool[Any]]:
        """The tools that can be called."""
        return self._tools

    async def city(self) -> City:
        """The registry's names, for resolving places. Raises what the registry raises."""
        return await self._names.read()

    async def screen(
        self, principal: Principal, text: str, origin: Origin, *, report: bool = False
    ) -> ToolResult | None:
        """Judge a person's own words before any planning; a refusal is in the trail. None: nothing to refuse.

        `report`: the words were asked for as the text of a citizen's report, which may tell of what is refused.
        """
        city = await self.city()
        refusal = self._guards.judge([spoken(text, report=report)], city.knows)
        if refusal is None:
            return None
        return await self._refuse(Asked(principal, "say", {"text": text}, origin, present()), refusal)

    async def denied(
        self,
        principal: Principal,
        wish: str,
        arguments: Mapping[str, Any],
        origin: Origin,
        *,
        now: datetime | None = None,
    ) -> ToolResult | None:
        """A denial of the tool `wish` that what was said so far is enough for: by the role, or by a thing named.

        It is in the trail. None: nothing stands against asking for what is missing.
        """
        asked = Asked(principal, self._tools[wish].action, {}, origin, now or present())
        for resource in (None, *await named_so_far(self._center, await self.city(), arguments)):
            verdict = self._decide(principal, asked.tool, resource, Facts(), asked.now)
            if isinstance(verdict, Denied):
                return await self._deny(asked, alike(self._decide, principal, asked.tool, verdict, asked.now))
        return None

    async def call(
        self,
        principal: Principal,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        channel: str,
        conversation_id: str | None = None,
        prompts: str = "",
        model: str = "",
        now: datetime | None = None,
    ) -> ToolResult:
        """Run a tool, or propose it where it acts; whatever happens is in the result, not an exception.

        `now` is the present of the call, for evaluations that play another day; people's channels leave it out.
        """
        origin = Origin(channel, conversation_id or "", prompts, model)
        asked = _asked(principal, tool, arguments, origin, now or present())
        return (await self._ended(asked, self._call(asked)))[0]

    async def media(
        self, principal: Principal, tool: str, arguments: Mapping[str, Any], *, channel: str
    ) -> tuple[ToolResult, BaseModel | None]:
        """As `call`, with the value itself for endpoints that answer bytes; None unless the result is answered."""
        asked = _asked(principal, tool, arguments, Origin(channel), present())
        return await self._ended(asked, self._call(asked))

    async def confirm(
        self,
        principal: Principal,
        proposal_id: str,
        *,
        channel: str,
        conversation_id: str | None = None,
        prompts: str = "",
        now: datetime | None = None,
    ) -> ToolResult:
        """The person's yes: runs exactly what was proposed to this person, once, if the policy still agrees."""
        origin = Origin(channel, conversation_id or "", prompts)
        asked = _asked(principal, "confirm", {"proposal": proposal_id}, origin, now or present())
        return (await self._ended(asked, self._confirm(asked, proposal_id)))[0]

    async def waiting(self, principal: Principal) -> Sequence[Proposal]:
        """What waits for this person's yes, newest first; from whatever channel it came.

        A program sees what it could have asked for itself, and nothing else of its person's.
        """
        now = present()
        found = await self._center.proposals.waiting(principal.user_id, now)
        return [one for one in found if not principal.program or self._may_ask(principal, one.tool, now)]

    def _may_ask(self, principal: Principal, name: str, now: datetime) -> bool:
        tool = self._tools.get(name)
        return tool is not None and isinstance(self._decide(principal, tool.action, None, Facts(), now), Allowed)

    async def cancel(self, principal: Principal, proposal_id: str, *, channel: str) -> bool:
        """The person's no: the proposal is forgotten; whether there was one. It is in the trail."""
        asked = _asked(principal, "cancel", {"proposal": proposal_id}, Origin(channel), present())
        dropped = is_proposal_id(proposal_id) and await self._center.proposals.drop(principal.user_id, proposal_id)
        await self._trail.decided(asked, "none", outcome="cancelled" if dropped else "gone")
        return dropped

    async def _ended(self, asked: Asked, running: Awaitable[Ended]) -> Ended:
        """An error on the way (the log, the registry) ends the call as a failure; nothing ran."""
        try:
            return await running
        except MatphoError as error:
            log.warning("tool call not completed", extra={"tool": asked.tool, "code": error.code})
            return results.failed(asked.tool, AUDIT_PART, error.code), None

    async def _call(self, asked: Asked) -> Ended:
        permitted = await self._permitted(asked)
        if isinstance(permitted, ToolResult):
            return permitted, None
        if permitted.tool.prepare is not None:
            return await self._propose(asked, permitted), None
        return await self._run(asked, permitted)

    async def _permitted(self, asked: Asked) -> _Permitted | ToolResult:
        """Steps 3 and 4: the call as it may run, or how it ends."""
        tool = self._tools.get(asked.tool)
        if tool is None:
            return await self._deny(asked, Denied("unknown_tool"))
        principal, now = asked.principal, asked.now
        first = self._decide(principal, tool.action, None, Facts(), now)  # 3, as far as the role alone goes
        if asked.misfit:
            unfit = results.lacking(asked.tool, "arguments", asked.misfit)
            return await (self._deny(asked, first) if isinstance(first, Denied) else self._stop(asked, unfit))
        try:
            arguments = tool.arguments.model_validate(dict(asked.arguments))
        except ValidationError as error:
            if isinstance(first, Denied):
                return await self._deny(asked, first)
            return await self._stop(asked, results.unfit(asked.tool, error))
        city = await self.city()
        refusal = self._guards.judge(tool.free_text(arguments), city.knows)  # 4
        if refusal is not None:
            return await self._refuse(asked, refusal)
        if isinstance(first, Denied):
            return await self._deny(asked, first)
        narrowed = self._guards.narrow(self._decide, principal, tool, arguments, city, first, now)  # 3, named places
        if isinstance(narrowed, Denied):
            return await self._deny(asked, narrowed)
        arguments, cut = narrowed
        resources = await tool.about(self._center, arguments) if tool.about else ()
        verdict = self._guards.permit(  # 3, named things
            self._decide, principal, tool.action, first, resources, tool.facts(arguments), now
        )
        if isinstance(verdict, Denied):
            return await self._deny(asked, verdict)
        if verdict.missing:
            return await self._stop(asked, results.not_found(asked.tool))
        return _Permitted(tool, arguments, verdict.allowed, cut)

    async def _propose(self, asked: Asked, permitted: _Permitted) -> ToolResult:
        """Step 4 for a tool that acts: complete the call, keep it, show it. Nothing has happened yet."""
        tool, principal = permitted.tool, asked.principal
        if tool.prepare is None:
            raise RuntimeError("only a tool that acts is proposed")
        call = Call(
            self._center, principal, permitted.allowed.scope, permitted.arguments, asked.now,
            channel=asked.origin.channel,
        )  # fmt: skip
        prepared, ended = await self._guarded(tool, tool.prepare(call))
        if prepared is None:
            return await self._stop(asked, ended)
        arguments = prepared.arguments.model_dump(mode="json", exclude_defaults=True)
        if prepared.arguments != permitted.arguments:  # what was filled in is judged like what was said
            again = await self._permitted(replace(asked, arguments=arguments))
            if isinstance(again, ToolResult):
                return again
        proposal = await self._center.proposals.put(
            principal.user_id,
            tool.name,
            arguments,
            rows=map(asdict, prepared.rows),
            conversation=asked.origin.conversation_id[:64],
            at=asked.now,
        )
        waiting = results.waiting(proposal, prepared.ids)
        index = await self._trail.decided(
            replace(asked, arguments=arguments, proposal_id=proposal.id), "confirm", outcome="confirm"
        )
        return waiting.model_copy(update={"audit_index": index, "narrowed": permitted.cut})

    async def _confirm(self, asked: Asked, proposal_id: str) -> Ended:
        if asked.principal.program:
            return await self._deny(asked, PERSON_ONLY), None
        if not is_proposal_id(proposal_id):
            return await self._deny(asked, PROPOSAL_GONE), None
        proposal = await self._center.proposals.take(asked.principal.user_id, proposal_id, asked.now)
        if proposal is None:
            return await self._deny(asked, PROPOSAL_GONE), None
        asked = replace(asked, tool=proposal.tool, arguments=proposal.arguments, proposal_id=proposal.id)
        permitted = await self._permitted(asked)
        if isinstance(permitted, ToolResult):
            if permitted.rule == STEP_UP:  # the person can add it and say yes again
                await self._center.proposals.give_back(proposal, asked.now)
            return permitted, None
        return await self._run(asked, permitted)

    async def _run(self, asked: Asked, permitted: _Permitted) -> Ended:
        tool = permitted.tool
        asked = replace(
            asked,
            facts=tool.facts(permitted.arguments),
            policies=permitted.allowed.policies,
            spool=tool.when_unlogged == "spool",
            nameless=tool.nameless(permitted.arguments),
        )
        index = await self._trail.decided(asked, "allowed")  # 5
        started = time.perf_counter()
        call = Call(
            self._center, asked.principal, permitted.allowed.scope, permitted.arguments, asked.now,
            asked.proposal_id, asked.origin.channel,
        )  # fmt: skip
        produced, result = await self._guarded(tool, tool.run(call))  # 6
        value: BaseModel | None = None
        if produced is not None:
            result, value = self._shown(tool, produced.value, produced.ids, permitted.allowed)  # 7
        spent = (time.perf_counter() - started) * 1000
        await self._trail.finished(asked, result, index, spent)  # 8
        final = result.model_copy(
            update={
                "decision": "allow",
                "narrowed": permitted.cut,
                "audit_index": index,
                "milliseconds": round(spent, 3),
            }
        )
        return final, value

    def _shown(self, tool: Tool[Any], value: BaseModel, ids: Iterable[str], allowed: Allowed) -> Ended:
        try:
            data = scrubbed(self._guards.redact(value, allowed.conditions))
        except WithheldError as error:
            vi, en = denial("withheld", ())
            return results.denied_now(tool.name, "withheld", vi, f"{en} {error.message}"), None
        return ToolResult(tool=tool.name, outcome=Outcome.ANSWERED, data=data, ids=tuple(ids)), value

    async def _guarded(self, tool: Tool[Any], running: Awaitable[Any]) -> tuple[Any, ToolResult]:
        """Await within the deadline; every way to fail becomes a result. The result says nothing where it went well."""
        name, part = tool.name, (tool.part_vi, tool.part_en)
        try:
            async with asyncio.timeout(tool.deadline_s):
                return await running, results.not_found(name)
        except DeniedError as error:
            return None, results.denied_now(name, error.rule, error.message_vi, error.message)
        except NotFoundError as error:
            return None, results.not_found(name, error.code)
        except MissingError as error:
            return None, results.lacking(name, error.argument, error.message, error.options, error.code)
        except BadInputError as error:
            return None, results.lacking(name, "arguments", error.message, rule=error.code)
        except TimeoutError:
            return None, results.failed(name, part, "timeout")
        except MatphoError as error:
            return None, results.failed(name, part, error.code)
        except Exception:
            log.exception("a tool failed in a way it does not know", extra={"tool": name})
            return None, results.failed(name, part, "internal")

    async def _stop(self, asked: Asked, result: ToolResult) -> ToolResult:
        """An end before anything ran, which is in the trail too."""
        decision: Any = "denied" if result.outcome is Outcome.DENIED else "none"
        index = await self._trail.decided(asked, decision, rule=result.rule, outcome=result.outcome.value)
        return result.model_copy(update={"audit_index": index})

    async def _deny(self, asked: Asked, verdict: Denied) -> ToolResult:
        return await self._stop(asked, results.denied(asked.tool, verdict))

    async def _refuse(self, asked: Asked, refusal: Refusal) -> ToolResult:
        index = await self._trail.decided(asked, "refused", rule=refusal.rule, outcome="refused")
        return results.refused(asked.tool, refusal).model_copy(update={"audit_index": index})


def _asked(principal: Principal, tool: str, arguments: Mapping[str, Any], origin: Origin, now: datetime) -> Asked:
    """A call as it came; of one that cannot be read only why is kept."""
    misfit = problem(arguments)
    kept = {"unfit": misfit} if misfit else arguments
    return Asked(principal, tool_name(tool), kept, origin, now, misfit=misfit)
