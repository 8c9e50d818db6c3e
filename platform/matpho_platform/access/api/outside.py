"""Signing in without a password: with a passkey, or through a provider."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from matpho_platform.access.api import trail
from matpho_platform.access.api.answers import base_of, refuse, site_of, welcome
from matpho_platform.access.api.schemas import CeremonyShown, Departure, Me, PasskeyAnswer
from matpho_platform.access.errors import AccountError, OidcError, OneTimeError, SignInError, TooManyTriesError
from matpho_platform.access.oidc import ROUND_TRIP
from matpho_platform.web import session
from matpho_platform.web.session import DEVICE_PATH, FreshPrincipal, TheCenter

router = APIRouter()
OIDC_COOKIE = "matpho_oidc"
OIDC_PATH = f"{DEVICE_PATH}/oidc"


@router.post("/passkeys/sign-in/options", dependencies=[Depends(session.require_own_origin)])
async def passkey_sign_in_options(request: Request, center: TheCenter) -> CeremonyShown:
    """What to ask the browser's authenticator for; no account is named."""
    _spend(request)
    ceremony = await center.accounts.passkeys.begin_sign_in(site_of(request))
    return CeremonyShown(ceremony=ceremony.name, options=dict(ceremony.options))


@router.post("/passkeys/sign-in", dependencies=[Depends(session.require_own_origin)])
async def passkey_sign_in(request: Request, response: Response, answer: PasskeyAnswer, center: TheCenter) -> Me:
    """Open a session with a passkey, which is both factors."""
    site, place = site_of(request), session.place_of(request)
    try:
        opened = await center.accounts.passkey_sign_in(site, answer.ceremony, answer.credential, place=place)
    except (SignInError, OneTimeError) as error:
        await refuse(center, "", "passkey_sign_in", error)
        raise
    return await welcome(request, response, center, opened, "passkey_sign_in")


@router.get("/oidc/{provider}/start", status_code=303, response_class=RedirectResponse)
async def start(provider: str, request: Request, center: TheCenter) -> RedirectResponse:
    """Send the browser to a provider."""
    _spend(request)
    departure = await center.accounts.oidc.depart(provider, _back(request, provider))
    answer = RedirectResponse(departure.url, status_code=303)
    _set_cookie(request, answer, departure.name)
    return answer


@router.post("/oidc/{provider}/link")
async def link(
    provider: str, request: Request, response: Response, principal: FreshPrincipal, center: TheCenter
) -> Departure:
    """Where to send the browser so that one may sign in through a provider from then on."""
    departure = await center.accounts.oidc.depart(provider, _back(request, provider), link=principal.user_id)
    _set_cookie(request, response, departure.name)
    return Departure(url=departure.url)


@router.get("/oidc/{provider}/callback", status_code=303, response_class=RedirectResponse)
async def callback(provider: str, request: Request, center: TheCenter) -> RedirectResponse:
    """Where a provider sends the browser back: opens a session, or links the account that asked for it."""
    answer = RedirectResponse("/", status_code=303)
    try:
        vouched = await center.accounts.oidc.arrive(
            provider, request.cookies.get(OIDC_COOKIE, "")[:128], dict(request.query_params)
        )
        answer.delete_cookie(OIDC_COOKIE, path=OIDC_PATH)
        if vouched.link:
            await center.accounts.link(vouched.link, vouched.issuer, vouched.subject)
            await trail.note_stranger(center, vouched.link, "link_identity", "answered")
            return answer
        _, opened = await center.accounts.oidc_sign_in(vouched, place=session.place_of(request))
    except (OidcError, OneTimeError) as error:
        await refuse(center, "", "oidc_sign_in", error)
        raise
    except AccountError as error:
        await refuse(center, "", "link_identity", error)
        raise
    await welcome(request, answer, center, opened, "oidc_sign_in")
    return answer


def _spend(request: Request) -> None:
    wait = session.center_of(request).accounts.ceremonies.spend(session.client_of(request))
    if wait > 0:
        raise TooManyTriesError(wait)


def _back(request: Request, provider: str) -> str:
    return f"{base_of(request)}{OIDC_PATH}/{provider}/callback"


def _set_cookie(request: Request, response: Response, name: str) -> None:
    """Lax, not strict: the browser comes back from another site."""
    response.set_cookie(
        OIDC_COOKIE,
        name,
        max_age=int(ROUND_TRIP.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=urlsplit(base_of(request)).scheme == "https",
        path=OIDC_PATH,
    )
