"""One's own sessions and API tokens."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter

from matpho_platform.access.api import trail
from matpho_platform.access.api.schemas import NewToken, SessionShown, TokenMade, TokenShown
from matpho_platform.access.sessions import OpenSession
from matpho_platform.web.session import FreshPrincipal, SessionPrincipal, TheCenter

router = APIRouter()


def session_shown(one: OpenSession, current: str = "") -> SessionShown:
    """A session as its owner or an administrator sees it."""
    return SessionShown(
        id=one.id,
        current=one.id == current,
        created=one.created,
        used=one.used,
        expires=one.expires,
        mfa_at=one.mfa_at,
        client=one.client,
        device=one.device,
    )


@router.get("/sessions")
async def sessions(principal: SessionPrincipal, center: TheCenter) -> list[SessionShown]:
    """Where one is signed in."""
    return [session_shown(one, principal.session_id) for one in await center.accounts.sessions.of(principal.user_id)]


@router.delete("/sessions/{session_id}", status_code=204)
async def end_session(session_id: str, principal: SessionPrincipal, center: TheCenter) -> None:
    """End one of one's own sessions."""
    await center.accounts.end_session(principal.user_id, session_id)
    await trail.note(center, principal, "end_session", ids=[session_id])


@router.delete("/sessions", status_code=204)
async def end_other_sessions(principal: SessionPrincipal, center: TheCenter) -> None:
    """End every session of one's own but this one."""
    await center.accounts.end_other_sessions(principal)
    await trail.note(center, principal, "end_sessions", ids=[principal.user_id])


@router.get("/tokens")
async def tokens(principal: SessionPrincipal, center: TheCenter) -> list[TokenShown]:
    """One's own API tokens."""
    return [
        TokenShown(
            id=one.id,
            name=one.name,
            actions=one.actions,
            areas=one.areas,
            created=one.created,
            used=one.used,
            expires=one.expires,
        )
        for one in await center.accounts.tokens.of(principal.user_id)
    ]


@router.post("/tokens", status_code=201)
async def make_token(asked: NewToken, principal: FreshPrincipal, center: TheCenter) -> TokenMade:
    """Make an API token; it is shown this once and never carries a second factor."""
    token = await center.accounts.issue_token(
        principal.user_id, asked.name, timedelta(days=asked.days), actions=asked.actions, areas=asked.areas
    )
    await trail.note(center, principal, "make_token", ids=[asked.name])
    return TokenMade(token=token)


@router.delete("/tokens/{token_id}", status_code=204)
async def revoke_token(token_id: str, principal: SessionPrincipal, center: TheCenter) -> None:
    """End one of one's own API tokens."""
    await center.accounts.revoke_token(principal.user_id, token_id)
    await trail.note(center, principal, "revoke_token", ids=[token_id])
