"""Accounts under an administrator's hands. Reading takes an administrator; changing, one who just showed a factor."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from matpho_contracts.ids import ShortId
from matpho_platform.access.administration import Account, require_administrator
from matpho_platform.access.api import trail
from matpho_platform.access.api.own import session_shown
from matpho_platform.access.api.schemas import (
    AccountChange,
    AccountDetail,
    AccountList,
    AccountShown,
    FactorsShown,
    InvitationMade,
    NewAccount,
    NewIdentity,
    SessionShown,
)
from matpho_platform.access.errors import AccountError
from matpho_platform.web.session import FreshPrincipal, SessionPrincipal, TheCenter

router = APIRouter(prefix="/users")


def _shown(account: Account) -> AccountShown:
    return AccountShown(
        id=account.id,
        name=account.name,
        role=account.role,
        areas=account.areas,
        disabled=account.disabled,
        has_password=account.has_password,
        created=account.created,
    )


@router.get("")
async def users(
    principal: SessionPrincipal,
    center: TheCenter,
    part: Annotated[str, Query(max_length=64)] = "",
    after: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AccountList:
    """Accounts by id; `part` is looked for in ids and names."""
    page = await center.administration.page(principal, part=part, after=after, limit=limit)
    return AccountList(accounts=tuple(_shown(one) for one in page.accounts), total=page.total)


@router.post("", status_code=201)
async def create(asked: NewAccount, principal: FreshPrincipal, center: TheCenter) -> InvitationMade:
    """Make an account; its person sets the password with the invitation, shown this once."""
    known = {area.code for area in center.areas.all()}
    if not set(asked.areas) <= known:
        raise AccountError("There is no such area.", action="Take codes of this installation's areas.")
    invitation = await center.administration.create(principal, asked.id, asked.name, asked.role, asked.areas)
    await trail.note(center, principal, "create_account", ids=[asked.id])
    return InvitationMade(invitation=invitation)


@router.get("/{user_id}")
async def user(user_id: ShortId, principal: SessionPrincipal, center: TheCenter) -> AccountDetail:
    """One account."""
    account, factors = await center.administration.get(principal, user_id)
    shown = FactorsShown(totp=factors.totp, passkeys=factors.passkeys, recovery_codes=factors.recovery_codes)
    return AccountDetail(**_shown(account).model_dump(), factors=shown)


@router.patch("/{user_id}")
async def change(user_id: ShortId, asked: AccountChange, principal: FreshPrincipal, center: TheCenter) -> AccountShown:
    """Change name, role, areas, or open and shut; new rights end what the account has open."""
    known = {area.code for area in center.areas.all()}
    if asked.areas is not None and not set(asked.areas) <= known:
        raise AccountError("There is no such area.", action="Take codes of this installation's areas.")
    account = await center.administration.change(
        principal, user_id, name=asked.name, role=asked.role, areas=asked.areas, disabled=asked.disabled
    )
    await trail.note(center, principal, "change_account", ids=[user_id])
    return _shown(account)


@router.post("/{user_id}/invitation", status_code=201)
async def invite(user_id: ShortId, principal: FreshPrincipal, center: TheCenter) -> InvitationMade:
    """A new invitation: its person sets a new password."""
    require_administrator(principal)
    invitation = await center.administration.invite(user_id)
    await trail.note(center, principal, "invite", ids=[user_id])
    return InvitationMade(invitation=invitation)


@router.delete("/{user_id}/second-factor", status_code=204)
async def reset_factors(user_id: ShortId, principal: FreshPrincipal, center: TheCenter) -> None:
    """Take every second factor of an account away (a lost telephone); what it has open ends."""
    await center.administration.get(principal, user_id)
    if user_id == principal.user_id:
        raise AccountError("Remove your own factors one by one.")
    await center.accounts.reset_factors(user_id)
    await trail.note(center, principal, "reset_factors", ids=[user_id])


@router.post("/{user_id}/identities", status_code=204)
async def link(user_id: ShortId, asked: NewIdentity, principal: FreshPrincipal, center: TheCenter) -> None:
    """Link somebody at a provider to an account."""
    await center.administration.get(principal, user_id)
    await center.accounts.link(user_id, asked.issuer, asked.subject)
    await trail.note(center, principal, "link_identity", ids=[user_id])


@router.get("/{user_id}/sessions")
async def sessions(user_id: ShortId, principal: SessionPrincipal, center: TheCenter) -> list[SessionShown]:
    """Where an account is signed in."""
    await center.administration.get(principal, user_id)
    return [session_shown(one, principal.session_id) for one in await center.accounts.sessions.of(user_id)]


@router.delete("/{user_id}/sessions", status_code=204)
async def end_sessions(user_id: ShortId, principal: FreshPrincipal, center: TheCenter) -> None:
    """End everything that an account has open, its API tokens too."""
    await center.administration.get(principal, user_id)
    await center.accounts.end_everything(user_id)
    await trail.note(center, principal, "end_sessions", ids=[user_id])
