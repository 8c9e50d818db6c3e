"""Any service that the library apprise reaches, as an extra; only addresses of the settings, which hold secrets."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Sequence
from typing import Any

from matpho_contracts.errors import ConfigurationError
from matpho_platform.notify.errors import RefusedError, SendError
from matpho_platform.notify.formats import plain
from matpho_platform.notify.outgoing import Outgoing, Taken
from matpho_platform.notify.schemas import Channel
from matpho_platform.notify.settings import AppriseTarget

MAX_TEXT = 2000
TIMEOUT_S = 20.0


class AppriseSender:
    """The configured targets; an address is a target's name. The library works in threads and asks no questions."""

    channel = Channel.APPRISE
    takes_pictures = False

    def __init__(self, targets: Sequence[AppriseTarget]) -> None:
        try:
            library: Any = importlib.import_module("apprise")
        except ImportError:
            raise ConfigurationError(
                "The settings name targets for apprise, which is not installed.", action="Install matpho[apprise]."
            ) from None
        self._library = library
        self._targets: dict[str, Any] = {}
        for target in targets:
            reach = library.Apprise()
            if not reach.add(target.url.get_secret_value()):
                raise ConfigurationError(f"apprise does not know the address of the target {target.name}.")
            self._targets[target.name] = reach

    async def send(self, address: str, message: Outgoing) -> Taken:
        """It knows no idempotency key: a message may come twice."""
        reach = self._targets.get(address)
        if reach is None:
            raise RefusedError("no such target", address_dead=True)
        body = plain(message, MAX_TEXT, answers=False).partition("\n")[2] or message.title
        kind = self._library.NotifyType.WARNING if message.critical else self._library.NotifyType.INFO
        try:
            async with asyncio.timeout(TIMEOUT_S):
                good = await asyncio.to_thread(reach.notify, title=message.title, body=body, notify_type=kind)
        except TimeoutError:
            raise SendError("TimeoutError") from None
        if not good:
            raise SendError("the service did not take it")
        return Taken()

    async def close(self) -> None:
        """Nothing is kept open."""
