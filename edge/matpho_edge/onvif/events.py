"""The camera's own events by PullPoint: subscribe, pull, renew, begin again after any failure, always unsubscribe."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from matpho_contracts.errors import MatphoError
from matpho_edge.onvif import xml
from matpho_edge.onvif.model import CameraEvent
from matpho_edge.onvif.services import Services, dig
from matpho_edge.streams.errors import CameraAbilityError, CameraAuthError, CameraProtocolError

SUBSCRIPTION_SECONDS = 120
RENEW_AFTER_SECONDS = 60.0
PULL_SECONDS = 5
"""How long the camera may hold a pull open; an empty answer is normal."""

PULL_LIMIT = 100
MAX_ITEMS = 64
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0


async def pull(services: Services) -> AsyncIterator[CameraEvent]:
    """Events for ever, across reboots of the camera; ends only with CameraAuthError, CameraAbilityError or `aclose`."""
    wait = FIRST_WAIT
    while True:
        address = ""
        try:
            address = await _subscribe(services)
            async for event in _subscription(services, address):
                wait = FIRST_WAIT
                yield event
        except (CameraAuthError, CameraAbilityError):
            raise
        except MatphoError:
            pass  # Whatever it was (reboot, expired subscription, network), subscribe again.
        finally:
            if address:
                with suppress(MatphoError):
                    await services.call("events", "Unsubscribe", binding="subscription", address=address, seconds=3.0)
        await asyncio.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT)


async def _subscribe(services: Services) -> str:
    told = await services.call(
        "events", "CreatePullPointSubscription", {"InitialTerminationTime": f"PT{SUBSCRIPTION_SECONDS}S"}
    )
    address = dig(told, "SubscriptionReference", "Address", "_value_1")
    if not address:
        raise CameraProtocolError(
            f"{services.transport.host.shown}: không có địa chỉ đăng ký (no subscription address)."
        )
    return services.transport.host.web(str(address))


async def _subscription(services: Services, address: str) -> AsyncIterator[CameraEvent]:
    renewed = time.monotonic()
    arguments = {"Timeout": f"PT{PULL_SECONDS}S", "MessageLimit": PULL_LIMIT}
    while True:
        answer = await services.call(
            "events", "PullMessages", arguments, binding="pullpoint", address=address, seconds=PULL_SECONDS + 10.0
        )
        for message in (dig(answer, "NotificationMessage") or [])[:PULL_LIMIT]:
            if (event := read_message(message)) is not None:
                yield event
        if time.monotonic() - renewed > RENEW_AFTER_SECONDS:
            renewed = time.monotonic()
            until = {"TerminationTime": f"PT{SUBSCRIPTION_SECONDS}S"}
            await services.call("events", "Renew", until, binding="subscription", address=address)


def read_message(message: Any) -> CameraEvent | None:
    """One NotificationMessage of the library as our event; None for one without a topic."""
    topic = dig(message, "Topic", "_value_1")
    if topic is None:
        return None
    body = dig(message, "Message", "_value_1")
    if isinstance(body, etree._Element):
        source, data = _raw_items(body, "Source"), _raw_items(body, "Data")
        moment, operation = body.get("UtcTime"), body.get("PropertyOperation", "")
    else:
        source, data = _items(dig(body, "Source")), _items(dig(body, "Data"))
        moment, operation = dig(body, "UtcTime"), dig(body, "PropertyOperation") or ""
    return CameraEvent(_topic(topic), source, data, _moment(moment), str(operation))


def _topic(topic: Any) -> str:
    text = topic if isinstance(topic, str) else xml.text(topic) if isinstance(topic, etree._Element) else str(topic)
    return text.strip()[:200]


def _items(part: Any) -> dict[str, str]:
    listed = (dig(part, "SimpleItem") or [])[:MAX_ITEMS]
    return {str(one.Name): str(one.Value) for one in listed if dig(one, "Name") is not None}


def _raw_items(body: etree._Element, part: str) -> dict[str, str]:
    listed = list(xml.children(xml.find(body, part), "SimpleItem"))[:MAX_ITEMS]
    return {one.get("Name", ""): one.get("Value", "") for one in listed}


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
