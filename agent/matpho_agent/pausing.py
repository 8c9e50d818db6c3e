"""The pause before an act: the proposal is shown, the graph is interrupted, and the person's next words decide.

The words are read by rules, never by a language model. What runs after a yes is what the center kept, not what a client
or a model says at that moment.
"""

from __future__ import annotations

from collections.abc import Callable

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from matpho_agent.answers.calls import Done
from matpho_agent.answers.facts import pick
from matpho_agent.planner.clauses import clauses
from matpho_agent.planner.plan import Memory, Proposal
from matpho_agent.planner.replies import read_reply
from matpho_agent.remember import remember
from matpho_agent.seen import is_lookup
from matpho_agent.turn import State, TurnContext, end_of, memory_of
from matpho_contracts.times import from_rfc3339
from matpho_tools.contract import Outcome, ToolResult
from matpho_tools.gateway import STEP_UP, Gateway
from matpho_tools.trail import Origin


class Pausing:
    """The two nodes around a pause."""

    def __init__(self, gateway: Gateway, origin: Callable[[TurnContext], Origin]) -> None:
        self._gateway = gateway
        self._origin = origin

    def wait(self, result: ToolResult, context: TurnContext, memory: Memory) -> None:
        """Remember a proposal, and what the sentence asked for besides it."""
        shown = result.data["proposal"]
        memory.proposal = Proposal(
            id=shown["id"],
            tool=shown["tool"],
            arguments=shown["arguments"],
            expires=from_rfc3339(shown["expires_at"]),
        )
        memory.rest = _rest(context, memory.rest)

    async def pause(self, state: State) -> State:
        """Stop here until the person speaks again; the interrupt carries the proposal's id, the resume their words."""
        said = interrupt({"proposal": (state.get("memory") or {}).get("proposal", {}).get("id", "")})
        return {"text": str(said)}

    async def drop(self, context: TurnContext, memory: Memory) -> bool:
        """Forget the waiting proposal; whether it still waited (it may have been agreed to elsewhere)."""
        waiting, memory.proposal, memory.rest = memory.proposal, None, ""
        if waiting is None:
            return False
        return await self._gateway.cancel(context.principal, waiting.id, channel=context.channel)

    async def reply(self, state: State, runtime: Runtime[TurnContext]) -> State:
        """Yes runs it, no forgets it, a correction proposes it anew; other words drop it and are planned as ever."""
        context, memory = runtime.context, memory_of(state)
        record, proposal = context.record, memory.proposal
        if proposal is None:
            return {"calls": []}
        answer = read_reply(state["text"], memory, context.situation)
        text, calls = state["text"], []
        if answer.kind == "yes":
            text = await self._agreed(proposal, text, runtime, memory)
        elif answer.kind == "no":
            dropped = await self.drop(context, memory)
            memory.pending = None
            record.finished = True
            record.said = _cancelled(memory.language) if dropped else _gone(memory.language)
        elif answer.kind == "edit":
            rest = memory.rest
            await self.drop(context, memory)
            memory.rest = rest
            changed = {
                name: value for name, value in {**proposal.arguments, **answer.changes}.items() if value is not None
            }
            calls = [{"name": proposal.tool, "args": changed, "id": "edit_1"}]
        else:
            if await self.drop(context, memory):
                record.notices.append(_dropped(memory.language))
            if answer.rest:
                text = answer.rest
                record.messages = [*record.messages[:-1], HumanMessage(text)]
        return {"memory": memory.model_dump(mode="json"), "calls": calls, "text": text}

    async def _agreed(self, proposal: Proposal, text: str, runtime: Runtime[TurnContext], memory: Memory) -> str:
        """Run what was agreed to; returns the text to plan next, which is what the earlier sentence still asked for."""
        context = runtime.context
        record, origin = context.record, self._origin(context)
        runtime.stream_writer({"type": "step", "step": "tool", "tool": proposal.tool})
        result = await self._gateway.confirm(
            context.principal,
            proposal.id,
            channel=origin.channel,
            conversation_id=origin.conversation_id,
            prompts=origin.prompts,
            now=context.now,
        )
        done = Done(proposal.tool, proposal.arguments, result)
        record.done.append(done)
        record.calls.append({"name": proposal.tool, "arguments": dict(proposal.arguments)})
        if result.rule == STEP_UP:  # it waits on: the second factor, then the same yes again
            record.outcome, record.rule, record.finished = end_of(result), result.rule, True
            return text
        rest, memory.proposal, memory.rest = memory.rest, None, ""
        remember(memory, done)
        if result.outcome is Outcome.ANSWERED and rest:
            record.messages = [*record.messages[:-1], HumanMessage(rest)]
            return rest
        record.outcome, record.rule, record.finished = end_of(result), result.rule, True
        return text


def _cancelled(language: str) -> str:
    return pick(language, "Đã hủy, chưa có gì thay đổi.", "Cancelled; nothing was changed.")


def _gone(language: str) -> str:
    return pick(
        language,
        "Việc này không còn chờ xác nhận: đã được đồng ý hoặc hủy ở nơi khác, hoặc quá 15 phút.",
        "This no longer waits: it was agreed to or cancelled elsewhere, or is older than 15 minutes.",
    )


def _dropped(language: str) -> str:
    return pick(
        language,
        "(Việc đang chờ xác nhận đã được bỏ, chưa có gì thay đổi.)",
        "(What waited for your yes was dropped; nothing was changed.)",
    )


def _rest(context: TurnContext, before: str) -> str:
    """The wishes of the sentence that wait behind this act; `before` where no message of this turn planned it."""
    messages = context.record.messages
    said = next((str(message.content) for message in reversed(messages) if isinstance(message, HumanMessage)), "")
    calls = [message.tool_calls for message in messages if isinstance(message, AIMessage) and message.tool_calls]
    mine = [planned for planned in calls if not all(is_lookup(call) for call in planned)]
    return "; ".join(clauses(said)[len(mine) :]) if mine else before
