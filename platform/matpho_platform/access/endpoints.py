"""Signing in and out, and who I am."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, SecretStr, StringConstraints

from matpho_platform.access.errors import SignInError
from matpho_platform.access.principal import Principal
from matpho_platform.audit.schemas import AuditEntry
from matpho_platform.web import session
from matpho_platform.web.session import CurrentPrincipal, TheCenter

router = APIRouter(prefix="/api/v1/auth", tags=["auth"])


class SignIn(BaseModel):
    """What the sign-in page sends."""

    model_config = ConfigDict(extra="forbid")

    user_id: Annotated[str, StringConstraints(max_length=64)]
    password: SecretStr


class Me(BaseModel):
    """Who is signed in."""

    user_id: str
    name: str
    role: str
    areas: tuple[str, ...]


def _me(principal: Principal) -> Me:
    return Me(user_id=principal.user_id, name=principal.name, role=principal.role.value, areas=principal.areas)


def _entry(user_id: str, role: str, action: str, outcome: str, session_id: str = "") -> AuditEntry:
    return AuditEntry(
        user_id=user_id, role=role, action=action, outcome=outcome, channel="web", session_id=session_id, count=0
    )


@router.post("/sign-in", dependencies=[Depends(session.require_own_origin)])
async def sign_in(request: Request, response: Response, said: SignIn, center: TheCenter) -> Me:
    """Open a session; the cookie is its only bearer."""
    client = session.client_of(request)
    try:
        token = await center.accounts.sign_in(said.user_id, said.password.get_secret_value(), client=client)
    except SignInError:
        await center.audit.append(_entry(said.user_id, "", "sign_in", "failed"))
        raise
    principal = await center.accounts.principal(token)
    await center.audit.append(
        _entry(principal.user_id, principal.role.value, "sign_in", "answered", principal.session_id)
    )
    session.set_cookie(request, response, token)
    return _me(principal)


@router.post("/sign-out", status_code=204)
async def sign_out(request: Request, response: Response, principal: CurrentPrincipal, center: TheCenter) -> None:
    """End the session that asks."""
    token, _ = session.token_of(request)
    await asyncio.shield(center.accounts.sign_out(token))
    await center.audit.append(
        _entry(principal.user_id, principal.role.value, "sign_out", "answered", principal.session_id)
    )
    session.clear_cookie(request, response)


@router.get("/me")
async def me(principal: CurrentPrincipal) -> Me:
    """Who I am; 401 when nobody."""
    return _me(principal)
