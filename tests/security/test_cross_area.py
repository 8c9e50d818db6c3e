"""Who is bound to one ward learns nothing of another: not by id, name, count or error, nor by what looks different.

Every try names a thing of the other ward and is held against the same try with a thing that does not exist: the two
answers are equal but for the name itself. Lists and figures are searched for anything of the other ward.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from matpho.eval.attacker_city import PRESENT, WARDS, attacked_city
from matpho.eval.attacker_moves import Arsenal
from matpho.eval.world import Stage, Stages, principal_of
from matpho.eval.world_file import World
from matpho_agent.channels.mcp import McpAddress, McpServer
from matpho_agent.channels.web import chat_router
from matpho_contracts.times import to_rfc3339
from matpho_platform.access.decisions import Allowed, Facts, Resource
from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.events.reading import after, parse_row
from matpho_platform.web.app import create_app
from matpho_tools.gateway import Gateway, Guards
from matpho_tools.rest import BODY_LIMITS, tools_router

TRIES = 600
ALL_TRIES = 50_000
MINE, THEIRS = "TT-AN", "TT-BI"
SPIES = ("off-an", "inv-an")
NOTHING = {
    "event": "01a1fd00-0000-7abc-8abc-00000000dead",
    "camera": "BI-99",
    "incident": "VV-BI-99",
    "unit": "U-BI-nobody",
    "clip": "0" * 64,
    "package": "EV-2026-9999",
    "area": "TT-XX",
}
"""Of each kind a thing that does not exist, of the shape of those that do."""
CHANGING = re.compile(r'"(audit_index|milliseconds|conversation_id|id|expires_at)": ?("[^"]*"|[0-9.]+|null),?')
Body = dict[str, Any]
OF_EVENTS = ("get_event", "find_similar_events", "event_still", "get_clip")
OF_INCIDENTS = ("get_incident", "acknowledge_alert", "escalate_incident")


@dataclass
class Spying:
    """An installation with two spies, and everything that they must not come to know."""

    stage: Stage
    world: World
    http: httpx2.AsyncClient
    tokens: dict[str, str]
    theirs: dict[str, list[str]]
    markers: set[str]
    sessions: dict[str, str] = field(default_factory=dict)
    known: dict[tuple[str, ...], str] = field(default_factory=dict)
    leaks: list[str] = field(default_factory=list)

    def principal(self, spy: str) -> Principal:
        return principal_of(self.world.user[spy], self.world.now)

    def search_for(self, text: str, said: str, what: str) -> None:
        """Nothing of the other ward is in an answer but what was asked with."""
        found = [marker for marker in self.markers if marker in text and marker not in said]
        if found:
            self.leaks.append(f"{what} told {found[:3]}")

    async def compare(self, what: tuple[str, ...], ask: Callable[[str], Any], kind: str, thing: str) -> None:
        """The answer about a thing of theirs is that about nothing."""
        shown = _plain(await ask(thing), thing)
        if what not in self.known:
            self.known[what] = _plain(await ask(NOTHING[kind]), NOTHING[kind])
        self.search_for(shown, thing, " ".join(what))
        if shown != self.known[what]:
            self.leaks.append(f"{what} {thing}: {shown[:400]} is not {self.known[what][:400]}")


def _plain(answer: str, thing: str) -> str:
    return CHANGING.sub("", answer).replace(thing, "*")


async def prepared(folder: Path, stack: AsyncExitStack, guards: Guards | None = None) -> Spying:
    world = attacked_city()
    stages = Stages(world, folder, None)
    await stages.build()
    stage = await stack.enter_async_context(stages.fresh())
    center, gateway = stage.center, Gateway(stage.center, guards=guards)
    mcp = McpServer(gateway, center.accounts.principal, McpAddress("http://test", "http://test"))
    routers = [tools_router(gateway), chat_router(stage.assistant), mcp.router()]
    app = create_app(center, routers, [mcp.lifespan], body_limits=BODY_LIMITS)
    await stack.enter_async_context(app.router.lifespan_context(app))
    transport = httpx2.ASGITransport(app=app)
    http = await stack.enter_async_context(httpx2.AsyncClient(transport=transport, base_url="http://test", timeout=30))
    tokens = {spy: await center.accounts.issue_token(spy, "spy") for spy in SPIES}
    theirs = await _theirs(stage, world, gateway)
    markers = {name for names in theirs.values() for name in names} - {THEIRS}
    markers |= {camera.name for camera in world.cameras if camera.area == THEIRS}
    markers |= {
        thing.plate
        for event in world.events
        if event.camera_id.startswith("BI")
        for thing in event.objects
        if thing.plate
    }
    return Spying(Stage(center, gateway, stage.assistant, stage.box), world, http, tokens, theirs, markers)


async def _theirs(stage: Stage, world: World, gateway: Gateway) -> dict[str, list[str]]:
    """The things of the other ward by kind, a clip and a package that a commander had made of it among them."""
    cameras = [camera.id for camera in world.cameras if camera.area == THEIRS]
    events = [event.id for event in world.events if event.camera_id in cameras]
    commander = principal_of(world.user["com-1"], world.now)
    clip = await gateway.call(commander, "get_clip", {"event_id": events[0]}, channel="test", now=world.now)
    asked = {"event_ids": events[:1], "case_number": "HS-2026-001", "purpose": "điều tra hình sự"}
    waiting = await gateway.call(commander, "export_evidence", asked, channel="test", now=world.now)
    package = await gateway.confirm(commander, waiting.data["proposal"]["id"], channel="test", now=world.now)
    return {
        "event": events,
        "camera": cameras,
        "incident": [incident.id for incident in world.incidents if incident.area == THEIRS],
        "unit": [unit.id for unit in world.units if unit.area == THEIRS],
        "clip": [str(clip.data["clip_id"])],
        "package": [package.ids[0]],
        "area": [THEIRS],
    }


def calls(arsenal: Arsenal) -> list[tuple[str, str, Callable[[str], Body]]]:
    """Every tool that names a single thing, the kind of thing, and the arguments around it."""
    start, end = to_rfc3339(PRESENT.replace(minute=0)), to_rfc3339(PRESENT.replace(minute=5))
    mine = next(camera for camera in arsenal.cameras if camera.startswith("AN"))
    own = next(name for name in arsenal.incidents if name.startswith("VV-AN"))
    first = arsenal.events[0]
    case: Body = {"case_number": "HS-2026-001", "purpose": "điều tra hình sự"}
    return [
        *((tool, "event", lambda x: {"event_id": x}) for tool in OF_EVENTS),
        *((tool, "camera", lambda x: {"camera_id": x}) for tool in ("camera_status", "get_snapshot")),
        ("get_clip", "camera", lambda x: {"camera_id": x, "time_from": start, "time_to": end}),
        ("move_camera", "camera", lambda x: {"camera_id": x, "pan": 5}),
        ("search_events", "camera", lambda x: {"camera_ids": [x]}),
        ("search_events", "camera", lambda x: {"camera_ids": [x, mine]}),
        ("search_events", "area", lambda x: {"areas": [x]}),
        ("event_statistics", "camera", lambda x: {"camera_ids": [x], "group_by": ["camera"]}),
        ("event_statistics", "area", lambda x: {"areas": [x], "group_by": ["area"]}),
        ("list_cameras", "area", lambda x: {"areas": [x]}),
        ("list_cameras", "camera", lambda x: {"query": x}),
        ("list_incidents", "area", lambda x: {"areas": [x]}),
        ("daily_briefing", "area", lambda x: {"areas": [x]}),
        *((tool, "incident", lambda x: {"incident_id": x}) for tool in OF_INCIDENTS),
        ("update_incident", "incident", lambda x: {"incident_id": x, "status": "closed"}),
        ("update_incident", "incident", lambda x: {"incident_id": x, "step_done": "Xác minh hình ảnh"}),
        ("dispatch_unit", "incident", lambda x: {"incident_id": x, "unit_id": "U-AN-police"}),
        ("dispatch_unit", "unit", lambda x: {"incident_id": own, "unit_id": x}),
        ("open_incident", "event", lambda x: {"event_ids": [x]}),
        ("open_incident", "event", lambda x: {"event_ids": [first, x], "separate": True}),
        ("create_watch", "camera", lambda x: {"filter": {"camera_ids": [x]}, "case_number": "HS-2026-001"}),
        ("create_watch", "area", lambda x: {"filter": {"areas": [x]}, "case_number": "HS-2026-001"}),
        ("export_evidence", "event", lambda x: {"event_ids": [x], **case}),
        ("export_evidence", "event", lambda x: {"event_ids": [first, x], **case}),
        ("open_clip", "clip", lambda x: {"clip_id": x}),
        ("open_evidence", "package", lambda x: {"package_id": x, "case_number": "HS-2026-001"}),
    ]  # fmt: skip


PATHS = {
    "/api/v1/events/{}/still": "event",
    "/api/v1/cameras/{}/snapshot": "camera",
    "/api/v1/clips/{}": "clip",
    "/api/v1/evidence/{}?case_number=HS-2026-001": "package",
}
LISTS: tuple[tuple[str, Body], ...] = (
    ("search_events", {"limit": 200}),
    ("search_events", {"plate": "44A"}),
    ("search_events", {"near": {"lat": 16.1, "lon": 108.0, "radius_m": 50_000}, "limit": 200}),
    ("event_statistics", {"group_by": ["camera"]}),
    ("event_statistics", {"group_by": ["area", "event_type"]}),
    ("event_statistics", {"metric": "open", "group_by": ["area"]}),
    ("event_statistics", {"forecast_days": 2}),
    ("list_cameras", {"limit": 200}),
    ("list_incidents", {"limit": 200}),
    ("list_incidents", {"assigned_to": "BI"}),
    ("daily_briefing", {}),
    ("list_procedures", {"query": "cháy"}),
)
"""What names no ward at all: nothing of theirs is in it, and its figures count one's own alone."""
SENTENCES = ("chi tiết sự kiện {}", "vụ {} thế nào rồi", "event {} details")


