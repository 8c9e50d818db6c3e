"""A model as planner: any OpenAI-compatible endpoint; what it says is checked like a stranger's words.

Its calls must name a tool that it was shown, its arguments must fit the tool's schema, its place names must resolve in
the registry. Anything else, a timeout or a cut stream is a PlannerFailedError, and the rules take over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import add_ai_message_chunks
from pydantic import ValidationError

from matpho_agent.language.places import PlaceIndex
from matpho_agent.planner.model import ASK_USER
from matpho_agent.planner.model_settings import ModelSettings
from matpho_contracts.errors import UnavailableError
from matpho_tools.registry import EXPOSED, TOOLS, openai_schemas

MAX_CALLS_AT_ONCE = 4
MAX_ANSWER_CHARS = 2000
ASK_SCHEMA: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": ASK_USER,
        "description": "Ask the user for the one missing piece when no tool can be called without it.",
        "parameters": {
            "type": "object",
            "properties": {"missing": {"type": "string"}, "options": {"type": "array", "items": {"type": "string"}}},
            "required": ["missing"],
        },
    },
}


class PlannerFailedError(UnavailableError):
    """The model did not give a usable plan; the deterministic planner takes over."""

    code = "planner_failed"


def open_model(settings: ModelSettings, stack: AsyncExitStack) -> BaseChatModel:
    """A client for the endpoint, closed with `stack`; the library is imported here, so that nobody else needs it."""
    import httpx2
    from langchain_openai import ChatOpenAI

    client = httpx2.AsyncClient(timeout=settings.timeout_s, trust_env=False, follow_redirects=False)
    stack.push_async_callback(client.aclose)
    return ChatOpenAI(
        model=settings.name,
        base_url=settings.base_url,
        api_key=settings.api_key,
        timeout=settings.timeout_s,
        max_retries=1,
        temperature=settings.temperature,
        stream_usage=False,
        http_async_client=client,
    )


async def ask_model(
    model: BaseChatModel, messages: Sequence[BaseMessage], places: PlaceIndex, timeout_s: float
) -> AIMessage:
    """The model's next message with checked tool calls. Raises PlannerFailedError for everything unusable."""
    bound = model.bind_tools([*openai_schemas(), ASK_SCHEMA])
    parts: list[AIMessageChunk] = []
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in bound.astream(list(messages)):
                if isinstance(chunk, AIMessageChunk):
                    parts.append(chunk)
    except TimeoutError as error:
        raise PlannerFailedError("The model did not answer in time.") from error
    except Exception as error:  # whatever a foreign client raises ends here
        raise PlannerFailedError(f"The model failed ({type(error).__name__}).") from error
    if not parts:
        raise PlannerFailedError("The model said nothing.")
    return checked(add_ai_message_chunks(*parts), places)


def checked(message: AIMessage, places: PlaceIndex) -> AIMessage:
    """The message with its calls made safe to run. Raises PlannerFailedError."""
    if message.invalid_tool_calls:
        raise PlannerFailedError("The model wrote a tool call that is no JSON.")
    if len(message.tool_calls) > MAX_CALLS_AT_ONCE:
        raise PlannerFailedError("The model wants too many calls at once.")
    calls = []
    for number, call in enumerate(message.tool_calls, 1):
        name, arguments = call["name"], dict(call["args"])
        if name == ASK_USER:
            kept = {"missing": str(arguments.get("missing", ""))[:64], "options": [], "plan": {}}
            calls.append({"name": name, "args": kept, "id": f"model_{number}", "type": "tool_call"})
            continue
        if name not in EXPOSED:
            raise PlannerFailedError("The model called a tool that does not exist.")
        arguments = with_codes({key: value for key, value in arguments.items() if value not in (None, [], "")}, places)
        try:
            TOOLS[name].arguments.model_validate(arguments)
        except ValidationError as error:
            raise PlannerFailedError("The model's arguments do not fit the tool.") from error
        calls.append({"name": name, "args": arguments, "id": f"model_{number}", "type": "tool_call"})
    text = str(message.content)[:MAX_ANSWER_CHARS] if isinstance(message.content, str) else ""
    return AIMessage(content=text, tool_calls=calls)


def with_codes(arguments: dict[str, Any], places: PlaceIndex) -> dict[str, Any]:
    """Names of areas and cameras as codes and ids; raises PlannerFailedError for a name that the registry lacks."""
    for key, kind in (("areas", "area"), ("camera_ids", "camera")):
        if isinstance(arguments.get(key), list):
            arguments[key] = [code for name in arguments[key] for code in _codes(str(name), kind, places)]
    if isinstance(arguments.get("filter"), dict):
        arguments["filter"] = with_codes(dict(arguments["filter"]), places)
    if isinstance(arguments.get("area"), str):
        areas = _codes(arguments["area"], "area", places)
        if len(areas) != 1:
            raise PlannerFailedError("The model named an area that may be several.")
        arguments["area"] = areas[0]
    if isinstance(arguments.get("camera_id"), str):
        found = _codes(arguments["camera_id"], "camera", places)
        if len(found) != 1:
            raise PlannerFailedError("The model named a camera that may be several.")
        arguments["camera_id"] = found[0]
    return arguments


def _codes(name: str, kind: str, places: PlaceIndex) -> list[str]:
    known = places.area(name) if kind == "area" else places.camera(name)
    found = [known.id] if known else [place.id for place in places.resolve(name) if place.kind == kind]
    if not found:
        raise PlannerFailedError("The model named a place that is not in the registry.")
    return found
