"""What the tests of notices share: a desk on either database, a mail server and an HTTP world on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from sqlalchemy import insert

from matpho_contracts.signing import SigningKey
from matpho_contracts.times import now, unix_ms
from matpho_contracts.vocabulary import EventType, Severity
from matpho_platform.access.accounts import Accounts
from matpho_platform.access.principal import Role
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.notify.desk import Desk, open_desk
from matpho_platform.notify.schemas import Action, Facts, Notice, Person
from matpho_platform.notify.service import Notifier
from matpho_platform.notify.settings import NotifySettings
from matpho_platform.settings import CenterSettings
from matpho_platform.store.engine import Store, open_store
from matpho_platform.store.tables import accounts

BASE = "https://matpho.example"
Answering = Callable[["Asked"], Awaitable[Response] | Response]


@dataclass
class Asked:
    """One request that the world got."""

    path: str
    headers: dict[str, str]
    body: bytes
    form: dict[str, Any]

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class World:
    """Gateways and platforms on loopback, which do what a test says."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answering: Answering = lambda _asked: Response("{}", media_type="application/json")

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await task


@pytest.fixture
async def world() -> AsyncIterator[World]:
    app, made = FastAPI(), World()

    @app.post("/{path:path}")
    async def ask(path: str, request: Request) -> Response:
        body = await request.body()
        form: dict[str, Any] = {}
        if request.headers.get("content-type", "").startswith(("multipart", "application/x-www-form")):
            async with request.form() as given:
                form = {key: value if isinstance(value, str) else await value.read() for key, value in given.items()}
        asked = Asked(f"/{path}", dict(request.headers), body, form)
        made.asked.append(asked)
        answer = made.answering(asked)
        return answer if isinstance(answer, Response) else await answer

    async with serving(app) as url:
        made.url = url
        yield made


@dataclass
class Postbox:
    """A mail server that takes everything it does not refuse."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    refuse: str = ""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())
            await writer.drain()

        await say("220 postbox")
        while line := (await reader.readline()).decode().strip():
            word = line.split()[0].upper()
            if word == "RCPT" and self.refuse:
                await say(self.refuse)
            elif word == "DATA":
                await say("354 go on")
                raw = await reader.readuntil(b"\r\n.\r\n")
                letter = message_from_bytes(raw[:-5], policy=policy.default)
                assert isinstance(letter, EmailMessage)
                self.letters.append(letter)
                await say("250 taken")
            elif word == "QUIT":
                await say("221 bye")
                break
            else:
                await say("250 fine")
        writer.close()


@pytest.fixture
async def postbox() -> AsyncIterator[Postbox]:
    made = Postbox()
    server = await asyncio.start_server(made.talk, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await server.wait_closed()


@dataclass
class Clock:
    """A clock that a test moves."""

    at: datetime = field(default_factory=now)

    def __call__(self) -> datetime:
        return self.at

    def on(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(settings: CenterSettings) -> AsyncIterator[Store]:
    url = settings.database_url
    opened = await open_store(url.get_secret_value() if url else settings.data / "center.db")
    people: tuple[tuple[str, Role, list[str]], ...] = (
        ("an", Role.OFFICER, ["p-ba-dinh"]),
        ("binh", Role.COMMANDER, []),
        ("chi", Role.OFFICER, ["p-hoan-kiem"]),
    )
    rows = [
        {
            "user_id": user_id,
            "name": user_id.title(),
            "role": role.value,
            "areas": json.dumps(areas),
            "password_hash": "",
            "disabled": False,
            "created_ms": unix_ms(now()),
        }
        for user_id, role, areas in people
    ]
    async with opened.writing() as session:
        await session.run(insert(accounts), rows)
    yield opened
    await opened.close()


@pytest.fixture
def areas(settings: CenterSettings) -> AreaTree:
    return AreaTree(settings.areas)


@pytest.fixture
def notifier(store: Store, areas: AreaTree) -> Notifier:
    return Notifier(store, areas)


def people_of(store: Store, clock: Clock) -> Accounts:
    return Accounts(store, clock=clock)


OpenDesk = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def open_with(
    store: Store, notifier: Notifier, areas: AreaTree, tmp_path: Path, clock: Clock
) -> AsyncIterator[OpenDesk]:
    """Opens desks with settings; all are closed at the end."""
    opened: list[Desk] = []

    async def make(settings: dict[str, Any], **more: Any) -> Desk:
        desk = await open_desk(
            NotifySettings.model_validate(settings), store, notifier, areas, people_of(store, clock),
            key=SigningKey.generate(), data=tmp_path, base=BASE, clock=clock, **more,
        )  # fmt: skip
        opened.append(desk)
        return desk

    yield make
    for desk in opened:
        await desk.close()


def make_alert(key: str = "i-1:ward", to: str = "an", **changes: Any) -> Notice:
    facts = {
        "incident_id": "i-1",
        "event_type": EventType.FIRE,
        "camera_id": "cam-1",
        "camera_name": "Cổng trường Trần Phú",
        "area": "p-ba-dinh",
        "place": "Phường Ba Đình",
        "time": datetime.fromisoformat("2026-11-20T05:00:00+00:00"),
        "caption": "Khói trên mái nhà",
    } | changes.pop("facts", {})
    values: dict[str, Any] = {
        "key": key,
        "to": Person(user_id=to),
        "severity": Severity.HIGH,
        "facts": Facts(**facts),
        "link": "/#incidents/i-1",
        "actions": (Action.ACKNOWLEDGE, Action.SNOOZE, Action.FALSE_ALARM),
    }
    return Notice(**(values | changes))


@pytest.fixture
def alert() -> Callable[..., Notice]:
    return make_alert


@pytest.fixture
def promise(store: Store, notifier: Notifier, clock: Clock) -> Callable[[Notice], Awaitable[str]]:
    async def tell(notice: Notice) -> str:
        async with store.writing() as session:
            return await notifier.promise(session, notice, at=clock.at)

    return tell
