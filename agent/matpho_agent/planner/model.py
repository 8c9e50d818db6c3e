"""The deterministic planner as a LangChain chat model: the same messages in, the same tool calls out, no model inside.

It is called like any chat model that has tools bound. Each call answers the next wish of the user's last sentence with
tool calls, and an empty message when all are done. Two control calls are no tools of the gateway: `ask_user` (a piece
is missing) and `talk` (a greeting, help, something this installation cannot do).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

from matpho_agent.planner.clauses import clauses
from matpho_agent.planner.dialogue import take_step
from matpho_agent.planner.lookups import LOOKUP, Found, read_found
from matpho_agent.planner.plan import Memory
from matpho_agent.planner.situation import Situation
from matpho_agent.planner.step import Step

ASK_USER = "ask_user"
TALK = "talk"
MAX_LOOKUPS = 3
"""Lookups of one wish."""


class DeterministicPlanner(BaseChatModel):
    """Plans by rules. `situation` and `memory` come with each call as keyword arguments, from the runtime."""

    tools: list[dict[str, Any]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "matpho-rules"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The same planner, knowing which tools there are."""
        return self.model_copy(update={"tools": [convert_to_openai_tool(tool) for tool in tools]})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        message = AIMessage(content="", tool_calls=_calls(messages, kwargs["situation"], kwargs["memory"]))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for index, call in enumerate(_calls(messages, kwargs["situation"], kwargs["memory"])):
            chunk = tool_call_chunk(
                name=call["name"], args=json.dumps(call["args"], ensure_ascii=False), id=call["id"], index=index
            )
            yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[chunk]))
        yield ChatGenerationChunk(message=AIMessageChunk(content="", chunk_position="last"))


def _calls(messages: Sequence[BaseMessage], situation: Situation, memory: Memory) -> list[dict[str, Any]]:
    """The calls for the first wish of the last sentence that no message has answered yet; lookups answer none."""
    start = max((i for i, message in enumerate(messages) if isinstance(message, HumanMessage)), default=None)
    if start is None:
        return []
    wishes = clauses(str(messages[start].content))
    since = messages[start + 1 :]
    planned = [message for message in since if isinstance(message, AIMessage)]
    done = sum(not _looks_up(message) for message in planned)
    if done >= len(wishes):
        return []
    found = _found(since)
    step = take_step(wishes[done], situation, memory, found)
    if step.lookup and len(found) >= MAX_LOOKUPS:
        return []
    name, arguments = _call(step)
    number = f"{LOOKUP}{done + 1}_{len(found) + 1}" if step.lookup else f"call_{done + 1}"
    return [{"name": name, "args": arguments, "id": number, "type": "tool_call"}]


def _looks_up(message: AIMessage) -> bool:
    return bool(message.tool_calls) and all(str(call["id"]).startswith(LOOKUP) for call in message.tool_calls)


def _found(since: Sequence[BaseMessage]) -> list[Found]:
    """What the lookups of the wish in hand have brought: those behind the last call that was none."""
    found: list[Found] = []
    for message in since:
        if isinstance(message, AIMessage) and not _looks_up(message):
            found = []
        elif isinstance(message, ToolMessage) and message.tool_call_id.startswith(LOOKUP):
            found.append(read_found(message.name or "", str(message.content)))
    return found


def _call(step: Step) -> tuple[str, dict[str, Any]]:
    if step.ask is not None:
        plan = step.ask.plan.model_dump(mode="json", exclude_defaults=True)
        return ASK_USER, {"missing": step.ask.missing, "options": step.ask.options, "plan": plan}
    if step.talk:
        return TALK, {"topic": step.talk, "about": step.about}
    return step.tool, step.arguments or {}
