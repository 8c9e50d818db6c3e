"""Watches for people: made, listed, ended by their owner; what they found, read by whoever was told."""

from __future__ import annotations

import builtins
import json
import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping

from matpho_contracts.times import from_unix_ms, unix_ms
from matpho_contracts.vocabulary import EventType, Severity
from matpho_platform.access.principal import Principal, Scope
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.feedback.codes import ALPHABET
from matpho_platform.store.engine import Store
from matpho_platform.watches import repository
from matpho_platform.watches.errors import WatchError, WatchNotFoundError
from matpho_platform.watches.schemas import (
    MAX_LIFE,
    MAX_OPEN,
    Notification,
    NotificationPage,
    Watch,
    WatchFilter,
    WatchPlan,
)

MAX_LIMIT = 200
_ID_LENGTH = 8


class WatchService:
    """Keeps watches; `Matcher` holds events against them."""

    def __init__(self, store: Store, areas: AreaTree) -> None:
        self._store = store
        self._areas = areas
        self._any = False

    async def open(self) -> None:
        """Read whether there is any watch."""
        async with self._store.reading() as session:
            self._any = await repository.any_standing(session)

    def wanted(self) -> bool:
        """Whether new events must be held against watches: with a database that centers share, always."""
        return self._any or self._store.dialect != "sqlite"

    async def create(self, principal: Principal, plan: WatchPlan, *, at: datetime, key: str = "") -> Watch:
        """Make a watch; with a `key` that was used before, the watch of then. Raises WatchError."""
        check_plan(plan, at)
        async with self._store.writing() as session:
            if key and (earlier := await repository.by_key(session, key)) is not None:
                return _watch(earlier)
            if len(await repository.open_of(session, principal.user_id, unix_ms(at))) >= MAX_OPEN:
                raise WatchError("name", f"You have {MAX_OPEN} watches; end one first.")
            watch = Watch(
                id="W-" + "".join(secrets.choice(ALPHABET) for _ in range(_ID_LENGTH)),
                owner=principal.user_id,
                created_at=at,
                **dict(plan),
            )
            await repository.add(session, _row(watch, key))
        self._any = True
        return watch

    async def list(self, principal: Principal, *, at: datetime) -> Sequence[Watch]:
        """One's own watches that stand, newest first."""
        async with self._store.reading() as session:
            rows = await repository.open_of(session, principal.user_id, unix_ms(at))
        return tuple(_watch(row) for row in rows)

    async def end(self, principal: Principal, watch_id: str, *, at: datetime) -> None:
        """End one's own watch; raises WatchNotFoundError for any other, and for one that has ended."""
        async with self._store.writing() as session:
            if not await repository.end(session, principal.user_id, watch_id, unix_ms(at)):
                raise WatchNotFoundError("You have no such watch.")

    async def notifications(
        self, principal: Principal, scope: Scope, *, limit: int = 50, offset: int = 0
    ) -> NotificationPage:
        """What watches told this person, the newest event first; only what the scope covers at this moment."""
        limit, offset = max(1, min(limit, MAX_LIMIT)), max(0, offset)
        async with self._store.reading() as session:
            rows, total, unseen = await repository.notifications(
                session, principal.user_id, self._areas.expand_scope(scope), limit, offset
            )
        return NotificationPage(notifications=tuple(_notification(row) for row in rows), total=total, unseen=unseen)

    async def seen(self, principal: Principal, watch_id: str, event_ids: builtins.list[str]) -> int:
        """This person has seen these; returns how many there were."""
        async with self._store.writing() as session:
            return await repository.mark_seen(session, principal.user_id, watch_id, event_ids)


def check_plan(plan: WatchPlan, at: datetime) -> None:
    """Whether a watch can be like this at a moment; raises WatchError naming the piece that is wrong."""
    if plan.filter.is_empty:
        raise WatchError("filter", "say what to watch for")
    if plan.filter.where.time_from is not None or plan.filter.where.time_to is not None:
        raise WatchError("filter", "a watch has no period but its expiry")
    if plan.expires_at <= at:
        raise WatchError("expires", "the end lies in the past")
    if plan.expires_at > at + MAX_LIFE:
        raise WatchError("expires", f"a watch lasts at most {MAX_LIFE.days} days")


def _row(watch: Watch, key: str) -> dict[str, object]:
    return {
        "watch_id": watch.id,
        "key": key or None,
        "name": watch.name,
        "filter": watch.filter.model_dump_json(),
        "notify": json.dumps(watch.notify),
        "owner": watch.owner,
        "case_number": watch.case_number,
        "created_ms": unix_ms(watch.created_at),
        "expires_ms": unix_ms(watch.expires_at),
    }


def _watch(row: RowMapping) -> Watch:
    return Watch(
        id=row["watch_id"],
        name=row["name"],
        filter=WatchFilter.model_validate_json(row["filter"]),
        notify=tuple(json.loads(row["notify"])),
        owner=row["owner"],
        case_number=row["case_number"],
        created_at=from_unix_ms(row["created_ms"]),
        expires_at=from_unix_ms(row["expires_ms"]),
        ended_at=from_unix_ms(row["ended_ms"]) if row["ended_ms"] is not None else None,
    )


def _notification(row: RowMapping) -> Notification:
    return Notification(
        watch_id=row["watch_id"],
        watch_name=row["name"],
        event_id=row["event_id"],
        type=EventType(row["event_type"]),
        time=from_unix_ms(row["time_ms"]),
        camera_id=row["camera_id"],
        area=row["area"],
        severity=list(Severity)[row["severity"]],
        seen=row["seen"],
    )
