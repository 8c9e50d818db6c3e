"""A model as planner, against a local server that speaks the OpenAI protocol and also misbehaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse

from matpho_agent.assistant import Assistant, open_assistant
from matpho_agent.planner.model_settings import AssistantSettings, ModelSettings
from matpho_contracts.events import Event
from matpho_platform.access.principal import Principal, Role
from matpho_platform.center import Center
from matpho_tools.gateway import Gateway

Who = Callable[..., Principal]
QUESTION = "tối qua có vụ đánh nhau nào không"
YESTERDAY = {"time_from": "2026-11-20T18:00:00+07:00", "time_to": "2026-11-20T22:00:00+07:00"}


class FakeModel:
    """Answers each request with the next script: text, tool calls, a broken call, a cut stream, silence or an error."""

    def __init__(self) -> None:
        self.scripts: list[Any] = []
        self.asked: list[dict[str, Any]] = []
        self.app = FastAPI()
        self.app.post("/v1/chat/completions", response_model=None)(self.complete)

    async def complete(self, request: Request) -> StreamingResponse | JSONResponse:
        body = await request.json()
        self.asked.append(body)
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        if script == "error":
            return JSONResponse({"error": {"message": "out of memory"}}, status_code=500)
        if script == "silence":
            await asyncio.sleep(6)
        return StreamingResponse(self._stream(script), media_type="text/event-stream")

    async def _stream(self, script: Any) -> AsyncIterator[bytes]:
        if isinstance(script, str):
            for piece in (script[:5], script[5:]):
                yield self._chunk({"role": "assistant", "content": piece})
            yield self._chunk({}, "stop")
        else:
            for index, (name, arguments) in enumerate(script):
                text = arguments if isinstance(arguments, str) else json.dumps(arguments)
                call = {
                    "index": index,
                    "id": f"c{index}",
                    "type": "function",
                    "function": {"name": name, "arguments": ""},
                }
                yield self._chunk({"role": "assistant", "content": None, "tool_calls": [call]})
                for piece in (text[: len(text) // 2], text[len(text) // 2 :]):
                    yield self._chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
            yield self._chunk({}, "tool_calls")
        yield b"data: [DONE]\n\n"

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        document = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "fake", "choices": [choice]}
        return b"data: " + json.dumps(document).encode() + b"\n\n"


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
async def talker(center: Center, model: FakeModel) -> AsyncIterator[Assistant]:
    server = uvicorn.Server(uvicorn.Config(model.app, host="127.0.0.1", port=0, log_level="error"))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 # uvicorn offers no event to wait for
        await asyncio.sleep(0.02)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    settings = AssistantSettings(memory="process", model=ModelSettings(base_url=address, name="fake", timeout_s=4))
    async with AsyncExitStack() as stack:
        yield await open_assistant(Gateway(center), settings, stack)
    server.should_exit = True
    await running


async def test_its_streamed_calls_run_like_the_rules_own(
    talker: Assistant, model: FakeModel, who: Who, present: datetime, events: dict[str, Event]
) -> None:
    model.scripts = [[("search_events", {"event_types": ["fight"], "areas": ["Hải Châu"], **YESTERDAY})], "xong"]
    turn = await talker.turn(who(Role.OFFICER), "m1", QUESTION, now=present)
    assert (turn.planner, turn.outcome) == ("model", "answered")
    assert turn.tool_calls[0]["arguments"]["areas"] == ["DN-HC"]
    assert turn.result_ids == (events["fight"].id,)
    assert "xong" not in turn.answer


async def test_it_never_learns_who_asks_nor_reads_captions(
    talker: Assistant, model: FakeModel, who: Who, present: datetime
) -> None:
    model.scripts = [[("search_events", {"event_types": ["fight"]})], "xong"]
    await talker.turn(who(Role.OFFICER), "m2", QUESTION, now=present)
    sent = json.dumps(model.asked, ensure_ascii=False)
    assert "u-officer" not in sent
    assert "Người officer" not in sent
    assert "fight tại Chợ Cồn" not in sent
    assert "HC-01" not in json.dumps(model.asked[0]["messages"])


async def test_its_wish_is_judged_by_the_same_policy(
    talker: Assistant, model: FakeModel, who: Who, present: datetime
) -> None:
    model.scripts = [[("search_events", {"areas": ["DN-ST"]})]]
    assert (await talker.turn(who(Role.OFFICER), "m3", QUESTION, now=present)).outcome == "denied"
    citizen = await talker.turn(who(Role.CITIZEN), "m3", QUESTION, now=present)
    assert (citizen.outcome, citizen.result_ids) == ("denied", ())


async def test_an_act_that_nobody_asked_for_is_not_even_proposed(
    talker: Assistant, model: FakeModel, who: Who, present: datetime, center: Center
) -> None:
    model.scripts = [[("move_camera", {"camera_id": "HC-01", "pan": 20})]]
    turn = await talker.turn(who(Role.OFFICER), "m8", QUESTION, now=present)
    assert (turn.outcome, turn.planner, turn.proposal) == ("answered", "rules", None)
    assert "do not ask for" in turn.note
    asked = await talker.turn(who(Role.OFFICER), "m8", "xoay cam HC-01 qua phải 20 độ", now=present)
    assert (asked.outcome, asked.planner) == ("confirm", "model")


BAD: list[Any] = [
    "error",
    "silence",
    [("search_events", '{"event_types": ["fi')],
    [("delete_everything", {})],
    [("event_still", {"event_id": "x"})],
    [("search_events", {"event_types": ["no such type"]})],
    [("search_events", {"areas": ["a place that is nowhere"]})],
    [("search_events", {"limit": 10**9})],
    [("search_events", {})] * 9,
]


@pytest.mark.parametrize("script", BAD, ids=[str(script)[:40] for script in BAD])
async def test_when_it_fails_the_rules_take_over_and_say_so(
    talker: Assistant,
    model: FakeModel,
    who: Who,
    present: datetime,
    events: dict[str, Event],
    script: Any,
) -> None:
    model.scripts = [script]
    turn = await talker.turn(who(Role.OFFICER), "m4", QUESTION, now=present)
    assert (turn.planner, turn.outcome) == ("rules", "answered")
    assert turn.result_ids == (events["fight"].id,)
    assert "bộ lập kế hoạch theo luật" in turn.answer


async def test_endless_calls_come_to_an_end(talker: Assistant, model: FakeModel, who: Who, present: datetime) -> None:
    model.scripts = [[("list_cameras", {})]]
    turn = await talker.turn(who(Role.OFFICER), "m5", "danh sách camera", now=present)
    assert turn.outcome == "answered"
    assert len(turn.tool_calls) <= 8


async def test_it_may_ask_for_a_missing_piece_and_may_just_talk(
    talker: Assistant, model: FakeModel, who: Who, present: datetime
) -> None:
    model.scripts = [[("ask_user", {"missing": "camera_id"})]]
    asked = await talker.turn(who(Role.OFFICER), "m6", "cho xem cam", now=present)
    assert (asked.outcome, asked.missing) == ("clarify", "camera_id")
    model.scripts = ["Chào anh, tôi giúp được gì?"]
    talk = await talker.turn(who(Role.OFFICER), "m6", "chào em", now=present)
    assert (talk.outcome, talk.tool_calls) == ("answered", ())
    assert "Chào anh" in talk.answer


async def test_a_refusal_never_reaches_it(talker: Assistant, model: FakeModel, who: Who, present: datetime) -> None:
    model.scripts = ["xong"]
    turn = await talker.turn(who(Role.OFFICER), "m7", "tìm người này bằng ảnh khuôn mặt", now=present)
    assert turn.outcome == "refused"
    assert model.asked == []
