"""What the command line asks of a center: a small API on a socket that only the installation's owner can open.

Whoever owns the home may act as any account, as root may on a machine; each such call goes through the same gateway as
the web's and is on the audit trail with the channel `cli:<system user>`.
"""

from __future__ import annotations

import getpass
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, SecretStr
from starlette.requests import Request

from matpho.installation import Installation
from matpho_contracts.errors import MatphoError, NotFoundError
from matpho_contracts.ids import ShortId
from matpho_contracts.times import AwareDatetime
from matpho_platform.access.principal import Principal, Role
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


class Account(_Body):
    """A new account, or a new password for one."""

    id: ShortId
    name: str
    role: Role
    areas: tuple[ShortId, ...] = ()
    password: SecretStr


class Box(_Body):
    """A box that shall enrol."""

    id: ShortId


def channel() -> str:
    """How the command line's calls are named on the trail."""
    return f"cli:{getpass.getuser()}"


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

    @app.get("/users")
    async def users() -> list[dict[str, Any]]:
        accounts = await center.accounts.all()
        return [{"id": a.user_id, "name": a.name, "role": a.role.value, "areas": list(a.areas)} for a in accounts]

    @app.post("/users")
    async def add_user(account: Account) -> dict[str, str]:
        password = account.password.get_secret_value()
        if any(one.user_id == account.id for one in await center.accounts.all()):
            await center.accounts.set_password(account.id, password)
        else:
            await center.accounts.create(account.id, account.name, account.role, password, areas=account.areas)
        return {"id": account.id}

    @app.post("/boxes")
    async def add_box(box: Box) -> dict[str, str]:
        await center.edges.configure([EdgeEntry(id=box.id)])
        return {"token": await center.edges.issue_token(box.id)}

    return app
