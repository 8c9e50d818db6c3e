"""The tools over HTTP, through a real server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import cv2
import httpx2
import numpy as np
import pytest
import uvicorn
from pydantic import ValidationError

from matpho_contracts.events import Event
from matpho_contracts.ids import new_event_id
from matpho_platform.access.principal import Role
from matpho_platform.center import Center
from matpho_platform.web.app import create_app
from matpho_tools.gateway import Gateway
from matpho_tools.registry import TOOLS
from matpho_tools.rest import BODY_LIMITS, tools_router
from matpho_tools.submit_feedback import MAX_PHOTOS_BASE64, SubmitFeedbackArguments

PASSWORD = "a long enough password"
Client = Callable[[str], httpx2.AsyncClient]


@pytest.fixture
async def address(center: Center, gateway: Gateway) -> AsyncIterator[str]:
    app = create_app(center, routers=(tools_router(gateway),), body_limits=BODY_LIMITS)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 # uvicorn offers no event to wait for
        await asyncio.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await running


@pytest.fixture
async def client(center: Center, address: str) -> AsyncIterator[Any]:
    """Makes a signed-in client for a role."""
    opened: list[httpx2.AsyncClient] = []

    async def make(role: Role) -> httpx2.AsyncClient:
        areas = ("DN-HC",) if role in {Role.OFFICER, Role.INVESTIGATOR} else ()
        await center.accounts.create(f"u-{role.value}", "Người dùng", role, PASSWORD, areas=areas)
        token = await center.accounts.issue_token(f"u-{role.value}", "test")
        made = httpx2.AsyncClient(base_url=address, headers={"authorization": f"Bearer {token}"}, timeout=60)
        opened.append(made)
        return made

    yield make
    for each in opened:
        await each.aclose()


async def test_nothing_is_answered_to_nobody(address: str, events: dict[str, Event]) -> None:
    async with httpx2.AsyncClient(base_url=address) as nobody:
        answers = [
            await nobody.get("/api/v1/tools"),
            await nobody.post("/api/v1/tools/search_events", json={}),
            await nobody.get(f"/api/v1/events/{events['fight'].id}/still"),
            await nobody.get("/api/v1/cameras/HC-01/snapshot"),
            await nobody.get(f"/api/v1/clips/{'0' * 32}"),
        ]
    assert [answer.status_code for answer in answers] == [401] * 5


async def test_a_tool_by_name_and_the_list_of_tools(client: Any, events: dict[str, Event]) -> None:
    officer = await client(Role.OFFICER)
    answer = await officer.post("/api/v1/tools/search_events", json={"event_types": ["fight"]})
    assert answer.status_code == 200
    assert answer.json()["ids"] == [events["fight"].id]
    schemas = {tool["function"]["name"]: tool["function"] for tool in (await officer.get("/api/v1/tools")).json()}
    assert "plate" in schemas["search_events"]["parameters"]["properties"]
    assert "event_still" not in schemas


async def test_each_outcome_has_its_status(client: Any, events: dict[str, Event]) -> None:
    officer = await client(Role.OFFICER)
    citizen = await client(Role.CITIZEN)
    assert (await officer.post("/api/v1/tools/get_event", json={})).status_code == 422
    assert (await citizen.post("/api/v1/tools/get_event", json={})).status_code == 403
    assert (await officer.post("/api/v1/tools/nothing", json={})).status_code == 403
    far = await officer.post("/api/v1/tools/get_event", json={"event_id": events["far"].id})
    assert far.status_code == 403
    commander = await client(Role.COMMANDER)
    assert (await commander.post("/api/v1/tools/get_event", json={"event_id": new_event_id()})).status_code == 404
    assert (await officer.post("/api/v1/tools/search_events", json={"query": "xe lạ"})).status_code == 503


async def test_a_still_is_a_picture_permitted_and_in_the_trail(
    client: Any, center: Center, events: dict[str, Event]
) -> None:
    path = f"/api/v1/events/{events['fight'].id}/still"
    seen = await (await client(Role.OFFICER)).get(path)
    assert seen.headers["content-type"] == "image/jpeg"
    assert seen.content.startswith(b"\xff\xd8")
    assert (await (await client(Role.LEADER)).get(path)).status_code == 403
    trail = await center.audit.search(action="event_still")
    assert {record.entry.outcome for record in trail.records} >= {"answered", "denied"}


async def test_a_clip_is_fetched_and_served_in_ranges(client: Any, box: None, events: dict[str, Event]) -> None:
    officer = await client(Role.OFFICER)
    found = await officer.post("/api/v1/tools/get_clip", json={"event_id": events["fight"].id})
    url = found.json()["data"]["url"]
    whole = await officer.get(url)
    assert whole.headers["content-type"] == "video/mp4"
    part = await officer.get(url, headers={"range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.content == whole.content[100:200]
    assert (await (await client(Role.LEADER)).get(url)).status_code == 403
    assert (await officer.get(f"/api/v1/clips/{'0' * 32}")).status_code == 404


async def test_a_snapshot_is_coarse_where_the_role_demands(client: Any, box: None) -> None:
    path = "/api/v1/cameras/HC-01/snapshot"
    sharp = (await (await client(Role.COMMANDER)).get(path)).content
    coarse = (await (await client(Role.LEADER)).get(path)).content
    assert sharp.startswith(b"\xff\xd8")
    assert coarse.startswith(b"\xff\xd8")
    assert _detail(coarse) < _detail(sharp) / 3


def _detail(jpeg: bytes) -> float:
    """How much neighbouring pixels differ at the size that a face would have."""
    grey = cv2.resize(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE), (640, 360)).astype(float)
    return float(np.abs(np.diff(grey, axis=1)).mean())


async def test_an_uploaded_picture_of_some_megabytes_reaches_the_tool(client: Any) -> None:
    officer = await client(Role.OFFICER)
    answer = await officer.post("/api/v1/tools/find_similar_events", json={"image": "A" * (4 * 1024 * 1024)})
    assert (answer.status_code, answer.json()["rule"]) == (422, "bad_input")


@pytest.mark.parametrize(
    ("tool", "arguments", "status"),
    [
        ("submit_feedback", {"text": "Cây đổ", "area": "DN-HC", "photos": ["A" * (24 * 1024 * 1024)]}, 422),
        ("get_event", {"event_id": "A" * (2 * 1024 * 1024)}, 413),
    ],
)
async def test_only_tools_that_take_pictures_take_much(
    client: Any, tool: str, arguments: dict[str, Any], status: int
) -> None:
    answer = await (await client(Role.OFFICER)).post(f"/api/v1/tools/{tool}", json=arguments)
    assert answer.status_code == status
    assert answer.json().get("rule", "") != "internal"


async def test_photos_that_are_too_large_together_are_asked_for_again(client: Any) -> None:
    photos = ["A" * (MAX_PHOTOS_BASE64 // 4)] * 5
    asked = {"text": "Cây đổ", "area": "DN-HC", "photos": photos}
    with pytest.raises(ValidationError, match="too large together"):
        SubmitFeedbackArguments.model_validate(asked)


async def test_the_api_describes_every_tool(address: str) -> None:
    async with httpx2.AsyncClient(base_url=address) as anybody:
        document = (await anybody.get("/api/v1/openapi.json")).json()
    for name, tool in TOOLS.items():
        operation = document["paths"][f"/api/v1/tools/{name}"]["post"]
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        assert set(body["properties"]) == set(tool.arguments.model_json_schema()["properties"])
        assert "$ref" not in str(body)
        assert ("202" in operation["responses"]) == (tool.prepare is not None)
        assert operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/ToolResult")
        assert operation["security"] == [{"session": []}, {"token": []}]
