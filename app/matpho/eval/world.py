"""A world made real: a fresh center filled from its file once, and a copy of that for every conversation."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from matpho.eval.world_box import WorldBox
from matpho.eval.world_file import FileMisfitError, World, WorldFeedback, WorldUser, first_problem
from matpho.eval.world_index import LentIndex
from matpho_agent.assistant import Assistant, open_assistant
from matpho_agent.planner.model_settings import AssistantSettings, ModelSettings
from matpho_contracts.errors import BadInputError
from matpho_contracts.geometry import Location
from matpho_contracts.signing import SigningKey
from matpho_contracts.text import words
from matpho_embeddings.encoder import Encoder
from matpho_embeddings.index.contract import IndexFilter
from matpho_platform.access.principal import PROVINCE_WIDE, Principal, Role
from matpho_platform.cameras.areas import Area
from matpho_platform.center import Center, open_center
from matpho_platform.feedback.schemas import FeedbackRecord
from matpho_platform.identity.schemas import IdentityGrant, IdentitySettings
from matpho_platform.settings import CenterSettings
from matpho_simcity.authentication_centre.desk import UnitGrant
from matpho_simcity.authentication_centre.stand_in import StandInCentre
from matpho_tools.gateway import Gateway

INDEX_SECONDS = 900
"""How long the index may take over the events of a world."""


@dataclass(slots=True)
class Stage:
    """One fresh installation that a conversation is played on."""

    center: Center
    gateway: Gateway
    assistant: Assistant
    box: WorldBox


class Stages:
    """Makes a fresh installation of a world, again and again, in a folder that several processes may share."""

    def __init__(self, world: World, folder: Path, encoder: Encoder | None, model: ModelSettings | None = None) -> None:
        self._world = world
        self._folder = folder
        self._encoder = encoder
        self._model = model
        self._key = SigningKey.load_or_create(folder / "box.pem")
        self._index: LentIndex | None = None

    async def build(self) -> None:
        """Fill the installation that all others are copies of; once a folder. Raises what the center raises."""
        center = await open_center(self._settings(self._folder / "template"), self._encoder)
        try:
            await fill(center, self._world, WorldBox(center, self._world, self._key))
        finally:
            await center.close()

    @asynccontextmanager
    async def fresh(self, gateway: type[Gateway] = Gateway) -> AsyncIterator[Stage]:
        """A copy of the filled installation with its box at work; thrown away afterwards."""
        home, template = self._folder / secrets.token_hex(8), self._folder / "template"
        without_index = shutil.ignore_patterns("index")
        await asyncio.to_thread(shutil.copytree, template, home, ignore=without_index)
        try:
            async with AsyncExitStack() as stack:
                center = await open_center(self._settings(home), self._encoder, index=await self._lent())
                stack.push_async_callback(center.close)
                self._connect(center)
                box = WorldBox(center, self._world, self._key)
                stack.push_async_callback(_stopped, asyncio.create_task(box.serve()))
                opened = gateway(center)
                talk = AssistantSettings(model=self._model, memory_path=home / "conversations.db")
                yield Stage(center, opened, await open_assistant(opened, talk, stack), box)
        finally:
            await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)

    async def _lent(self) -> LentIndex | None:
        """The index of this process's conversations: its own copy of the world's, opened with the first of them."""
        if self._index is None and self._encoder is not None:
            own = self._folder / f"index-{secrets.token_hex(8)}"
            await asyncio.to_thread(shutil.copytree, self._folder / "template" / "index", own)
            self._index = await LentIndex.open(own, self._encoder.dim)
        return self._index

    async def close(self) -> None:
        """Close what the conversations shared."""
        if self._index is not None:
            await self._index.take_back()
            self._index = None

    def _connect(self, center: Center) -> None:
        """A world has no network: a stand-in centre answers identity checks within the grant."""
        grant = self._world.identity_grant
        if grant is not None:
            granted = UnitGrant(grant.unit_code, grant.purposes, grant.fields, grant.valid_to)
            stand_in = StandInCentre([granted])
            center.identity.connect(stand_in, stand_in.key)

    def _settings(self, home: Path) -> CenterSettings:
        areas = tuple(
            Area(
                code=area.code,
                name=area.name,
                level=area.level,
                parent=area.parent,
                aliases=area.aliases,
                center=Location(lat=area.center[0], lon=area.center[1]) if area.center else None,
            )
            for area in self._world.areas
        )
        grant = self._world.identity_grant
        granted = IdentityGrant.model_validate(plain(grant)) if grant else None
        return CenterSettings(name=self._world.name, data=home, areas=areas, identity=IdentitySettings(grant=granted))


async def fill(center: Center, world: World, box: WorldBox) -> None:
    """Bring a world into an empty center: 1 accounts, 2 cameras, 3 events, 4 procedures, units and incidents,
    5 citizens' reports, 6 identity requests. Raises FileMisfitError for a value that a part of the center refuses.
    """
    try:
        for user in world.users:  # 1
            areas = areas_of(user)
            await center.accounts.create(user.id, user.name, user.role, secrets.token_urlsafe(32), areas=areas)
        await box.enrol()  # 2
        await box.report_cameras()
        await box.send_events()  # 3
        await center.incidents.load(  # 4
            procedures=[plain(procedure) for procedure in world.procedures],
            units=[plain(unit) for unit in world.units],
            incidents=[plain(incident) for incident in world.incidents],
        )
        await center.feedback.load([_report(report) for report in world.feedback])  # 5
        requests = [plain(request) for request in world.identity_requests]
        await center.identity.load(requests=requests, now=world.now)  # 6
    except ValidationError as error:
        raise FileMisfitError(f"The world {world.name}: {first_problem(error)}") from error
    except BadInputError as error:
        raise FileMisfitError(f"The world {world.name}: {error}") from error
    await _indexed(center, len(world.events))


def plain(record: BaseModel) -> dict[str, Any]:
    """A record's own fields as plain values, by the names of the format, nothing that is not given."""
    known = set(type(record).model_fields)
    return record.model_dump(mode="json", by_alias=True, exclude_none=True, include=known)


def _report(report: WorldFeedback) -> FeedbackRecord:
    category = "_".join(words(report.category))[:32] or "other"
    return FeedbackRecord.model_validate({**plain(report), "category": category})


def principal_of(user: WorldUser, present: datetime) -> Principal:
    """The user as signed in at that moment; a second factor, where the user has one, was shown just then."""
    mfa_at = present if user.mfa else None
    return Principal(user.id, user.name, user.role, areas_of(user), session_id=f"eval-{user.id}"[:64], mfa_at=mfa_at)


def areas_of(user: WorldUser) -> tuple[str, ...]:
    """The areas that bind an account: none where the role looks over the whole province, or is a citizen's."""
    bound = user.role not in PROVINCE_WIDE and user.role is not Role.CITIZEN
    return (user.area,) if bound and user.area else ()


async def _indexed(center: Center, events: int) -> None:
    """Wait until every event can be found; raises RuntimeError when the index does not take them in."""
    for _ in range(INDEX_SECONDS * 10):
        if center.index is None or await center.index.count(IndexFilter()) >= events:
            return
        await asyncio.sleep(0.1)
    raise RuntimeError("the index did not take in the events of the world")


async def _stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
