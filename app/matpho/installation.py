"""One installation, opened: center, encoder, gateway and assistant wired together, closed in reverse."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from matpho.home import Home
from matpho.registers import fill_registers
from matpho.settings import MatphoSettings
from matpho_agent.assistant import Assistant, open_assistant
from matpho_contracts.errors import NotFoundError
from matpho_embeddings.encoder import Encoder
from matpho_platform.access.principal import PROVINCE_WIDE, Principal, Role
from matpho_platform.center import Center, open_center
from matpho_tools.chat_acts import open_chats
from matpho_tools.gateway import Gateway

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Installation:
    """Everything that answers questions, in one process."""

    home: Home
    settings: MatphoSettings
    center: Center
    gateway: Gateway
    assistant: Assistant
    url: str = ""
    """Where people reach it; empty while it serves nobody but the command line."""

    async def ask(
        self, principal: Principal, text: str, *, now: datetime | None, channel: str, conversation: str | None
    ) -> dict[str, Any]:
        """One turn of a conversation as a JSON document."""
        thread = conversation or secrets.token_hex(8)
        turn = await self.assistant.turn(principal, thread, text, now=now, channel=channel)
        return {
            "outcome": turn.outcome,
            "answer": turn.answer,
            "tool_calls": list(turn.tool_calls),
            "result_ids": list(turn.result_ids),
            "ms": round(turn.milliseconds, 1),
            "conversation": thread,
        }

    async def verify(self) -> dict[str, Any]:
        """Every stored event and every audit entry against what was signed."""
        events = await self.center.verify_all()
        audit = await self.center.audit.verify()
        return {
            "intact": events.intact and audit.intact,
            "events": events.model_dump(mode="json"),
            "audit": audit.model_dump(mode="json"),
        }


@asynccontextmanager
async def open_installation(home: Home, *, follow: bool = False) -> AsyncIterator[Installation]:
    """Open what a home holds; `follow`: to follow its incidents too, as one that is served does.

    Raises ConfigurationError or UnavailableError in words for a person.
    """
    settings = MatphoSettings.of(home)
    encoder = await asyncio.to_thread(_encoder, settings.encoder)
    center = await open_center(settings.center(home, follow=follow), encoder)
    try:
        await _first_accounts(center)
        await fill_registers(center, settings)
        gateway = Gateway(center)
        open_chats(center, gateway)
        async with AsyncExitStack() as stack:
            assistant = await open_assistant(gateway, settings.talk(home), stack)
            yield Installation(home, settings, center, gateway, assistant)
    finally:
        await center.close()


def _encoder(name: str) -> Encoder | None:
    """The encoder, or None (search by filters and words alone) when it is not installed."""
    from matpho_embeddings.models import load_encoder

    try:
        return load_encoder(name)
    except NotFoundError as error:
        _log.warning("no encoder: search by filters and words only", reason=str(error))
        return None


async def _first_accounts(center: Center) -> None:
    """One account a role in a new installation, none of which anybody can sign in to: there is no password.

    The command line can act as them at once; the first administrator's sign-in is made with the one-time token.
    """
    if await center.accounts.all():
        return
    areas = tuple(area.code for area in center.areas.all())
    for role in Role:
        bound = () if role in PROVINCE_WIDE or role is Role.CITIZEN else areas
        await center.accounts.create(role.value, role.value, role, None, areas=bound)