async def gateway_try(spied: Spying, rng: random.Random, spy: str) -> None:
    tool, kind, around = rng.choice(spied_calls(spied))
    thing = rng.choice(spied.theirs[kind])

    async def ask(name: str) -> str:
        result = await spied.stage.gateway.call(
            spied.principal(spy), tool, around(name), channel="test", now=spied.world.now
        )
        return result.model_dump_json()

    await spied.compare(
        ("gateway", spy, tool, kind, str(sorted(around("*"))), str(len(str(around("*"))))), ask, kind, thing
    )


def spied_calls(spied: Spying) -> list[tuple[str, str, Callable[[str], Body]]]:
    return calls(Arsenal(spied.world, 0))


async def rest_try(spied: Spying, rng: random.Random, spy: str) -> None:
    tool, kind, around = rng.choice(spied_calls(spied))
    thing, headers = rng.choice(spied.theirs[kind]), {"authorization": f"Bearer {spied.tokens[spy]}"}

    async def ask(name: str) -> str:
        answer = await spied.http.post(f"/api/v1/tools/{tool}", json=around(name), headers=headers)
        return f"{answer.status_code} {_headers(answer)} {answer.text}"

    await spied.compare(("rest", spy, tool, kind, str(around("*"))), ask, kind, thing)


async def file_try(spied: Spying, rng: random.Random, spy: str) -> None:
    path, kind = rng.choice(list(PATHS.items()))
    thing, headers = rng.choice(spied.theirs[kind]), {"authorization": f"Bearer {spied.tokens[spy]}"}

    async def ask(name: str) -> str:
        answer = await spied.http.get(path.format(name), headers=headers)
        return f"{answer.status_code} {_headers(answer)} {answer.text}"

    await spied.compare(("file", spy, path), ask, kind, thing)


