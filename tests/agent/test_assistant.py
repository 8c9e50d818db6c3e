"""Whole turns against a real center: talk that goes on, questions back, denials, refusals, several wishes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

import aiosqlite
import pytest

from matpho_agent.assistant import Assistant, open_assistant
from matpho_agent.planner.model_settings import AssistantSettings
from matpho_contracts.errors import BadInputError
from matpho_contracts.events import Event
from matpho_platform.access.principal import Principal, Role
from matpho_platform.center import Center
from matpho_tools.gateway import Gateway

Who = Callable[..., Principal]


class Talk:
    """One conversation of one user."""

    def __init__(self, assistant: Assistant, principal: Principal, now: datetime, name: str = "c1") -> None:
        self.assistant, self.principal, self.now, self.name = assistant, principal, now, name

    async def say(self, text: str):  # type: ignore[no-untyped-def] # a Turn; the tests read its fields
        return await self.assistant.turn(self.principal, self.name, text, now=self.now)


@pytest.fixture
def officer(assistant: Assistant, who: Who, present: datetime) -> Talk:
    return Talk(assistant, who(Role.OFFICER), present)


class TestTalking:
    async def test_a_search_cites_each_event_and_says_how_it_was_read(
        self, officer: Talk, events: dict[str, Event]
    ) -> None:
        turn = await officer.say("tối qua có vụ đánh nhau nào không")
        assert turn.outcome == "answered"
        assert turn.result_ids == (events["fight"].id,)
        assert events["fight"].id in turn.answer
        assert "HC-02" in turn.answer
        assert "18:00–22:00, 20/11/2026" in turn.answer
        assert turn.hits[0]["thumbnail"]

    async def test_what_follows_is_read_against_what_was_said(self, officer: Talk, events: dict[str, Event]) -> None:
        first = await officer.say("hôm qua có xe nào vượt đèn đỏ ở chợ cồn không")
        assert set(first.result_ids) == {events["red"].id, events["grey"].id}
        red = await officer.say("chỉ xe màu đỏ thôi")
        assert red.result_ids == (events["red"].id,)
        assert red.tool_calls[0]["arguments"]["event_types"] == ["red_light"]
        today = await officer.say("còn hôm nay thì sao")
        assert today.result_ids == ()
        assert "Không có kết quả" in today.answer

    async def test_pointing_at_results(self, officer: Talk, events: dict[str, Event]) -> None:
        await officer.say("xe vượt đèn đỏ hôm qua")
        second = await officer.say("chi tiết cái thứ hai")
        assert second.result_ids == (events["red"].id,)
        assert "43A-678.90" in second.answer
        assert "hợp lệ" in second.answer
        which = await officer.say("cho xem cam này")
        assert which.tool_calls[0] == {"name": "get_snapshot", "arguments": {"camera_id": "HC-01"}}
        assert which.outcome == "failed"

    async def test_only_the_missing_piece_is_asked_for(self, officer: Talk) -> None:
        asked = await officer.say("tình trạng cam chợ cồn")
        assert (asked.outcome, asked.missing, asked.tool_calls) == ("clarify", "camera_id", ())
        assert "HC-01" in asked.answer
        answered = await officer.say("cổng sau")
        assert answered.tool_calls == ({"name": "camera_status", "arguments": {"camera_id": "HC-02"}},)
        assert answered.outcome == "answered"

    async def test_two_wishes_in_one_sentence(self, officer: Talk, events: dict[str, Event]) -> None:
        turn = await officer.say("tìm xe tải đổ rác hôm qua rồi cho xem chi tiết cái đầu tiên")
        assert [call["name"] for call in turn.tool_calls] == ["search_events", "get_event"]
        assert turn.tool_calls[1]["arguments"] == {"event_id": events["dump"].id}

    async def test_english_is_answered_in_english(self, officer: Talk) -> None:
        turn = await officer.say("any fights in my area last night?")
        assert turn.language == "en"
        assert "found" in turn.answer

    async def test_small_talk_calls_nothing(self, officer: Talk) -> None:
        for said in ("chào em", "em làm được những gì", "cảm ơn nhé"):
            turn = await officer.say(said)
            assert (turn.outcome, turn.tool_calls) == ("answered", ())

    async def test_a_refusal_names_what_is_allowed_instead(self, officer: Talk) -> None:
        turn = await officer.say("dùng ảnh khuôn mặt này tìm xem anh ta ở đâu")
        assert (turn.outcome, turn.rule, turn.tool_calls) == ("refused", "person_by_face", ())
        assert "Tôi có thể tìm theo" in turn.answer

    async def test_after_a_refusal_a_fair_question_about_the_place_works(self, officer: Talk) -> None:
        refused = await officer.say("lập danh sách những người tham gia buổi tụ tập ở chợ cồn cổng sau tối qua")
        assert refused.outcome == "refused"
        fair = await officer.say("vậy ở đó tối qua có đám đông nào không")
        assert fair.tool_calls[0]["arguments"]["camera_ids"] == ["HC-02"]

    async def test_another_area_is_denied(self, officer: Talk) -> None:
        turn = await officer.say("hôm qua có đánh nhau ở Sơn Trà không")
        assert (turn.outcome, turn.rule) == ("denied", "area")

    async def test_a_citizen_is_denied_before_being_asked_anything(
        self, assistant: Assistant, who: Who, present: datetime
    ) -> None:
        citizen = Talk(assistant, who(Role.CITIZEN), present)
        assert (await citizen.say("tuần này có mấy vụ va chạm")).outcome == "answered"
        assert (await citizen.say("cho tôi xem video đó")).outcome == "denied"
        assert (await citizen.say("xoay cam HC-01 sang trái")).outcome == "denied"

    async def test_nobody_is_asked_which_way_to_turn_a_camera_that_is_fixed(self, officer: Talk) -> None:
        turn = await officer.say("xoay cam HC-02 sang trái")
        assert (turn.outcome, turn.rule) == ("denied", "not_ptz")
        assert (await officer.say("xoay cam HC-01 sang trái")).missing == "pan"

    async def test_a_leader_reads_figures_without_plates(
        self, assistant: Assistant, who: Who, present: datetime
    ) -> None:
        leader = Talk(assistant, who(Role.LEADER), present)
        turn = await leader.say("hôm qua có xe nào vượt đèn đỏ không")
        assert "43A" not in turn.model_dump_json()

    async def test_a_conversation_is_bound_to_its_user(
        self, assistant: Assistant, who: Who, present: datetime, officer: Talk
    ) -> None:
        await officer.say("xe vượt đèn đỏ hôm qua")
        other = Principal("u-other", "Người khác", Role.OFFICER, ("DN-HC",))
        turn = await Talk(assistant, other, present, "c1").say("chi tiết cái thứ hai")
        assert turn.outcome == "clarify"

    @pytest.mark.parametrize("name", ["", "../x", "a" * 65, "c 1"])
    async def test_a_bad_conversation_id_is_refused(
        self, assistant: Assistant, who: Who, present: datetime, name: str
    ) -> None:
        with pytest.raises(BadInputError):
            await Talk(assistant, who(Role.OFFICER), present, name).say("hôm qua")


class TestStreaming:
    async def test_steps_then_words_then_the_turn(self, assistant: Assistant, who: Who, present: datetime) -> None:
        kinds, words = [], ""
        async for event in assistant.stream(who(Role.OFFICER), "s1", "tối qua có đánh nhau không", now=present):
            kinds.append(event["type"])
            words += event.get("text", "")
        assert kinds[0] == "step"
        assert kinds[-1] == "final"
        assert "token" in kinds
        assert words == event["turn"].answer

    async def test_a_closed_stream_makes_no_further_call(
        self, assistant: Assistant, who: Who, present: datetime, center: Center
    ) -> None:
        stream = assistant.stream(who(Role.OFFICER), "s2", "tối qua có đánh nhau không", now=present)
        await anext(stream)
        await stream.aclose()
        assert (await center.audit.search(action="search_events")).total == 0


class TestMemory:
    async def test_it_outlives_the_process_and_keeps_one_checkpoint(
        self, center: Center, who: Who, present: datetime, tmp_path: Path, events: dict[str, Event]
    ) -> None:
        settings = AssistantSettings(memory="sqlite", memory_path=tmp_path / "talks" / "memory.db")
        async with AsyncExitStack() as stack:
            talk = Talk(await open_assistant(Gateway(center), settings, stack), who(Role.OFFICER), present)
            for _ in range(4):
                await talk.say("xe vượt đèn đỏ hôm qua")
        async with AsyncExitStack() as stack:
            talk = Talk(await open_assistant(Gateway(center), settings, stack), who(Role.OFFICER), present)
            turn = await talk.say("chi tiết cái thứ hai")
            assert turn.result_ids == (events["red"].id,)
        assert settings.memory_path is not None
        assert settings.memory_path.stat().st_mode & 0o077 == 0
        async with (
            aiosqlite.connect(settings.memory_path) as database,
            database.execute("SELECT count(*) FROM checkpoints") as rows,
        ):
            assert await rows.fetchone() == (1,)

    async def test_in_the_process_too_one_checkpoint_is_kept(self, assistant: Assistant, officer: Talk) -> None:
        for _ in range(5):
            await officer.say("xe vượt đèn đỏ hôm qua")
        saver = assistant._conversations.saver
        assert sum(len(spaces) for thread in saver.storage.values() for spaces in thread.values()) == 1  # type: ignore[attr-defined] # the in-memory store
        before = len(saver.blobs)  # type: ignore[attr-defined] # as above
        await officer.say("xe vượt đèn đỏ hôm qua")
        assert len(saver.blobs) == before  # type: ignore[attr-defined] # as above


async def test_one_question_for_the_command_line(assistant: Assistant, who: Who, present: datetime) -> None:
    answer = await assistant.ask("tối qua có đánh nhau không", who(Role.COMMANDER), now=present)
    assert set(answer) == {"outcome", "answer", "tool_calls", "result_ids", "ms"}
    assert len(answer["result_ids"]) == 2


class TestAgreedToElsewhere:
    """What a conversation waits for may be agreed to on another page; the talk does not claim that it was dropped."""

    @pytest.mark.parametrize("words", ["không", "camera nào đang mất kết nối?"])
    async def test_other_words_do_not_undo_it(
        self, words: str, officer: Talk, gateway: Gateway, events: dict[str, Event]
    ) -> None:
        await officer.say("tối qua có vụ đánh nhau nào không")
        waiting = await officer.say("mở vụ việc cho nó")
        assert waiting.outcome == "confirm"
        done = await gateway.confirm(officer.principal, waiting.proposal["id"], channel="rest", now=officer.now)
        assert done.ids
        turn = await officer.say(words)
        assert "chưa có gì thay đổi" not in turn.answer
        assert ("không còn chờ" in turn.answer) is (words == "không")

    async def test_a_no_before_drops_it(self, officer: Talk, gateway: Gateway, events: dict[str, Event]) -> None:
        await officer.say("tối qua có vụ đánh nhau nào không")
        waiting = await officer.say("mở vụ việc cho nó")
        turn = await officer.say("không")
        assert "chưa có gì thay đổi" in turn.answer
        late = await gateway.confirm(officer.principal, waiting.proposal["id"], channel="rest", now=officer.now)
        assert late.rule == "proposal_gone"


async def test_a_turn_that_is_stopped_says_so_in_its_stream(officer: Talk, events: dict[str, Event]) -> None:
    said, turn, asked = "", None, "tối qua có vụ đánh nhau nào không"
    async for event in officer.assistant.stream(officer.principal, officer.name, asked, now=officer.now):
        if event["type"] == "step":
            assert officer.assistant.stop(officer.principal, officer.name)
        elif event["type"] == "token":
            said += event["text"]
        elif event["type"] == "final":
            turn = event["turn"]
    assert turn is not None
    assert (turn.outcome, turn.rule) == ("failed", "stopped")
    assert said == turn.answer
    assert "Đã dừng" in said
    assert not officer.assistant.stop(officer.principal, officer.name)
    assert (await officer.say(asked)).outcome == "answered"
