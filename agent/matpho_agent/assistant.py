"""The assistant as channels use it: a turn in, an answer with its citations out; or the same as a stream."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any, cast
from weakref import WeakValueDictionary

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from matpho_agent.answers.facts import vocabulary
from matpho_agent.conversations import (
    MAX_CONVERSATION_ID,
    Conversations,
    UnreadableConversationError,
    open_conversations,
    thread_of,
)
from matpho_agent.graph import TurnGraph
from matpho_agent.language.detect import language_of
from matpho_agent.language.places import Place, PlaceIndex
from matpho_agent.language.tokens import MAX_TEXT_CHARS
from matpho_agent.planner.llm import open_model
from matpho_agent.planner.model_settings import AssistantSettings
from matpho_agent.planner.situation import Situation
from matpho_agent.turn import Record, State, Turn, TurnContext, memory_of
from matpho_contracts.errors import BadInputError, MatphoError
from matpho_contracts.ids import is_short_id
from matpho_contracts.times import now as present
from matpho_platform.access.principal import Principal
from matpho_prompts.library import PromptLibrary, shipped
from matpho_tools.city import City
from matpho_tools.gateway import Gateway
from matpho_tools.registry import EXPOSED

log = logging.getLogger(__name__)
SNAPSHOTS_SHOWN = 3
QUICK_CAMERAS = 1500
"""Up to so many cameras the index over their names is made at once; above, in a thread beside the loop."""


class Assistant:
    """One for a center; safe for many conversations at once, one turn at a time in each."""

    def __init__(
        self,
        gateway: Gateway,
        conversations: Conversations,
        settings: AssistantSettings,
        prompts: PromptLibrary,
        model: BaseChatModel | None = None,
    ) -> None:
        self._gateway = gateway
        self._conversations = conversations
        self._settings = settings
        self.prompts = prompts
        self._graph = TurnGraph(gateway, settings, prompts, model).compile(conversations.saver)
        self._places: tuple[City, PlaceIndex] | None = None
        self._making: asyncio.Task[None] | None = None
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._running: dict[str, tuple[asyncio.Timeout, Record]] = {}

    async def turn(
        self,
        principal: Principal,
        conversation_id: str,
        text: str,
        *,
        now: datetime | None = None,
        channel: str = "chat",
    ) -> Turn:
        """Answer one sentence. Raises BadInputError for an empty text or a bad conversation id."""
        final: Turn | None = None
        async for event in self.stream(principal, conversation_id, text, now=now, channel=channel):
            if event["type"] == "final":
                final = event["turn"]
        if final is None:
            raise RuntimeError("a stream ends with its final turn")
        return final

    async def stream(
        self,
        principal: Principal,
        conversation_id: str,
        text: str,
        *,
        now: datetime | None = None,
        channel: str = "chat",
    ) -> AsyncIterator[dict[str, Any]]:
        """The turn as it goes: `step` (what is being done), `token` (a piece of the answer), `final` (the Turn).

        Closing the iterator stops the turn: no further call is made.
        """
        _check(conversation_id, text)
        thread = thread_of(principal.user_id, conversation_id)
        lock = self._locks.setdefault(thread, asyncio.Lock())
        started = time.perf_counter()
        async with lock:
            record = Record()
            try:
                async with asyncio.timeout(self._settings.turn_seconds) as limit:
                    self._running[thread] = limit, record
                    context = await self._context(principal, conversation_id, now or present(), channel, record)
                    async for event in self._events(thread, text, context):
                        yield event
            except UnreadableConversationError:
                log.exception("a stored conversation cannot be read")
                record.break_off(UnreadableConversationError.code, _begun_anew(language_of(text)))
                await self._conversations.delete(principal.user_id, conversation_id)
            except (MatphoError, TimeoutError) as error:
                log.warning("turn not completed", extra={"error": type(error).__name__})
                language = record.language or language_of(text)
                rule = getattr(error, "code", "stopped" if record.stopped else "timeout")
                record.break_off(rule, _stopped(language) if record.stopped else _apology(language))
            except Exception:  # a fault of ours: never the channel's end, and the conversation stays as it was
                log.exception("a turn failed in a way it does not know")
                record.break_off("internal", _apology(record.language or language_of(text)))
            finally:
                self._running.pop(thread, None)
            if record.broken:  # nothing of the answer was sent on
                yield {"type": "token", "text": record.answer}
            await self._conversations.forget_old(thread)
        spent = (time.perf_counter() - started) * 1000
        yield {"type": "final", "turn": _turn(record, text, conversation_id, spent)}

    def stop(self, principal: Principal, conversation_id: str) -> bool:
        """Stop the turn that runs in a conversation of this user; whether one ran."""
        running = self._running.get(thread_of(principal.user_id, conversation_id))
        if running is None:
            return False
        limit, record = running
        record.stopped = True
        limit.reschedule(asyncio.get_running_loop().time())
        return True

    async def ask(self, text: str, principal: Principal, *, now: datetime | None = None) -> dict[str, Any]:
        """One question without a conversation, as `matpho ask` prints it."""
        turn = await self.turn(principal, uuid.uuid4().hex, text, now=now, channel="ask")
        return {
            "outcome": turn.outcome,
            "answer": turn.answer,
            "tool_calls": list(turn.tool_calls),
            "result_ids": list(turn.result_ids),
            "ms": round(turn.milliseconds, 1),
        }

    async def forget(self, principal: Principal, conversation_id: str) -> None:
        """Forget a conversation of this user."""
        _check(conversation_id, "-")
        await self._conversations.delete(principal.user_id, conversation_id)

    async def words(self, language: str) -> dict[str, str]:
        """The names of everything that results carry as codes: types, objects, colours, areas."""
        city = await self._gateway.city()
        return {**vocabulary(language), **{area.code: area.name for area in city.areas}}

    async def _events(self, thread: str, text: str, context: TurnContext) -> AsyncIterator[dict[str, Any]]:
        config: RunnableConfig = {"configurable": {"thread_id": thread}, "recursion_limit": 60}
        fresh: State = {"text": text}
        paused = await self._paused(config)
        stream = self._graph.astream(
            Command(resume=text) if paused else fresh,
            config,
            context=context,
            stream_mode="custom",
            durability="exit",
        )
        async for event in stream:
            yield dict(event)

    async def _paused(self, config: RunnableConfig) -> bool:
        """Whether the conversation waits for a yes. Raises UnreadableConversationError."""
        try:
            state = await self._graph.aget_state(config)
            memory_of(cast(State, state.values))
        except Exception as error:  # whatever a forged or broken checkpoint does when it is read ends here
            raise UnreadableConversationError("The stored conversation cannot be read.") from error
        return state.next == ("pause",)

    async def _context(
        self, principal: Principal, conversation_id: str, now: datetime, channel: str, record: Record
    ) -> TurnContext:
        city = await self._gateway.city()
        places = await self._index(city)
        tools = frozenset(name for name in EXPOSED if name in self._gateway.tools)
        situation = Situation(
            now,
            places,
            principal.areas,
            tools,
            units=city.units,
            people=city.people,
            codes=dict(city.codes),
            user_id=principal.user_id,
            role=principal.role.value,
        )
        return TurnContext(principal, now, channel, conversation_id, city, places, situation, record)

    async def _index(self, city: City) -> PlaceIndex:
        """The index over the places, made anew only when an area or a camera has changed.

        That of a large registry is made in a thread; until it is ready, talk goes on over the last one.
        """
        known = self._places
        if known is not None and (known[0].areas, known[0].cameras) == (city.areas, city.cameras):
            self._places = (city, known[1])
            return known[1]
        if len(city.cameras) <= QUICK_CAMERAS:
            self._places = (city, place_index(city))
            return self._places[1]
        if self._making is None or self._making.done():
            self._making = asyncio.create_task(self._make(city))
        if known is None:
            await asyncio.shield(self._making)
        return self._places[1] if self._places is not None else place_index(city)

    async def _make(self, city: City) -> None:
        self._places = (city, await asyncio.to_thread(place_index, city))


async def open_assistant(gateway: Gateway, settings: AssistantSettings, stack: AsyncExitStack) -> Assistant:
    """An assistant over a gateway; its store is closed with `stack`. Raises ConfigurationError for bad prompts."""
    model = open_model(settings.model, stack) if settings.model else None
    return Assistant(gateway, await open_conversations(settings, stack), settings, shipped(), model)


def _check(conversation_id: str, text: str) -> None:
    if not is_short_id(conversation_id) or len(conversation_id) > MAX_CONVERSATION_ID:
        raise BadInputError("A conversation id has 1 to 64 letters, digits, dots or dashes.")
    if not text.strip():
        raise BadInputError("There is no question.", action="Write what you want to know.")
    if len(text) > MAX_TEXT_CHARS:
        raise BadInputError(f"A question has at most {MAX_TEXT_CHARS} characters.")


def place_index(city: City) -> PlaceIndex:
    """The names of a registry, ready to be found in sentences."""
    areas = (Place("area", area.code, area.name, area.aliases, area.parent, area.center) for area in city.areas)
    cameras = (
        Place(
            "camera", camera.id, camera.name, camera.aliases, camera.area, camera.location, camera.kind, camera.presets
        )
        for camera in city.cameras
    )
    return PlaceIndex([*areas, *cameras])


def _apology(language: str) -> str:
    if language == "vi":
        return "Không kiểm tra được: hệ thống chưa trả lời kịp. Chưa có gì bị thay đổi, xin thử lại."
    return "Could not check: the system did not answer in time. Nothing was changed; please try again."


def _begun_anew(language: str) -> str:
    if language == "vi":
        return "Không đọc được cuộc trò chuyện đã lưu nên tôi bắt đầu lại. Chưa có gì bị thay đổi, xin hỏi lại."
    return "The stored conversation could not be read, so I begin anew. Nothing was changed; please ask again."


def _stopped(language: str) -> str:
    if language == "vi":
        return "Đã dừng theo yêu cầu. Phần chưa làm sẽ không làm tiếp."
    return "Stopped, as you asked. What was not done will not be done."


def _turn(record: Record, text: str, conversation_id: str, milliseconds: float) -> Turn:
    answered = [done for done in record.done if done.result.data]
    return Turn(
        outcome=record.outcome,
        answer=record.answer,
        language=record.language or language_of(text),
        tool_calls=tuple(record.calls),
        result_ids=tuple(dict.fromkeys(name for done in record.done for name in done.result.ids)),
        hits=tuple(hit for done in answered for hit in done.result.data.get("hits", ())),
        media=tuple(
            {"kind": done.tool.removeprefix("get_"), **done.result.data}
            for done in answered
            if done.tool in {"get_snapshot", "get_clip"}
        )[:SNAPSHOTS_SHOWN],
        tables=tuple(done.result.data for done in answered if done.tool == "event_statistics"),
        proposal=next((done.result.data["proposal"] for done in answered if "proposal" in done.result.data), None),
        missing=record.missing,
        rule=record.rule,
        planner=record.planner,
        note=record.note,
        conversation_id=conversation_id,
        milliseconds=round(milliseconds, 2),
    )