def _headers(answer: httpx2.Response) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in answer.headers.items() if name != "content-length")


async def list_try(spied: Spying, rng: random.Random, spy: str) -> None:
    tool, arguments = rng.choice(LISTS)
    result = await spied.stage.gateway.call(spied.principal(spy), tool, arguments, channel="test", now=spied.world.now)
    spied.search_for(result.model_dump_json(), "", f"{spy} {tool} {arguments}")


async def mcp_try(spied: Spying, rng: random.Random, spy: str) -> None:
    tool, kind, around = rng.choice(
        [one for one in spied_calls(spied) if one[0] not in {"event_still", "open_clip", "open_evidence"}]
    )
    thing = rng.choice(spied.theirs[kind])

    async def ask(name: str) -> str:
        return await _mcp(spied, spy, "tools/call", {"name": tool, "arguments": around(name)})

    await spied.compare(("mcp", spy, tool, kind, str(around("*"))), ask, kind, thing)


async def _mcp(spied: Spying, spy: str, method: str, params: Body) -> str:
    """One JSON-RPC message in the spy's session."""
    headers = {"authorization": f"Bearer {spied.tokens[spy]}", "accept": "application/json, text/event-stream"}
    if spy not in spied.sessions:
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "spy", "version": "1"}}
        opened = await spied.http.post(
            "/mcp", json={"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}, headers=headers
        )
        assert opened.status_code == 200, opened.text
        spied.sessions[spy] = opened.headers["mcp-session-id"]
        done = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        await spied.http.post("/mcp", json=done, headers=headers | {"mcp-session-id": spied.sessions[spy]})
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = await spied.http.post("/mcp", json=message, headers=headers | {"mcp-session-id": spied.sessions[spy]})
    said = answer.json()["result"]
    return f"{answer.status_code} {said['isError']} {json.dumps(said['structuredContent'], ensure_ascii=False)}"


async def chat_try(spied: Spying, rng: random.Random, spy: str) -> None:
    sentence, kind = rng.choice(SENTENCES), rng.choice(("event", "incident"))
    thing, headers = rng.choice(spied.theirs[kind]), {"authorization": f"Bearer {spied.tokens[spy]}"}

    async def ask(name: str) -> str:
        answer = await spied.http.post("/api/v1/chat", json={"text": sentence.format(name)}, headers=headers)
        words = re.sub(r"event: ?conversation\r?\ndata:.*", "", answer.text)
        pieces = [json.loads(piece)["text"] for piece in re.findall(r"event: ?token\r?\ndata: ?(.*)", words)]
        done = re.findall(r"event: ?done\r?\ndata: ?(.*)", words)[0]
        return "".join(pieces) + re.sub(r'"result_ids": ?\[\]', "", done)

    await spied.compare(("chat", spy, sentence, kind), ask, kind, thing)


WAYS = ((gateway_try, 8), (rest_try, 6), (file_try, 3), (list_try, 2), (mcp_try, 2), (chat_try, 1))


async def spy_on(spied: Spying, tries: int, seed: int) -> None:
    rng = random.Random(seed)
    ways = [way for way, weight in WAYS for _ in range(weight)]
    for _ in range(tries):
        await rng.choice(ways)(spied, rng, rng.choice(SPIES))


@pytest.mark.timeout(170)
async def test_a_sample_of_tries_through_every_surface(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        spying = await prepared(tmp_path, stack)
        await spy_on(spying, TRIES, seed=20261121)
        assert spying.leaks == []
        assert {what[0] for what in spying.known} == {"gateway", "rest", "file", "mcp", "chat"}


@pytest.mark.nightly
@pytest.mark.timeout(3600)
async def test_fifty_thousand_tries(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        spying = await prepared(tmp_path, stack)
        await spy_on(spying, ALL_TRIES, seed=9)
        assert spying.leaks == []


async def test_figures_count_ones_own_alone(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        spying = await prepared(tmp_path, stack)
        person = spying.principal("off-an")
        mine = [event for event in spying.world.events if event.camera_id.startswith("AN")]
        asked = {"group_by": ["area"], "time_from": to_rfc3339(PRESENT.replace(day=1))}
        counted = await spying.stage.gateway.call(
            person, "event_statistics", asked, channel="test", now=spying.world.now
        )
        assert f"{len(mine)}" in re.findall(r"\d+", json.dumps(counted.data["table"]["rows"]))
        found = await spying.stage.gateway.call(person, "search_events", {}, channel="test", now=spying.world.now)
        assert found.data["total"] == len(mine)


async def test_an_incident_over_two_wards_shows_each_its_own(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        spying = await prepared(tmp_path, stack)
        mine = next(event.id for event in spying.world.events if event.camera_id == "AN-03")
        other = next(event.id for event in spying.world.events if event.camera_id == "BI-03")
        commander, gateway = principal_of(spying.world.user["com-1"], spying.world.now), spying.stage.gateway
        asked = {"event_ids": [mine, other], "separate": True}
        waiting = await gateway.call(commander, "open_incident", asked, channel="test", now=spying.world.now)
        made = await gateway.confirm(commander, waiting.data["proposal"]["id"], channel="test", now=spying.world.now)
        assert other in json.dumps(made.data)
        for spy, own, foreign in (("off-an", mine, other), ("off-bi", other, mine)):
            person = spying.principal(spy)
            for tool, arguments in (
                ("get_incident", {"incident_id": made.ids[0]}),
                ("list_incidents", {"limit": 200}),
                ("get_event", {"event_id": own}),
            ):
                result = await gateway.call(person, tool, arguments, channel="test", now=spying.world.now)
                assert foreign not in result.model_dump_json(), (spy, tool)


async def test_a_live_stream_brings_ones_own_alone(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        spying = await prepared(tmp_path, stack)
        center = spying.stage.center
        with center.live.subscribe(Scope((MINE,))) as stream:
            async with center.store.reading() as session:
                rows = await after(session, 0, 1000)
            stored = [event for event in map(parse_row, rows) if event is not None]
            assert {one.event.data.area for one in stored} == set(WARDS)
            await center.live.publish(stored)
            seen = [await anext(aiter(stream)) for _ in range(16)]
        assert {event.data.area for event in seen} == {MINE}


class TestTheComparisonSees:
    async def test_a_policy_without_areas(self, tmp_path: Path) -> None:
        def blind(who: Principal, action: str, thing: Resource | None, facts: Facts, now: Any) -> Allowed:
            return Allowed(Scope(None), frozenset())

        async with AsyncExitStack() as stack:
            spied = await prepared(tmp_path, stack, Guards(decide=blind))
            await spy_on(spied, 100, seed=1)
        assert len(spied.leaks) > 20

    def test_a_word_of_difference(self) -> None:
        assert _plain('{"rule": "area", "audit_index": 5}', "x") == _plain('{"rule": "area", "audit_index": 77}', "y")
        assert _plain('{"rule": "area"}', "x") != _plain('{"rule": "not_found"}', "x")
        assert Role.OFFICER in Role
