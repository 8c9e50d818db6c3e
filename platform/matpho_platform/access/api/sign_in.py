"""Signing in and out, one's own password, invitations, and the first administrator."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Depends, Request, Response

from matpho_platform.access.api import trail
from matpho_platform.access.api.answers import base_of, me_of, refuse, site_of, welcome
from matpho_platform.access.api.schemas import (
    FirstAdministrator,
    Invited,
    Me,
    NewPassword,
    Provider,
    SignIn,
    Ways,
)
from matpho_platform.access.errors import (
    AccountError,
    NoSiteError,
    OneTimeError,
    SignInError,
    TooManyTriesError,
)
from matpho_platform.web import session
from matpho_platform.web.session import HalfSession, SessionPrincipal, TheCenter

router = APIRouter()


@router.get("/ways")
async def ways(request: Request, center: TheCenter) -> Ways:
    """How one may sign in here."""
    try:
        passkeys = bool(site_of(request).host)
    except NoSiteError:
        passkeys = False
    try:
        providers = [Provider(id=one.id, name=one.name) for one in center.accounts.oidc.providers() if base_of(request)]
    except NoSiteError:
        providers = []
    first = await center.administration.needs_first()
    return Ways(passkeys=passkeys, providers=tuple(providers), first_administrator=first)


@router.post("/sign-in", dependencies=[Depends(session.require_own_origin)])
async def sign_in(request: Request, response: Response, said: SignIn, center: TheCenter) -> Me:
    """Open a session; the cookie is its only bearer. Where a second factor is due the session is half open."""
    place = session.place_of(request)
    try:
        opened = await center.accounts.sign_in(said.user_id, said.password.get_secret_value(), place=place)
    except (SignInError, TooManyTriesError) as error:
        await refuse(center, said.user_id, "sign_in", error)
        raise
    return await welcome(request, response, center, opened, "sign_in")


@router.post("/sign-out", status_code=204)
async def sign_out(request: Request, response: Response, bearer: HalfSession, center: TheCenter) -> None:
    """End the session that asks."""
    token, _ = session.token_of(request)
    await asyncio.shield(center.accounts.sign_out(token))
    await trail.note(center, bearer.principal, "sign_out")
    session.clear_cookie(request, response)


@router.get("/me")
async def me(bearer: HalfSession, center: TheCenter) -> Me:
    """Who I am; 401 when nobody."""
    return await me_of(center, bearer)


@router.post("/password", status_code=204)
async def password(request: Request, said: NewPassword, principal: SessionPrincipal, center: TheCenter) -> None:
    """Set one's own password; every other session ends."""
    await center.accounts.require_fresh(principal)
    place = session.place_of(request)
    present, new = said.present.get_secret_value(), said.password.get_secret_value()
    try:
        await center.accounts.change_password(principal, present, new, place=place)
    except (SignInError, TooManyTriesError):
        await trail.note(center, principal, "set_password", outcome="failed")
        raise
    await trail.note(center, principal, "set_password", ids=[principal.user_id])


@router.post("/invitation", dependencies=[Depends(session.require_own_origin)])
async def invitation(request: Request, response: Response, said: Invited, center: TheCenter) -> Me:
    """Set one's password by invitation, and sign in with it."""
    place, new = session.place_of(request), said.password.get_secret_value()
    try:
        user_id = await center.administration.accept(said.invitation, new)
    except (OneTimeError, AccountError) as error:
        await refuse(center, "", "accept_invitation", error)
        raise
    opened = await center.accounts.sign_in(user_id, new, place=place)
    return await welcome(request, response, center, opened, "accept_invitation")


@router.post("/first-administrator", dependencies=[Depends(session.require_own_origin)])
async def first_administrator(request: Request, response: Response, said: FirstAdministrator, center: TheCenter) -> Me:
    """Make the first administrator by the one-time token of a new installation, and sign in."""
    place, new = session.place_of(request), said.password.get_secret_value()
    try:
        await center.administration.make_first(said.token, said.user_id, said.name, new)
    except (OneTimeError, AccountError) as error:
        await refuse(center, "", "first_admin", error)
        raise
    opened = await center.accounts.sign_in(said.user_id, new, place=place)
    return await welcome(request, response, center, opened, "first_admin")
