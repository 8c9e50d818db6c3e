"""The accounts of an installation, as its owner handles them from the command line; every change is on the trail."""

from __future__ import annotations

import getpass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from matpho_contracts.ids import ShortId
from matpho_platform.access.principal import Principal, Role
from matpho_platform.audit.schemas import AuditEntry
from matpho_platform.center import Center

OWNER = Principal("operator", "operator", Role.ADMIN)
"""Whoever owns the machine."""


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Account(_Body):
    """A new account, or a new name and password for one."""

    id: ShortId
    name: str
    role: Role
    areas: tuple[ShortId, ...] = ()
    password: SecretStr | None = None
    """Without it the account gets an invitation instead."""


class Token(_Body):
    """An API token to make."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    actions: tuple[str, ...] | None = None
    areas: tuple[ShortId, ...] | None = None
    days: Annotated[int, Field(ge=1, le=90)] = 30


def channel() -> str:
    """How the command line's calls are named on the trail."""
    return f"cli:{getpass.getuser()}"


def add_user_routes(app: FastAPI, center: Center) -> None:
    """`/users` of the operator API."""
    accounts = center.accounts

    async def note(action: str, user_id: str) -> None:
        await center.audit.append(
            AuditEntry(
                user_id=getpass.getuser(),
                role="operator",
                action=action,
                outcome="answered",
                channel=channel(),
                result_ids=(user_id,),
                count=1,
            )
        )

    @app.get("/users")
    async def users() -> list[dict[str, Any]]:
        return [
            {"id": one.user_id, "name": one.name, "role": one.role.value, "areas": list(one.areas)}
            for one in await accounts.all()
        ]

    @app.post("/users")
    async def add_user(account: Account) -> dict[str, str]:
        password = account.password.get_secret_value() if account.password else None
        known = await accounts.find(account.id) is not None
        if known:
            await center.administration.change(OWNER, account.id, name=account.name)
            if password is not None:
                await accounts.set_password(account.id, password)
        else:
            await accounts.create(account.id, account.name, account.role, password, areas=account.areas)
        await note("set_password" if known else "create_account", account.id)
        made = {"id": account.id}
        return made if password is not None else {**made, "invitation": await center.administration.invite(account.id)}

    @app.post("/users/{user_id}/invitation")
    async def invite(user_id: str) -> dict[str, str]:
        invitation = await center.administration.invite(user_id)
        await note("invite", user_id)
        return {"id": user_id, "invitation": invitation}

    @app.post("/users/{user_id}/disable")
    async def disable(user_id: str) -> dict[str, str]:
        await accounts.disable(user_id)
        await note("disable_account", user_id)
        return {"id": user_id}

    @app.post("/users/{user_id}/enable")
    async def enable(user_id: str) -> dict[str, str]:
        await accounts.enable(user_id)
        await note("enable_account", user_id)
        return {"id": user_id}

    @app.post("/users/{user_id}/reset-factors")
    async def reset(user_id: str) -> dict[str, Any]:
        had = await accounts.reset_factors(user_id)
        await note("reset_factors", user_id)
        return {"id": user_id, "removed": had}

    @app.post("/users/{user_id}/tokens")
    async def token(user_id: str, asked: Token) -> dict[str, str]:
        life = timedelta(days=asked.days)
        made = await accounts.issue_token(user_id, asked.name, life, actions=asked.actions, areas=asked.areas)
        await note("make_token", user_id)
        return {"id": user_id, "token": made}
