"""The web chat: one sentence in, server-sent events out. The conversation lives on the server.

Events, each with JSON data: `conversation` {conversation_id}; `step` {step, tool}; `token` {text}; `result` {hits,
media, tables, proposal}; `done` {outcome, rule, missing, tool_calls, result_ids, language, planner, milliseconds}. A
client that goes away stops the turn. A client sends its sentence and nothing else: no history, no system message, no
principal, no yes in any other form than the person's own words.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, StringConstraints

from matpho_agent.assistant import Assistant
from matpho_agent.language.tokens import MAX_TEXT_CHARS
from matpho_agent.turn import Turn
from matpho_contracts.ids import ShortId
from matpho_platform.access.watching import ending_with_session
from matpho_platform.web.session import CurrentPrincipal, TheCenter
from matpho_tools.registry import openai_schemas

CHANNEL = "web"
PAGES = Path(__file__).parent / "pages"
"""The chat page: static files for `create_app(pages=PAGES)`."""


class Said(BaseModel):
    """What a client may send; any further field is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT_CHARS)]
    conversation_id: ShortId | None = None


class Welcome(BaseModel):
    """What the page shows before the first question."""

    name: str
    role: str
    areas: tuple[str, ...]
    help: str
    prompts: str
    words: dict[str, str]
    """Names of event types, objects, colours and areas, for what the page shows as codes."""


def chat_router(assistant: Assistant) -> APIRouter:
    """The routes of the web chat."""
    router = APIRouter(prefix="/api/v1/chat", tags=["chat"])

    @router.post("", response_class=EventSourceResponse)
    async def chat(said: Said, principal: CurrentPrincipal, center: TheCenter) -> AsyncIterator[ServerSentEvent]:
        """Answer one sentence as a stream of events; it ends, and the turn with it, when the session does."""
        conversation = said.conversation_id or uuid.uuid4().hex
        yield ServerSentEvent(event="conversation", data={"conversation_id": conversation})
        turn_events = assistant.stream(principal, conversation, said.text, channel=CHANNEL)
        async for event in ending_with_session(turn_events, center.accounts, principal):
            if event["type"] != "final":
                yield ServerSentEvent(event=event["type"], data={k: v for k, v in event.items() if k != "type"})
                continue
            turn: Turn = event["turn"]
            yield ServerSentEvent(event="result", data=_result(turn))
            yield ServerSentEvent(event="done", data=_done(turn))

    @router.get("/welcome")
    async def welcome(principal: CurrentPrincipal, language: Literal["vi", "en"] = "vi") -> Welcome:
        """Who is signed in and what may be asked."""
        prompt = assistant.prompts.get(principal.role.value, language)
        return Welcome(
            name=principal.name,
            role=principal.role.value,
            areas=principal.areas,
            help=prompt.help,
            prompts=assistant.prompts.version,
            words=await assistant.words(language),
        )

    @router.get("/tools")
    async def tools(_principal: CurrentPrincipal) -> list[dict[str, Any]]:
        """Every tool in the form that OpenAI-compatible models take."""
        return openai_schemas()

    @router.post("/{conversation_id}/stop", status_code=204)
    async def stop(conversation_id: ShortId, principal: CurrentPrincipal) -> None:
        """Stop the turn that runs in a conversation of the caller's own; no further call is made."""
        assistant.stop(principal, conversation_id)

    @router.delete("/{conversation_id}", status_code=204)
    async def forget(conversation_id: ShortId, principal: CurrentPrincipal) -> None:
        """Forget a conversation of the caller's own."""
        await assistant.forget(principal, conversation_id)

    return router


def _result(turn: Turn) -> dict[str, Any]:
    return {"hits": turn.hits, "media": turn.media, "tables": turn.tables, "proposal": turn.proposal}


def _done(turn: Turn) -> dict[str, Any]:
    return turn.model_dump(mode="json", exclude={"hits", "media", "tables", "answer", "proposal"})
