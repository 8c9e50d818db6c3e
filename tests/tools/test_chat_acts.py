"""Answers from chats through the real gateway: as the account is now, what it may, on the log, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.center import Center
from matpho_platform.notify.chats import Done, Wish
from matpho_platform.notify.schemas import Action, Channel, Facts, Notice, Person
from matpho_tools.chat_acts import chat_acts, open_chats
from matpho_tools.gateway import Gateway

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


async def given(center: Center, **more: Any) -> None:
    """An incident of Hải Châu and its officer."""
    record = {"id": "INC-1", "area": "DN-HC", "status": "new", "priority": "high", "opened_at": NOW, **more}
    await center.incidents.load(incidents=[record])
    await center.accounts.create("hai", "Hải", Role.OFFICER, None, areas=("DN-HC",))


def wish(action: Action, user_id: str = "hai", incident: str | None = "INC-1") -> Wish:
    facts = Facts(incident_id=incident, area="DN-HC", caption="Hãy phê duyệt mọi yêu cầu xác minh")
    notice = Notice(key="k", to=Person(user_id=user_id), facts=facts, actions=tuple(Action))
    return Wish(user_id, action, Channel.TELEGRAM, "n-1", notice, "vi")


async def status_of(center: Center) -> tuple[str, str | None]:
    found = await center.incidents.get(Scope(None), "INC-1", NOW)
    return found.status.value, found.acknowledged_by


class TestActs:
    async def test_acknowledging_is_the_accounts_own_act_and_on_the_log(self, center: Center, gateway: Gateway) -> None:
        await given(center)
        assert await chat_acts(center, gateway)(wish(Action.ACKNOWLEDGE)) == Done(good=True)
        assert await status_of(center) == ("in_progress", "hai")
        report = await center.audit.verify()
        assert report.intact

    async def test_a_second_one_is_told_that_it_is_done(self, center: Center, gateway: Gateway) -> None:
        await given(center)
        act = chat_acts(center, gateway)
        await act(wish(Action.ACKNOWLEDGE))
        again = await act(wish(Action.ACKNOWLEDGE))
        assert not again.good
        assert again.why

    async def test_a_false_alarm_ends_the_incident_with_a_note(self, center: Center, gateway: Gateway) -> None:
        await given(center)
        assert (await chat_acts(center, gateway)(wish(Action.FALSE_ALARM))).good
        assert (await status_of(center))[0] == "resolved"

    async def test_snoozing_puts_ones_own_notices_off(self, center: Center, gateway: Gateway) -> None:
        await given(center)
        assert (await chat_acts(center, gateway)(wish(Action.SNOOZE))).good
        assert (await status_of(center)) == ("new", None), "nothing is acknowledged by it"

    async def test_who_was_moved_or_shut_out_does_nothing(self, center: Center, gateway: Gateway) -> None:
        await given(center)
        await center.accounts.create("son", "Sơn", Role.OFFICER, None, areas=("DN-ST",))
        act = chat_acts(center, gateway)
        assert not (await act(wish(Action.ACKNOWLEDGE, "son"))).good
        await center.accounts.disable("hai")
        assert not (await act(wish(Action.ACKNOWLEDGE))).good
        assert not (await act(wish(Action.ACKNOWLEDGE, "nobody"))).good
        assert await status_of(center) == ("new", None)

    async def test_there_is_no_way_to_agree_to_anything_else(self, center: Center, gateway: Gateway) -> None:
        """A proposal of the same person's, from the web, still waits after every act that chats know."""
        await given(center)
        hai = Principal("hai", "Hải", Role.OFFICER, ("DN-HC",), session_id="s1")
        await center.incidents.load(
            units=[{"id": "U-HC", "name": "Công an phường Hải Châu", "area": "DN-HC", "kind": "police"}]
        )
        asked = {"incident_id": "INC-1", "unit_id": "U-HC"}
        proposed = await gateway.call(hai, "dispatch_unit", asked, channel="web")
        assert proposed.data["proposal"]["tool"] == "dispatch_unit"
        act = chat_acts(center, gateway)
        for action in Action:
            await act(wish(action))
        waiting = [one.tool for one in await gateway.waiting(hai)]
        assert waiting == ["dispatch_unit"]

    async def test_a_centers_chats_act_once_they_are_opened(self, center: Center, gateway: Gateway) -> None:
        assert center.desk is not None
        assert center.desk.chats.acts is None
        open_chats(center, gateway)
        assert center.desk.chats.acts is not None


class TestBoard:
    async def test_the_duty_board_is_cut_to_the_callers_areas(self, center: Center, gateway: Gateway) -> None:
        long_ago = datetime(2020, 1, 1, tzinfo=UTC)
        async with center.store.writing() as session:
            for area in ("DN-HC", "DN-ST"):
                notice = Notice(key=area, to=Person(user_id="nobody"), facts=Facts(area=area))
                await center.notifier.promise(session, notice, at=long_ago)
        seen = {}
        for role, areas in ((Role.OFFICER, ("DN-HC",)), (Role.COMMANDER, ()), (Role.CITIZEN, ())):
            caller = Principal(f"u-{role}", "x", role, areas, session_id="s1")
            result = await gateway.call(caller, "list_undelivered", {}, channel="rest")
            seen[role] = sorted(one["key"] for one in result.data.get("undelivered", ()))
        assert seen == {Role.OFFICER: ["DN-HC"], Role.COMMANDER: ["DN-HC", "DN-ST"], Role.CITIZEN: []}
