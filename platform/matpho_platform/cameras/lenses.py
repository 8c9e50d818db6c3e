"""Turning a camera's lens: who holds it, the command to its box, and a record of every turn that was asked for.

Whoever turns a lens holds it for HOLD; whether somebody else may take it over meanwhile is asked of the policy (as it
ships: the same or a higher role may). Nothing is asked of a camera that is known to be away.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict
from sqlalchemy import RowMapping

from matpho_contracts.edge_api import MoveArguments
from matpho_contracts.ids import new_event_id
from matpho_contracts.times import AwareDatetime, from_unix_ms, unix_ms
from matpho_platform.access.errors import DeniedError
from matpho_platform.access.policy import Denied, PolicyEngine, Resource
from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.cameras import lens_repository as repository
from matpho_platform.cameras.commands import CommandQueue
from matpho_platform.cameras.errors import CameraAwayError, CommandFailedError, EdgeSilentError
from matpho_platform.cameras.schemas import CameraStatus
from matpho_platform.cameras.service import CameraService
from matpho_platform.store.engine import Store
from matpho_platform.store.session import WriteSession

HOLD = timedelta(minutes=2)
MOVE_TIMEOUT_S = 25.0
"""A lens may take its time to a preset at the other end; cameras answer some of these only when it stands."""
ACTION = "move_camera"


class Hold(BaseModel):
    """Who holds a lens, and until when."""

    model_config = ConfigDict(frozen=True)

    camera_id: str
    user_id: str
    role: Role
    until: AwareDatetime


class Turned(BaseModel):
    """A turn that the box has carried out; angles in degrees (pan + right, tilt + up), zoom a share of the range."""

    model_config = ConfigDict(frozen=True)

    camera_id: str
    name: str
    preset: str | None = None
    home: bool = False
    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0
    asked_at: AwareDatetime
    held_until: AwareDatetime
    repeated: bool = False
    """Whether this very turn had been done before, so that nothing new was done."""


class Lenses:
    """Turns lenses for those whom the policy has permitted."""

    def __init__(
        self,
        store: Store,
        cameras: CameraService,
        commands: CommandQueue,
        policy: PolicyEngine,
        *,
        timeout_s: float = MOVE_TIMEOUT_S,
    ) -> None:
        self._store = store
        self._policy = policy
        self._cameras = cameras
        self._commands = commands
        self._timeout_s = timeout_s

    async def turnable(self, principal: Principal, scope: Scope, camera_id: str, at: datetime) -> CameraStatus:
        """The camera, if this caller could turn it now.

        Raises CameraNotFoundError (outside the scope too), DeniedError (`not_ptz`, `camera_held`), EdgeSilentError or
        CameraAwayError when the box or the camera is known to be away.
        """
        status = await self._cameras.status(scope, camera_id)
        if status.camera.kind != "ptz":
            raise DeniedError(
                "not_ptz",
                f"Camera {camera_id} cố định, không thể xoay.",
                f"Camera {camera_id} is fixed and cannot be turned.",
            )
        self._refuse_held(await self.hold(camera_id, at), principal, status.camera.area, at)
        _refuse_away(status)
        return status

    async def hold(self, camera_id: str, at: datetime) -> Hold | None:
        """Who holds the lens at a moment, or None."""
        async with self._store.reading() as session:
            row = await repository.find_lock(session, camera_id)
        hold = _hold(row) if row is not None else None
        return hold if hold is not None and hold.until > at else None

    async def held_by(self, camera_id: str, user_id: str, at: datetime) -> Role | None:
        """The role that holds the lens, if anybody but this user does."""
        hold = await self.hold(camera_id, at)
        return hold.role if hold is not None and hold.user_id != user_id else None

    async def turn(
        self, principal: Principal, scope: Scope, camera_id: str, move: MoveArguments, *, at: datetime, key: str = ""
    ) -> Turned:
        """Turn, wait for the box's word, and hold the lens; a `key` that was done before does nothing new.

        Raises what `turnable` raises, and EdgeSilentError or CommandFailedError when the box does not do it.
        """
        status = await self.turnable(principal, scope, camera_id, at)
        key = key or new_event_id()
        turned = Turned(
            camera_id=camera_id,
            name=status.camera.name,
            asked_at=at,
            held_until=at + HOLD,
            **move.model_dump(exclude={"kind"}),
        )
        async with self._store.writing() as session:
            if await self._begun(session, principal, status.camera.area, turned, move, key):
                return turned.model_copy(update={"repeated": True})
        await self._commands.ask(status.edge.edge_id, camera_id, move, self._timeout_s)
        async with self._store.writing() as session:
            await repository.finish(session, key, unix_ms(at))
        return turned

    async def _begun(
        self, session: WriteSession, principal: Principal, area: str, turned: Turned, move: MoveArguments, key: str
    ) -> bool:
        """Take the lens and note the turn in one transaction; True when this key has been done already.

        Raises DeniedError when somebody of a higher role was quicker, CommandFailedError for a key without an end.
        """
        earlier = await repository.find_move(session, key)
        if earlier is not None:
            if earlier["done_ms"] is None:
                raise CommandFailedError(f"Camera {turned.camera_id} was asked this before and did not say it is done.")
            return True
        lock = await repository.find_lock(session, turned.camera_id, for_update=True)
        hold = _hold(lock) if lock is not None else None
        if hold is not None and hold.until > turned.asked_at:
            self._refuse_held(hold, principal, area, turned.asked_at)
        values = {
            "camera_id": turned.camera_id,
            "user_id": principal.user_id,
            "role": principal.role.value,
            "until_ms": unix_ms(turned.held_until),
        }
        await repository.save_lock(session, lock is not None, values)
        note = {
            "key": key,
            "camera_id": turned.camera_id,
            "user_id": principal.user_id,
            "move": json.dumps(move.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False),
            "asked_ms": unix_ms(turned.asked_at),
        }
        await repository.add_move(session, note)
        return False

    def _refuse_held(self, hold: Hold | None, principal: Principal, area: str, at: datetime) -> None:
        """Raise DeniedError where the policy lets this caller not take the lens from who holds it."""
        if hold is None or hold.user_id == principal.user_id:
            return
        resource = Resource(self._cameras.lineage(area), camera_kind="ptz", held_by=hold.role)
        verdict = self._policy.decide(principal, ACTION, resource, now=at)
        if isinstance(verdict, Denied):
            raise DeniedError(
                verdict.rule,
                f"Camera {hold.camera_id} đang do người có cấp cao hơn điều khiển.",
                f"Somebody of a higher role holds camera {hold.camera_id}.",
            )


def _hold(row: RowMapping) -> Hold:
    return Hold.model_validate({**row, "until": from_unix_ms(int(str(row["until_ms"])))})


def _refuse_away(status: CameraStatus) -> None:
    """Say at once what a timeout would say later."""
    camera, edge = status.camera.id, status.edge
    if not edge.online:
        raise EdgeSilentError(
            f"The box {edge.edge_id} of camera {camera} does not report; the camera cannot be turned.",
            action="Check the box's power and connection.",
        )
    if status.status == "offline":
        raise CameraAwayError(f"Camera {camera} is offline; it cannot be turned.", action="Check the camera.")
