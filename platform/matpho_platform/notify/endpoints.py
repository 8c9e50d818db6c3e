"""Notices over HTTP: everybody's own, and what platforms and gateways call us with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from matpho_platform.access.watching import ending_with_session
from matpho_platform.center import Center
from matpho_platform.notify.desk import Desk
from matpho_platform.notify.errors import NoticeNotFoundError
from matpho_platform.notify.people import AddressView, Preferences
from matpho_platform.notify.schemas import Channel
from matpho_platform.notify.updates import MAX_BODY
from matpho_platform.web.problems import declared
from matpho_platform.web.session import FreshPrincipal, SessionPrincipal, TheCenter

PREFIX = "/api/v1/notify"
BODY_LIMITS = {f"{PREFIX}/": MAX_BODY}
STREAM_EVERY_S = 1.0
_Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Token = Annotated[str, StringConstraints(pattern=r"^[2-9A-Z]{10}$")]
router = APIRouter(prefix=PREFIX, tags=["notify"])
_CALLED = declared({403: "The call does not prove where it comes from."})


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Own(BaseModel):
    """How the caller is reached, and what the installation offers."""

    preferences: Preferences
    addresses: tuple[AddressView, ...]
    channels: tuple[Channel, ...]
    push_key: str


class NewAddress(_Body):
    """A mail address or a telephone of one's own."""

    channel: Literal[Channel.EMAIL, Channel.SMS]
    address: _Text


class Code(_Body):
    """What came to a new address."""

    code: _Text


class Browser(_Body):
    """A browser's subscription (`PushSubscription.toJSON()`)."""

    subscription: dict[str, Any] = Field(max_length=10)


class NewLink(_Body):
    """Which chat to link."""

    channel: Literal[Channel.TELEGRAM, Channel.ZALO_BOT, Channel.ZALO_OA]


class Link(BaseModel):
    """To be sent from the chat, once, within ten minutes."""

    code: str
    link: str


def _desk(center: Center) -> Desk:
    if center.desk is None:
        raise NoticeNotFoundError("This center tells nobody anything.")
    return center.desk


@router.get("/me")
async def own(principal: SessionPrincipal, center: TheCenter) -> Own:
    """How the caller is reached."""
    desk = _desk(center)
    return Own(
        preferences=await desk.people.preferences(principal.user_id),
        addresses=tuple(await desk.people.own(principal.user_id)),
        channels=tuple(desk.senders),
        push_key=desk.own.push_key,
    )


@router.put("/me/preferences", status_code=204)
async def wish(wanted: Preferences, principal: SessionPrincipal, center: TheCenter) -> None:
    """Language, order of channels, quiet hours."""
    await _desk(center).people.wish(principal.user_id, wanted)


@router.post("/me/addresses", status_code=202)
async def add_address(wanted: NewAddress, principal: FreshPrincipal, center: TheCenter) -> dict[str, str]:
    """A new address, with one's second factor; a code goes there, and nothing else until it comes back."""
    return {"id": await _desk(center).own.claim_address(principal.user_id, wanted.channel, wanted.address)}


@router.post("/me/addresses/confirm", status_code=204)
async def confirm_address(said: Code, principal: SessionPrincipal, center: TheCenter) -> None:
    """The code that came to a new address."""
    await _desk(center).own.confirm_address(principal.user_id, said.code)


@router.delete("/me/addresses/{address_id}", status_code=204)
async def remove_address(address_id: str, principal: SessionPrincipal, center: TheCenter) -> None:
    """Forget an address of one's own; the roster's are the installation's."""
    await _desk(center).people.remove(principal.user_id, address_id)


@router.post("/me/browsers", status_code=201)
async def subscribe(browser: Browser, principal: SessionPrincipal, center: TheCenter) -> dict[str, str]:
    """This browser gets notices from now on."""
    return {"id": await _desk(center).own.subscribe(principal.user_id, json.dumps(browser.subscription))}


@router.post("/me/links", status_code=201)
async def begin_link(wanted: NewLink, principal: SessionPrincipal, center: TheCenter) -> Link:
    """A code to send from a chat; who has linked one before shows their second factor first."""
    made = await _desk(center).linking.begin(principal, wanted.channel)
    return Link(code=made.code, link=made.link)


@router.get("/me/stream", response_class=EventSourceResponse)
async def stream(principal: SessionPrincipal, center: TheCenter) -> AsyncIterator[ServerSentEvent]:
    """Says each time that the caller has a new notice, which `GET /api/v1/notices` lists; while the session lives."""
    async for token in ending_with_session(_arriving(_desk(center), principal.user_id), center.accounts, principal):
        yield ServerSentEvent(event="notice", data={"token": token})


async def _arriving(desk: Desk, user_id: str) -> AsyncIterator[str]:
    known = ""
    while True:
        token = await desk.notifier.newest(user_id)
        if token != known:
            yield token
        known = token
        await asyncio.sleep(STREAM_EVERY_S)


@router.post("/me/notices/{token}/opened", status_code=204)
async def opened(token: Token, principal: SessionPrincipal, center: TheCenter) -> None:
    """The caller has opened one of their messages, from whatever channel."""
    if not await _desk(center).notifier.opened(principal.user_id, token):
        raise NoticeNotFoundError("You have no such notice.")


@router.post("/telegram", responses=_CALLED)
async def telegram(request: Request, center: TheCenter) -> Response:
    """An update of Telegram's."""
    await _desk(center).inbox.telegram(request.headers, await request.body())
    return Response()


@router.post("/zalo-bot", responses=_CALLED)
async def zalo_bot(request: Request, center: TheCenter) -> Response:
    """An update of the Zalo Bot Platform."""
    await _desk(center).inbox.zalo_bot(request.headers, await request.body())
    return Response()


@router.post("/zalo-oa", responses=_CALLED)
async def zalo_oa(request: Request, center: TheCenter) -> Response:
    """An event of a Zalo official account."""
    await _desk(center).inbox.zalo_oa(request.headers, await request.body())
    return Response()


@router.post("/sms", responses=_CALLED)
async def sms(request: Request, center: TheCenter) -> Response:
    """A text message gateway's word on a message."""
    await _desk(center).inbox.sms(request.headers, await request.body())
    return Response()
