"""What the command line asks of a center: a small API on a socket that only the installation's owner can open.

Whoever owns the home may act as any account, as root may on a machine; each such call goes through the same gateway as
the web's and is on the audit trail with the channel `cli:<system user>`.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request

from matpho.audit_desk import add_audit_routes
from matpho.installation import Installation
from matpho.operator_notify import add_notify_routes
from matpho.operator_policies import add_policy_routes
from matpho.operator_users import add_user_routes, channel
from matpho_contracts.errors import MatphoError, NotFoundError
from matpho_contracts.ids import ShortId
from matpho_contracts.times import AwareDatetime
from matpho_platform.access.principal import Principal
from matpho_platform.cameras.edges import EdgeEntry


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Asked(_Body):
    """A sentence for the assistant."""

    user: str
    text: str
    now: AwareDatetime | None = None
    conversation: str | None = None


class ToolCall(_Body):
    """One tool with its arguments."""

    user: str
    tool: str
    arguments: dict[str, Any]


class Box(_Body):
    """A box that shall enrol."""

    id: ShortId


def create_operator(installation: Installation) -> FastAPI:
    """The API over an open installation."""
    app = FastAPI(title="Matpho operator", docs_url=None, redoc_url=None, openapi_url=None)
    center = installation.center

    @app.exception_handler(MatphoError)
    async def _error(_: Request, error: MatphoError) -> JSONResponse:
        content = {"code": error.code, "message": error.message, "action": error.action, "exit_code": error.exit_code}
        return JSONResponse(content, status_code=error.status)

    async def principal(user: str) -> Principal:
        found = next((one for one in await center.accounts.all() if one.user_id == user), None)
        if found is None:
            raise NotFoundError(f"There is no account {user}.", action="List them with: matpho users")
        return found

    @app.get("/installation")
    async def about() -> dict[str, Any]:
        return {"url": installation.url, "areas": [area.model_dump(mode="json") for area in center.areas.all()]}

    @app.post("/ask")
    async def ask(asked: Asked) -> dict[str, Any]:
        who = await principal(asked.user)
        return await installation.ask(
            who, asked.text, now=asked.now, channel=channel(), conversation=asked.conversation
        )

    @app.post("/tools")
    async def tool(call: ToolCall) -> dict[str, Any]:
        who = await principal(call.user)
        result = await installation.gateway.call(who, call.tool, call.arguments, channel=channel())
        return result.model_dump(mode="json")

    @app.post("/verify")
    async def verify() -> dict[str, Any]:
        return await installation.verify()

    add_user_routes(app, center)
    add_policy_routes(app, center)
    add_notify_routes(app, center)
    add_audit_routes(app, center, channel())

    @app.post("/boxes")
    async def add_box(box: Box) -> dict[str, str]:
        await center.edges.configure([EdgeEntry(id=box.id)])
        return {"token": await center.edges.issue_token(box.id)}

    return app
