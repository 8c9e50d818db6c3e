"""The outbox's worker of watches: every new event against every watch, told once to whoever may know of it now.

1 events that happened while the watch stood; those the cheap conditions leave out are dropped before any query
2 the rest by the same condition as a search (certain classes and colours only), within the owner's present areas
3 words must all stand in the caption or among the labels, without regard to marks
4 the policy is asked about each event, for the owner (create_watch) and for each person to tell (search_events), as
  their accounts are now: who was moved, demoted or shut out hears nothing
5 what is told is written once for each watch, event and person, in one transaction with the notice that goes out on
  the person's own channels: a repeat finds it there
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping

from matpho_contracts.text import words
from matpho_contracts.times import now as present
from matpho_contracts.times import unix_ms
from matpho_platform.access.accounts import Accounts
from matpho_platform.access.policy import Allowed, Facts, PolicyEngine, Resource
from matpho_platform.access.principal import Principal, Role
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.events.filters import to_sql
from matpho_platform.events.reading import StoredEvent
from matpho_platform.notify.schemas import MAX_FACT, Action, Notice, Person, Template
from matpho_platform.notify.schemas import Facts as NoticeFacts
from matpho_platform.notify.service import Notifier
from matpho_platform.store.engine import Store
from matpho_platform.watches import repository
from matpho_platform.watches.schemas import WatchFilter


class Matcher:
    """Holds new events against the watches."""

    def __init__(
        self, store: Store, areas: AreaTree, policy: PolicyEngine, accounts: Accounts, notifier: Notifier
    ) -> None:
        self._store = store
        self._areas = areas
        self._policy = policy
        self._accounts = accounts
        self._notifier = notifier
        self._filters: dict[str, WatchFilter] = {}

    async def match(self, stored: Sequence[StoredEvent]) -> None:
        """The outbox's handler; raises what the store raises, so that the outbox tries again. Idempotent."""
        if not stored:
            return
        times = [unix_ms(item.event.time) for item in stored]
        async with self._store.reading() as session:
            standing = await repository.standing(session, min(times), max(times))
        people: dict[str, Principal | None] = {}
        for row in standing:
            await self._one(row, stored, people)
        self._filters = {row["watch_id"]: self._filter(row) for row in standing}

    async def _one(self, row: RowMapping, stored: Sequence[StoredEvent], people: dict[str, Principal | None]) -> None:
        wanted = self._filter(row)
        near = [item for item in stored if self._may_fit(row, wanted, item)]
        owner = await self._person(row["owner"], people) if near else None
        if not near or owner is None:
            return
        allowed = self._policy.decide(owner, "create_watch", facts=_facts(row), now=present())
        if not isinstance(allowed, Allowed):
            return
        condition = to_sql(wanted.where, self._areas.expand_scope(allowed.scope), self._areas)
        async with self._store.reading() as session:
            fitting = await repository.fitting(session, {item.seq for item in near}, condition)
        found = [item for item in near if item.seq in fitting and _says(item, wanted.query)]
        found = [item for item in found if self._may(owner, "create_watch", item, _facts(row))]
        if found:
            await self._tell(row, found, people)

    def _may_fit(self, row: RowMapping, wanted: WatchFilter, item: StoredEvent) -> bool:
        """The conditions that cost nothing: the time the watch stood, types, cameras."""
        at, where = unix_ms(item.event.time), wanted.where
        end = row["expires_ms"] if row["ended_ms"] is None else min(row["expires_ms"], row["ended_ms"])
        if not row["created_ms"] <= at < end:
            return False
        if where.event_types and item.event.event_type not in where.event_types:
            return False
        return not where.camera_ids or item.event.data.camera_id in where.camera_ids

    async def _tell(self, row: RowMapping, found: Sequence[StoredEvent], people: dict[str, Principal | None]) -> None:
        recipients = [await self._person(user_id, people) for user_id in json.loads(row["notify"])]
        wanted = {
            (item.event.id, person.user_id): item
            for item in found
            for person in recipients
            if person is not None and self._may(person, "search_events", item, Facts())
        }
        if not wanted:
            return
        watch_id, at_ms = row["watch_id"], unix_ms(present())
        async with self._store.writing() as session:
            told = await repository.told(session, watch_id, [item.event.id for item in found])
            fresh = [
                _told(watch_id, item, user_id, at_ms)
                for (event_id, user_id), item in wanted.items()
                if (event_id, user_id) not in told
            ]
            if fresh:
                await repository.tell(session, fresh)
            for one in fresh:
                notice = self._notice(row, wanted[(one["event_id"], one["user_id"])], one["user_id"])
                await self._notifier.promise(session, notice)
        if fresh:
            self._notifier.wake()

    def _notice(self, row: RowMapping, item: StoredEvent, user_id: str) -> Notice:
        """What the person hears on their own channels; nobody escalates where it reaches nobody."""
        event = item.event
        facts = NoticeFacts(
            event_id=event.id,
            event_type=event.event_type,
            camera_id=event.data.camera_id,
            area=event.data.area,
            time=event.time,
            caption=(event.data.caption.vi or event.data.caption.en)[:MAX_FACT],
            words={"watch": row["name"]},
        )
        return Notice(
            key=f"watch:{row['watch_id']}:{event.id}:{user_id}",
            to=Person(user_id=user_id),
            template=Template.WATCH,
            severity=event.data.severity,
            facts=facts,
            link=f"/events/{event.id}",
            actions=(Action.SNOOZE,),
            alert=False,
            subject=row["watch_id"],
        )

    def _may(self, person: Principal, action: str, item: StoredEvent, facts: Facts) -> bool:
        resource = Resource(lineage=self._areas.lineage(item.event.data.area))
        return isinstance(self._policy.decide(person, action, resource, facts, present()), Allowed)

    async def _person(self, user_id: str, people: dict[str, Principal | None]) -> Principal | None:
        """An account as it is now; None when it is gone or shut."""
        if user_id not in people:
            row = await self._accounts.find(user_id)
            people[user_id] = None if row is None or row["disabled"] else _principal(row)
        return people[user_id]

    def _filter(self, row: RowMapping) -> WatchFilter:
        known = self._filters.get(row["watch_id"])
        return known or WatchFilter.model_validate_json(row["filter"])


def _principal(row: RowMapping) -> Principal:
    return Principal(row["user_id"], row["name"], Role(row["role"]), tuple(json.loads(row["areas"])))


def _facts(row: RowMapping) -> Facts:
    return Facts(case_number=row["case_number"])


def _says(item: StoredEvent, query: str) -> bool:
    """Whether every word stands in the caption of either language or among the labels."""
    data = item.event.data
    said = set(words(" ".join([data.caption.vi, data.caption.en, *(seen.label for seen in data.objects)])))
    return set(words(query)) <= said


def _told(watch_id: str, item: StoredEvent, user_id: str, at_ms: int) -> Mapping[str, Any]:
    return {
        "watch_id": watch_id,
        "event_id": item.event.id,
        "user_id": user_id,
        "area": item.event.data.area,
        "event_ms": unix_ms(item.event.time),
        "matched_ms": at_ms,
        "seen": False,
    }
