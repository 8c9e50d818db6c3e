"""Who calls: a cookie session or an API token, and the defence of cookies against other sites' pages.

A browser adds the cookie by itself, also to requests that another site's page makes. So with a cookie, whatever may
change something, and every WebSocket, must come from our own origin: the `Origin` header says so, and no page can
forge it. An API token is added by nobody but its owner and needs no such check. Neither passes for the other: a session
is good in its cookie alone, an API token in the Authorization header alone.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends
from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
from fastapi.openapi.models import SecurityBase as Scheme
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection
from starlette.responses import Response

from matpho_contracts.errors import MatphoError
from matpho_platform.access.accounts import Place
from matpho_platform.access.devices import REMEMBERED
from matpho_platform.access.errors import NotSignedInError, SessionOnlyError
from matpho_platform.access.principal import Principal
from matpho_platform.access.sessions import Bearer, Opened
from matpho_platform.access.tokens import PREFIX
from matpho_platform.center import Center

COOKIE = "matpho_session"
SECURE_COOKIE = "__Host-matpho_session"
DEVICE_COOKIE = "matpho_device"
DEVICE_PATH = "/api/v1/auth"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MAX_TOKEN = 128


class ForeignOriginError(MatphoError):
    """The request comes from a page of another site."""

    code = "foreign_origin"
    status = 403


def center_of(connection: HTTPConnection) -> Center:
    """The center that the app serves."""
    center: Center = connection.app.state.center
    return center


def client_of(connection: HTTPConnection) -> str:
    """The caller's network address; behind a proxy, the one that our proxy added last."""
    if center_of(connection).settings.behind_proxy:
        forwarded = connection.headers.get("x-forwarded-for", "")
        if forwarded:
            return forwarded.rsplit(",", 1)[-1].strip()[:64]
    return connection.client.host if connection.client else ""


def require_own_origin(connection: HTTPConnection) -> None:
    """Return when the request comes from our own pages; raise ForeignOriginError when not or when it does not say."""
    origin = connection.headers.get("origin", "")
    own = urlsplit(origin).netloc == connection.headers.get("host", "") and origin.startswith(("http://", "https://"))
    if not own and origin not in center_of(connection).settings.origins:
        raise ForeignOriginError("This request does not come from a page of this center.", action="Use our own pages.")


def token_of(connection: HTTPConnection) -> tuple[str, bool]:
    """The token that a request bears, and whether it came as a cookie; raises NotSignedInError when there is none."""
    scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and 0 < len(bearer) <= _MAX_TOKEN and bearer.startswith(PREFIX):
        return bearer, False
    cookie = connection.cookies.get(cookie_name(connection), "")
    if 0 < len(cookie) <= _MAX_TOKEN and not cookie.startswith(PREFIX) and scheme.lower() != "bearer":
        return cookie, True
    raise NotSignedInError("You are not signed in.", action="Sign in.")


def cookie_name(connection: HTTPConnection) -> str:
    """Over TLS the cookie is bound to this very host."""
    return SECURE_COOKIE if center_of(connection).settings.behind_proxy else COOKIE


def _checked_token(connection: HTTPConnection) -> str:
    token, from_cookie = token_of(connection)
    method = connection.scope.get("method", "WEBSOCKET")
    if from_cookie and method not in _SAFE:
        require_own_origin(connection)
    return token


class _Described(SecurityBase):
    """Names a way to sign in in the description of the API; `_checked_token` is what looks at it."""

    def __init__(self, name: str, scheme: Scheme) -> None:
        self.scheme_name, self.model = name, scheme

    async def __call__(self) -> None:
        """Nothing to do."""


_COOKIE = APIKey.model_validate({"in": APIKeyIn.cookie, "name": COOKIE, "description": f"Over TLS: {SECURE_COOKIE}."})
BySession = Annotated[None, Depends(_Described("session", _COOKIE))]
ByToken = Annotated[None, Depends(_Described("token", HTTPBearer(description="An API token.")))]


async def current_principal(
    connection: HTTPConnection, _session: BySession = None, _token: ByToken = None
) -> Principal:
    """FastAPI dependency: who calls. Raises NotSignedInError, SecondFactorNeededError, ForeignOriginError."""
    return await center_of(connection).accounts.principal(_checked_token(connection))


async def half_session(connection: HTTPConnection, _session: BySession = None) -> Bearer:
    """FastAPI dependency: a person in a browser, also one whose second factor is missing; raises SessionOnlyError."""
    bearer = await center_of(connection).accounts.bearer(_checked_token(connection))
    if bearer.kind != "session":
        raise SessionOnlyError("A token cannot do this.", action="Sign in on the page.")
    return bearer


async def session_principal(connection: HTTPConnection, _session: BySession = None) -> Principal:
    """FastAPI dependency: a person who is signed in in a browser; raises SessionOnlyError for an API token."""
    principal = await current_principal(connection)
    if token_of(connection)[0].startswith(PREFIX):
        raise SessionOnlyError("A token cannot do this.", action="Sign in on the page.")
    return principal


async def fresh_principal(connection: HTTPConnection, _session: BySession = None) -> Principal:
    """FastAPI dependency: such a person, who showed their second factor just now; raises StepUpError."""
    principal = await session_principal(connection)
    await center_of(connection).accounts.require_fresh(principal)
    return principal


CurrentPrincipal = Annotated[Principal, Depends(current_principal)]
HalfSession = Annotated[Bearer, Depends(half_session)]
SessionPrincipal = Annotated[Principal, Depends(session_principal)]
FreshPrincipal = Annotated[Principal, Depends(fresh_principal)]
TheCenter = Annotated[Center, Depends(center_of)]


def place_of(connection: HTTPConnection) -> Place:
    """Where a try to sign in comes from."""
    device = connection.cookies.get(DEVICE_COOKIE, "")[:_MAX_TOKEN]
    return Place(client_of(connection), device, connection.headers.get("user-agent", "")[:200])


def set_cookie(connection: HTTPConnection, response: Response, opened: Opened) -> None:
    """Give the browser its session: out of reach of scripts, sent to us alone."""
    response.set_cookie(
        cookie_name(connection),
        opened.token,
        max_age=int(opened.life.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=center_of(connection).settings.behind_proxy,
        path="/",
    )


def set_device_cookie(connection: HTTPConnection, response: Response, secret: str) -> None:
    """Let the browser be known the next time somebody signs in on it."""
    response.set_cookie(
        DEVICE_COOKIE,
        secret,
        max_age=int(REMEMBERED.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=center_of(connection).settings.behind_proxy,
        path=DEVICE_PATH,
    )


def clear_cookie(connection: HTTPConnection, response: Response) -> None:
    """Take the session back."""
    secure = center_of(connection).settings.behind_proxy
    response.delete_cookie(cookie_name(connection), httponly=True, samesite="strict", secure=secure, path="/")
