"""Another assistant over the Model Context Protocol: the protocol's own client library against a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx2
import pytest
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from matpho_agent.channels.mcp import PATH, McpAddress, McpServer
from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.center import Center
from matpho_platform.web.app import create_app
from matpho_tools.contract import Outcome
from matpho_tools.gateway import Gateway
from matpho_tools.rest import tools_router

PASSWORD = "a long enough password"


@pytest.fixture
async def address(center: Center, gateway: Gateway) -> AsyncIterator[str]:
    mcp = McpServer(gateway, center.accounts.principal, McpAddress("http://127.0.0.1", "http://127.0.0.1"))
    app = create_app(center, [mcp.router(), tools_router(gateway)], [mcp.lifespan])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 # uvicorn offers no event to wait for
        await asyncio.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await running


@pytest.fixture
async def token(center: Center) -> str:
    await center.accounts.create("anh", "Trung úy Anh", Role.OFFICER, PASSWORD, areas=("DN-HC",))
    actions = ["search_events", "get_event", "open_incident"]
    return await center.accounts.issue_token("anh", "another assistant", actions=actions)


@asynccontextmanager
async def connected(address: str, token: str) -> AsyncIterator[Client]:
    headers = {"authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=20) as http,
        Client(streamable_http_client(address + PATH, http_client=http)) as client,
    ):
        yield client


async def test_it_sees_the_tools_of_its_token_and_finds_the_areas_events(
    address: str, token: str, center: Center
) -> None:
    async with connected(address, token) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"search_events", "get_event", "open_incident"}
        assert tools["search_events"].annotations.read_only_hint  # type: ignore[union-attr] # set for every tool
        assert tools["open_incident"].annotations.destructive_hint  # type: ignore[union-attr] # set for every tool
        found = await client.call_tool("search_events", {"event_types": ["fight"]})
    assert not found.is_error
    assert {hit["area"] for hit in found.structured_content["data"]["hits"]} == {"DN-HC"}
    entry = (await center.audit.search(action="search_events")).records[0].entry
    assert (entry.channel, entry.user_id) == ("mcp", "anh")


async def test_what_the_token_was_not_given_is_denied(address: str, token: str) -> None:
    async with connected(address, token) as client:
        other = await client.call_tool("get_snapshot", {"camera_id": "HC-01"})
        elsewhere = await client.call_tool("search_events", {"areas": ["DN-ST"]})
    assert (other.is_error, other.structured_content["rule"]) == (True, "token_scope")
    assert (elsewhere.is_error, elsewhere.structured_content["rule"]) == (True, "area")


async def test_an_act_waits_for_its_person(address: str, token: str, center: Center, gateway: Gateway) -> None:
    async with connected(address, token) as client:
        found = await client.call_tool("search_events", {"event_types": ["fight"]})
        event = found.structured_content["data"]["hits"][0]["id"]
        waiting = await client.call_tool("open_incident", {"event_ids": [event]})
    assert waiting.structured_content["outcome"] == "confirm"
    assert (await center.incidents.list(Scope(None), now=datetime.now(UTC))).total == 0
    async with httpx2.AsyncClient(base_url=address, headers={"authorization": f"Bearer {token}"}) as program:
        proposal = (await program.get("/api/v1/proposals")).json()[0]
        refused = await program.post(f"/api/v1/proposals/{proposal['id']}")
        assert (refused.status_code, refused.json()["rule"]) == (403, "person_only")
        person = Principal("anh", "Trung úy Anh", Role.OFFICER, ("DN-HC",), session_id="s1", mfa_at=datetime.now(UTC))
        own = {"filter": {"event_types": ["fire"]}}
        assert (await gateway.call(person, "create_watch", own, channel="web")).outcome is Outcome.CONFIRM
        seen = (await program.get("/api/v1/proposals")).json()
        assert [one["tool"] for one in seen] == ["open_incident"], "a program sees nothing of what it may not ask for"
    other, here = await gateway.waiting(person)
    assert other.tool == "create_watch"
    assert {row["argument"] for row in here.rows} >= {"event_ids", "priority"}
    agreed = await gateway.confirm(person, here.id, channel="web")
    assert (here.tool, agreed.outcome) == ("open_incident", Outcome.ANSWERED)
    assert (await center.incidents.list(Scope(None), now=datetime.now(UTC))).total == 1


async def test_a_revoked_token_ends_an_open_session(address: str, token: str, center: Center) -> None:
    async with connected(address, token) as client:
        assert not (await client.call_tool("search_events", {})).is_error
        await center.accounts.disable("anh")
        with pytest.raises(Exception, match=r"401|nauthorized|closed|rror"):
            await client.call_tool("search_events", {})


@pytest.mark.parametrize("bearer", ["", "Bearer nothing", "Basic YTpi", "Bearer " + "x" * 5000])
async def test_without_a_token_nothing_answers(bearer: str, address: str) -> None:
    async with httpx2.AsyncClient(base_url=address) as http:
        answer = await http.post(
            PATH, json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, headers={"authorization": bearer}
        )
    assert answer.status_code == 401
    assert "oauth-protected-resource" in answer.headers["www-authenticate"]


async def test_a_web_sessions_token_is_no_access_token(address: str, center: Center) -> None:
    await center.accounts.create("binh", "Đại úy Bình", Role.COMMANDER, PASSWORD)
    opened = await center.accounts.sign_in("binh", PASSWORD)
    headers = {"authorization": f"Bearer {opened.token}"}
    async with httpx2.AsyncClient(base_url=address, headers=headers) as http:
        assert (await http.post(PATH, json={"jsonrpc": "2.0", "id": 1, "method": "ping"})).status_code == 401


async def test_its_metadata_says_who_issues_tokens(address: str) -> None:
    async with httpx2.AsyncClient(base_url=address) as http:
        told = (await http.get("/.well-known/oauth-protected-resource/mcp")).json()
    assert told["resource"].endswith("/mcp")
    assert told["authorization_servers"]
