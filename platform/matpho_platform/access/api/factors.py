"""The second factor: showing it, setting it up, taking it away."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from matpho_platform.access.api import trail
from matpho_platform.access.api.answers import site_of, welcome
from matpho_platform.access.api.schemas import (
    CeremonyShown,
    CodeShown,
    Confirmed,
    EnrolmentShown,
    Me,
    NewPasskey,
    PasskeyAnswer,
    PasskeyShown,
    RecoveryCodes,
)
from matpho_platform.access.errors import FactorError, OneTimeError, SignInError, TooManyTriesError
from matpho_platform.access.passkeys import Ceremony
from matpho_platform.access.sessions import Bearer
from matpho_platform.center import Center
from matpho_platform.web import session
from matpho_platform.web.session import FreshPrincipal, HalfSession, SessionPrincipal, TheCenter

router = APIRouter()
_FAILURES = (SignInError, TooManyTriesError, FactorError, OneTimeError)


async def _may_add(center: Center, bearer: Bearer) -> None:
    """A first factor may be added by whoever knows the password; a further one by who shows one just now."""
    if (await center.accounts.factors(bearer.principal.user_id)).any:
        center.accounts.sessions.require_fresh(bearer.principal)


def _shown(ceremony: Ceremony) -> CeremonyShown:
    return CeremonyShown(ceremony=ceremony.name, options=dict(ceremony.options))


@router.post("/second-factor")
async def second_factor(
    request: Request, response: Response, said: CodeShown, bearer: HalfSession, center: TheCenter
) -> Me:
    """Show a code: finishes a sign-in, or steps an open session up. The session's token changes."""
    token, code = session.token_of(request)[0], said.code.get_secret_value()
    action = "step_up" if bearer.full else "second_factor"
    try:
        opened = await center.accounts.present_code(token, code, place=session.place_of(request))
    except _FAILURES:
        await trail.note(center, bearer.principal, action, outcome="failed")
        raise
    return await welcome(request, response, center, opened, action)


@router.post("/recovery-code")
async def recovery_code(
    request: Request, response: Response, said: CodeShown, bearer: HalfSession, center: TheCenter
) -> Me:
    """Show a recovery code, which uses it up: finishes a sign-in, and does nothing else."""
    token, code = session.token_of(request)[0], said.code.get_secret_value()
    try:
        opened = await center.accounts.present_recovery_code(token, code, place=session.place_of(request))
    except _FAILURES:
        await trail.note(center, bearer.principal, "recovery_code", outcome="failed")
        raise
    return await welcome(request, response, center, opened, "recovery_code")


@router.post("/recovery-codes")
async def new_recovery_codes(principal: FreshPrincipal, center: TheCenter) -> RecoveryCodes:
    """New recovery codes in place of the old ones."""
    if not (await center.accounts.factors(principal.user_id)).totp:
        raise FactorError("Recovery codes go with a code generator.", action="Set one up first.")
    codes = await center.accounts.codes.new_recovery_codes(principal.user_id)
    await trail.note(center, principal, "new_recovery_codes", ids=[principal.user_id])
    return RecoveryCodes(recovery_codes=tuple(codes))


@router.post("/totp")
async def enrol(bearer: HalfSession, center: TheCenter) -> EnrolmentShown:
    """A secret for a code generator; it counts once a code confirms it."""
    await _may_add(center, bearer)
    made = await center.accounts.codes.enrol(bearer.principal.user_id)
    await trail.note(center, bearer.principal, "enrol_totp", ids=[bearer.principal.user_id])
    return EnrolmentShown(secret=made.secret, uri=made.uri)


@router.post("/totp/confirm")
async def confirm(
    request: Request, response: Response, said: CodeShown, bearer: HalfSession, center: TheCenter
) -> Confirmed:
    """The first code of a new generator; returns recovery codes, shown this once."""
    await _may_add(center, bearer)
    token, code, place = session.token_of(request)[0], said.code.get_secret_value(), session.place_of(request)
    try:
        opened, codes = await center.accounts.confirm_codes(token, code, place=place)
    except _FAILURES:
        await trail.note(center, bearer.principal, "confirm_totp", outcome="failed")
        raise
    me = await welcome(request, response, center, opened, "confirm_totp")
    return Confirmed(recovery_codes=tuple(codes), me=me)


@router.delete("/totp", status_code=204)
async def remove_totp(principal: FreshPrincipal, center: TheCenter) -> None:
    """Take the code generator and its recovery codes away."""
    if not await center.accounts.codes.remove(principal.user_id):
        raise FactorError("There is no code generator.")
    await trail.note(center, principal, "remove_totp", ids=[principal.user_id])


@router.get("/passkeys")
async def passkeys(principal: SessionPrincipal, center: TheCenter) -> list[PasskeyShown]:
    """One's own passkeys."""
    found = await center.accounts.passkeys.of(principal.user_id)
    return [PasskeyShown(id=one.id, name=one.name, created=one.created, used=one.used) for one in found]


@router.post("/passkeys/options")
async def passkey_options(request: Request, bearer: HalfSession, center: TheCenter) -> CeremonyShown:
    """What to ask the browser's authenticator for a new passkey."""
    await _may_add(center, bearer)
    who = bearer.principal
    return _shown(await center.accounts.passkeys.begin_registration(site_of(request), who.user_id, who.name))


@router.post("/passkeys")
async def register_passkey(
    request: Request, response: Response, made: NewPasskey, bearer: HalfSession, center: TheCenter
) -> Me:
    """Keep a passkey; the session has thereby shown a second factor."""
    await _may_add(center, bearer)
    token = session.token_of(request)[0]
    try:
        opened = await center.accounts.register_passkey(
            token, site_of(request), made.ceremony, made.credential, made.name
        )
    except _FAILURES:
        await trail.note(center, bearer.principal, "register_passkey", outcome="failed")
        raise
    return await welcome(request, response, center, opened, "register_passkey")


@router.delete("/passkeys/{passkey_id}", status_code=204)
async def remove_passkey(passkey_id: str, principal: FreshPrincipal, center: TheCenter) -> None:
    """Take one of one's own passkeys away."""
    await center.accounts.passkeys.remove(principal.user_id, passkey_id)
    await trail.note(center, principal, "remove_passkey", ids=[passkey_id])


@router.post("/passkeys/step-up/options")
async def step_up_options(request: Request, bearer: HalfSession, center: TheCenter) -> CeremonyShown:
    """What to ask the browser's authenticator to show a passkey in this session."""
    return _shown(await center.accounts.passkeys.begin_step_up(site_of(request), bearer.principal.user_id))


@router.post("/passkeys/step-up")
async def step_up(
    request: Request, response: Response, answer: PasskeyAnswer, bearer: HalfSession, center: TheCenter
) -> Me:
    """Show a passkey: finishes a sign-in, or steps an open session up."""
    token, action = session.token_of(request)[0], "step_up" if bearer.full else "second_factor"
    try:
        opened = await center.accounts.passkey_step_up(token, site_of(request), answer.ceremony, answer.credential)
    except _FAILURES:
        await trail.note(center, bearer.principal, action, outcome="failed")
        raise
    return await welcome(request, response, center, opened, action)
