"""What several endpoints do alike: giving a browser its session, and telling where the browser is."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from fastapi import Request, Response

from matpho_contracts.errors import MatphoError
from matpho_platform.access.api import trail
from matpho_platform.access.api.schemas import FactorsShown, Me
from matpho_platform.access.errors import NoSiteError, NotSignedInError
from matpho_platform.access.passkeys import Site
from matpho_platform.access.sessions import Bearer, Opened
from matpho_platform.access.settings import is_loopback
from matpho_platform.center import Center
from matpho_platform.web import session


async def me_of(center: Center, bearer: Bearer) -> Me:
    """Who a session stands for, and how far it is open."""
    who, factors = bearer.principal, await center.accounts.factors(bearer.principal.user_id)
    half: Literal["due", "missing"] = "due" if factors.any else "missing"
    open_: Literal["shown", "none"] = "none" if who.mfa_at is None else "shown"
    return Me(
        user_id=who.user_id,
        name=who.name,
        role=who.role,
        areas=who.areas,
        second_factor=open_ if bearer.full else half,
        factors=FactorsShown(totp=factors.totp, passkeys=factors.passkeys, recovery_codes=factors.recovery_codes),
        mfa_at=who.mfa_at,
        expires_at=bearer.expires,
    )


async def welcome(request: Request, response: Response, center: Center, opened: Opened, action: str) -> Me:
    """Put a session's new token on the trail and into the browser; a full one makes the device known."""
    bearer = await center.accounts.bearer(opened.token)
    await trail.note(center, bearer.principal, action, outcome="answered" if opened.full else "half")
    await leave_old(request, center, opened)
    session.set_cookie(request, response, opened)
    if opened.full:
        device = session.place_of(request).device
        secret = await center.accounts.devices.remember(device, bearer.principal.user_id)
        session.set_device_cookie(request, response, secret)
    return await me_of(center, bearer)


async def leave_old(request: Request, center: Center, opened: Opened) -> None:
    """End the session that the browser had before, where it is another one."""
    old = request.cookies.get(session.cookie_name(request), "")
    try:
        before = await center.accounts.sessions.read(old)
    except NotSignedInError:
        return
    if before.principal.session_id != opened.session_id:
        await center.accounts.sign_out(old)


async def refuse(center: Center, user_id: str, action: str, error: MatphoError) -> None:
    """Put a try that came to nothing on the trail; one that had to wait only now and then."""
    if error.status != 429 or await center.accounts.newly_refused(user_id):
        await trail.note_stranger(center, user_id, action, "failed", error.code)


def base_of(request: Request) -> str:
    """Our own address as people's browsers have it; raises NoSiteError where the settings do not say."""
    public = session.center_of(request).settings.access.public_url
    if public:
        return public
    host = request.headers.get("host", "")
    if is_loopback(urlsplit(f"//{host}").hostname or ""):
        return f"http://{host}"
    raise NoSiteError("This center does not know its own address.", action="Set access.public_url in the settings.")


def site_of(request: Request) -> Site:
    """Where passkeys are bound to: our origin and host; raises NoSiteError for a bare address, which cannot be one."""
    base = base_of(request)
    host = urlsplit(base).hostname or ""
    if is_loopback(host) and host != "localhost":
        raise NoSiteError("A passkey needs a name, not an address.", action="Open this page at http://localhost.")
    return Site(base, host)
