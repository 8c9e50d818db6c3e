"""`move_camera`: asks for what is missing, shows what will run, turns the lens, and keeps lower roles off it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from matpho_contracts.edge_api import CameraHealth, CameraReport, CommandFailure, MoveArguments, StatusReport
from matpho_contracts.signing import SigningKey
from matpho_contracts.times import now
from matpho_platform.access.errors import DeniedError
from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.cameras.edges import EdgeKey
from matpho_platform.cameras.errors import CameraAwayError, CommandFailedError
from matpho_platform.cameras.lenses import HOLD
from matpho_platform.center import Center
from matpho_tools.contract import Call, MissingError, Outcome, Prepared
from matpho_tools.gateway import Gateway
from matpho_tools.move_camera import TOOL, MoveCameraArguments

PTZ = CameraReport(
    id="HC-01", name="Chợ Cồn - cổng chính", area="DN-HC", kind="ptz", presets=("toàn cảnh", "Cổng Ông Ích Khiêm")
)
FIXED = CameraReport(id="HC-02", name="Chợ Cồn - cổng sau", area="DN-HC")
ALL = Scope(None)
Who = Callable[..., Principal]


async def report(center: Center, status: str = "online") -> None:
    health = tuple(
        CameraHealth.model_validate({"id": one.id, "status": status, "since": now(), "fps": 5.0})
        for one in (PTZ, FIXED)
    )
    said = StatusReport(edge_id="box-1", sent_at=now(), cameras=(PTZ, FIXED), health=health)
    await center.registry.report(said, EdgeKey(SigningKey.generate().public, "box-1", (), None))


@pytest.fixture
async def lens(center: Center) -> AsyncIterator[list[MoveArguments]]:
    """What the box was told to do, in order; it does it at once."""
    await report(center)
    told: list[MoveArguments] = []

    async def serve() -> None:
        while True:
            for command in await center.commands.wait("box-1", 5.0):
                assert isinstance(command.arguments, MoveArguments)
                told.append(command.arguments)
                center.commands.answer("box-1", command.id, b"")

    serving = asyncio.create_task(serve())
    yield told
    serving.cancel()


async def prepared(center: Center, who: Principal, **said: object) -> Prepared[MoveCameraArguments]:
    assert TOOL.prepare is not None
    arguments = MoveCameraArguments.model_validate({"camera_id": "HC-01", **said})
    return await TOOL.prepare(Call(center, who, ALL, arguments, now()))


class TestPrepare:
    async def test_a_preset_is_found_however_it_is_typed(self, center: Center, who: Who) -> None:
        await report(center)
        ready = await prepared(center, who(Role.OFFICER), preset="cong ong ich khiem")
        assert ready.arguments.preset == "Cổng Ông Ích Khiêm"
        assert [(row.argument, row.value_vi) for row in ready.rows] == [
            ("camera_id", "Chợ Cồn - cổng chính (HC-01)"),
            ("preset", "Cổng Ông Ích Khiêm"),
        ]

    async def test_an_unknown_preset_asks_with_those_there_are(self, center: Center, who: Who) -> None:
        await report(center)
        with pytest.raises(MissingError) as asked:
            await prepared(center, who(Role.OFFICER), preset="bến xe")
        assert asked.value.argument == "preset"
        assert asked.value.options == PTZ.presets

    @pytest.mark.parametrize("said", [{}, {"pan": 0.0}, {"home": True, "pan": 5.0}, {"preset": "toàn cảnh", "tilt": 1}])
    async def test_exactly_one_way_to_turn_is_needed(self, center: Center, who: Who, said: dict[str, object]) -> None:
        await report(center)
        with pytest.raises(MissingError) as asked:
            await prepared(center, who(Role.OFFICER), **said)
        assert asked.value.argument == "pan"

    async def test_degrees_are_shown_with_their_direction(self, center: Center, who: Who) -> None:
        await report(center)
        ready = await prepared(center, who(Role.OFFICER), pan=-20, tilt=5)
        assert [row.value_vi for row in ready.rows[1:]] == ["sang trái 20°", "lên 5°"]
        assert [row.value_en for row in ready.rows[1:]] == ["20° to the left", "5° up"]

    async def test_a_fixed_camera_is_denied_and_one_that_is_away_fails(self, center: Center, who: Who) -> None:
        await report(center)
        with pytest.raises(DeniedError) as denied:
            await prepared(center, who(Role.OFFICER), camera_id="HC-02", pan=5)
        assert denied.value.rule == "not_ptz"
        await report(center, "offline")
        with pytest.raises(CameraAwayError):
            await prepared(center, who(Role.OFFICER), pan=5)


class TestLens:
    async def test_the_box_gets_exactly_what_was_asked(
        self, center: Center, lens: list[MoveArguments], who: Who
    ) -> None:
        officer = who(Role.OFFICER)
        for move in (MoveArguments(preset="toàn cảnh"), MoveArguments(pan=15, zoom=-0.2), MoveArguments(home=True)):
            await center.lenses.turn(officer, ALL, "HC-01", move, at=now())
        assert lens == [MoveArguments(preset="toàn cảnh"), MoveArguments(pan=15, zoom=-0.2), MoveArguments(home=True)]

    async def test_the_same_key_turns_once(self, center: Center, lens: list[MoveArguments], who: Who) -> None:
        move = MoveArguments(pan=10)
        first = await center.lenses.turn(who(Role.OFFICER), ALL, "HC-01", move, at=now(), key="p-1")
        second = await center.lenses.turn(who(Role.OFFICER), ALL, "HC-01", move, at=now(), key="p-1")
        assert (first.repeated, second.repeated) == (False, True)
        assert lens == [move]

    async def test_a_higher_role_takes_over_and_keeps_lower_ones_off_for_two_minutes(
        self, center: Center, lens: list[MoveArguments], who: Who
    ) -> None:
        at, move = now().replace(microsecond=0), MoveArguments(pan=10)
        officer, commander = who(Role.OFFICER), who(Role.COMMANDER)
        await center.lenses.turn(officer, ALL, "HC-01", move, at=at)
        await center.lenses.turn(commander, ALL, "HC-01", move, at=at)
        assert await center.lenses.held_by("HC-01", officer.user_id, at) is Role.COMMANDER
        assert await center.lenses.held_by("HC-01", commander.user_id, at) is None
        with pytest.raises(DeniedError) as denied:
            await center.lenses.turn(officer, ALL, "HC-01", move, at=at + HOLD - timedelta(seconds=1))
        assert denied.value.rule == "camera_held"
        await center.lenses.turn(officer, ALL, "HC-01", move, at=at + HOLD)
        assert len(lens) == 3

    async def test_a_box_that_cannot_is_said_so(self, center: Center, who: Who) -> None:
        await report(center)

        async def refuse() -> None:
            for command in await center.commands.wait("box-1", 5.0):
                center.commands.answer("box-1", command.id, CommandFailure(code="ability", message="stuck"))

        refusing = asyncio.create_task(refuse())
        with pytest.raises(CommandFailedError, match="stuck"):
            await center.lenses.turn(who(Role.OFFICER), ALL, "HC-01", MoveArguments(pan=5), at=now(), key="p-2")
        await refusing
        with pytest.raises(CommandFailedError):
            await center.lenses.turn(who(Role.OFFICER), ALL, "HC-01", MoveArguments(pan=5), at=now(), key="p-2")


class TestThroughTheGateway:
    async def test_it_waits_for_a_yes_and_then_turns(
        self, gateway: Gateway, lens: list[MoveArguments], who: Who
    ) -> None:
        officer = who(Role.OFFICER)
        asked = {"camera_id": "HC-01", "preset": "TOAN CANH"}
        waiting = await gateway.call(officer, "move_camera", asked, channel="test")
        assert waiting.outcome is Outcome.CONFIRM
        assert waiting.data["proposal"]["arguments"] == {"camera_id": "HC-01", "preset": "toàn cảnh"}
        assert lens == []
        done = await gateway.confirm(officer, waiting.data["proposal"]["id"], channel="test")
        assert done.outcome is Outcome.ANSWERED
        assert done.ids == ("HC-01",)
        assert lens == [MoveArguments(preset="toàn cảnh")]

    async def test_other_areas_and_other_roles_are_denied(
        self, gateway: Gateway, lens: list[MoveArguments], who: Who
    ) -> None:
        away = await gateway.call(who(Role.OFFICER), "move_camera", {"camera_id": "ST-01", "pan": 5}, channel="test")
        assert away.outcome is Outcome.DENIED
        for role in (Role.CITIZEN, Role.INVESTIGATOR, Role.LEADER, Role.AUDITOR, Role.ADMIN):
            asked = await gateway.call(who(role), "move_camera", {"camera_id": "HC-01", "pan": 5}, channel="test")
            assert (asked.outcome, asked.rule) == (Outcome.DENIED, "role")
        assert lens == []
