"""The tools for other assistants: a Model Context Protocol server (streamable HTTP) over the same gateway.

A caller bears an access token of an account (`Authorization: Bearer …`), scoped to some actions; the account's rights
hold, narrowed to these. A tool that acts is proposed and waits: only its person, signed in to this center, can say yes
there, so no assistant from outside can run an act by itself.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)
from pydantic import AnyHttpUrl
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from matpho_contracts.errors import MatphoError
from matpho_platform.access.principal import Principal
from matpho_tools.contract import Outcome, ToolResult
from matpho_tools.gateway import Gateway
from matpho_tools.registry import EXPOSED, TOOLS

CHANNEL = "mcp"
PATH = "/mcp"
METADATA_PATH = f"/.well-known/oauth-protected-resource{PATH}"
MAX_BODY = 4 * 1024 * 1024
SESSION_IDLE_S = 900.0
MAX_SESSIONS = 1_000
Authenticate = Callable[[str], Awaitable[Principal]]


@dataclass(frozen=True, slots=True)
class McpAddress:
    """Where the server stands and who issues its tokens, as its OAuth metadata tells clients."""

    url: str
    issuer: str


class _Verifier(TokenVerifier):
    """Access tokens of this center; a web session's token is none, whoever bears it."""

    def __init__(self, authenticate: Authenticate) -> None:
        self._authenticate = authenticate

    async def verify_token(self, token: str) -> AccessToken | None:
        try:
            principal = await self._authenticate(token)
        except MatphoError:
            return None
        if not principal.program:
            return None
        scopes = sorted(principal.actions or EXPOSED)
        return AccessToken(token=token, client_id=principal.user_id, scopes=scopes, subject=principal.user_id)


class McpServer:
    """The server as a part of the center's own web application."""

    def __init__(self, gateway: Gateway, authenticate: Authenticate, address: McpAddress) -> None:
        self._gateway = gateway
        self._authenticate = authenticate
        self._server: Server[dict[str, Any]] = Server(
            "matpho",
            title="Matpho",
            instructions="Events, cameras and incidents of a city, with the rights of the token's account. "
            "What acts waits for the account's own yes at the center.",
            on_list_tools=self._list,
            on_call_tool=self._call,
        )
        self._app = self._server.streamable_http_app(
            streamable_http_path=PATH,
            json_response=True,
            stateless_http=False,
            session_idle_timeout=SESSION_IDLE_S,
            max_sessions=MAX_SESSIONS,
            max_request_body_size=MAX_BODY,
            # A page that rebinds a name has no token, and without one nothing answers.
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
            auth=AuthSettings(
                issuer_url=AnyHttpUrl(address.issuer),
                resource_server_url=AnyHttpUrl(address.url + PATH),
                validate_token_resource=False,  # the verifier takes tokens of this very center alone
            ),
            token_verifier=_Verifier(authenticate),
        )

    def router(self) -> APIRouter:
        """Its routes, for the center's application."""
        router = APIRouter()
        for path in (PATH, METADATA_PATH):
            router.routes.append(Route(path, endpoint=_Whole(self._app), include_in_schema=False))
        return router

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Keeps the sessions while the application runs."""
        async with self._server.session_manager.run():
            yield

    async def _list(
        self, _context: ServerRequestContext[dict[str, Any]], _params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        principal = await self._principal()
        names = [name for name in EXPOSED if principal.actions is None or TOOLS[name].action in principal.actions]
        return ListToolsResult(tools=[_described(name) for name in names])

    async def _call(
        self, _context: ServerRequestContext[dict[str, Any]], params: CallToolRequestParams
    ) -> CallToolResult:
        principal = await self._principal()
        result = await self._gateway.call(principal, params.name, params.arguments or {}, channel=CHANNEL)
        return _told(result)

    async def _principal(self) -> Principal:
        """Who calls, asked anew for each message: a token that was revoked meanwhile is none."""
        token = get_access_token()
        return await self._authenticate(token.token if token is not None else "")


class _Whole:
    """An application as the endpoint of one path of another."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def _described(name: str) -> Tool:
    tool = TOOLS[name]
    schema = tool.arguments.model_json_schema()
    acts = tool.prepare is not None
    hints = ToolAnnotations(read_only_hint=not acts, destructive_hint=acts, open_world_hint=False)
    return Tool(name=name, description=tool.summary, inputSchema=schema, annotations=hints)


def _told(result: ToolResult) -> CallToolResult:
    document = result.model_dump(mode="json", exclude={"milliseconds"})
    went_well = result.outcome in {Outcome.ANSWERED, Outcome.CONFIRM}
    text = json.dumps(document, ensure_ascii=False)
    return CallToolResult(
        content=[TextContent(type="text", text=text)], structuredContent=document, isError=not went_well
    )
