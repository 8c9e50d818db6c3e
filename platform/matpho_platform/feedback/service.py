"""Citizens' reports: filed at once, routed to the unit in charge, followed by code.

Whoever has a code sees where the report stands and what was done; `handling` says who reads it whole. A wrong
code costs the same work as a right one and says nothing; after GUESSES wrong ones an account finds only its own reports
for a while.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping

from matpho_contracts.times import from_unix_ms, unix_ms
from matpho_platform.access.principal import Principal, Scope
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.events.schemas import EventFilter, NearPlace
from matpho_platform.events.service import EventService
from matpho_platform.feedback import repository
from matpho_platform.feedback.categories import EVENT_TYPES_OF, UNIT_KINDS, category_of
from matpho_platform.feedback.codes import new_code, spellings
from matpho_platform.feedback.errors import (
    FeedbackNotFoundError,
    PlaceUnknownError,
    ReportStateError,
    TooManyGuessesError,
    TooManyReportsError,
)
from matpho_platform.feedback.handling import NEXT, handles, may_move_on
from matpho_platform.feedback.limits import Window
from matpho_platform.feedback.once import Once
from matpho_platform.feedback.photos import PhotoCleaner
from matpho_platform.feedback.places import area_near, area_said
from matpho_platform.feedback.schemas import (
    Category,
    FeedbackCounts,
    FeedbackRecord,
    FeedbackState,
    Filed,
    HistoryStep,
    Place,
    Report,
    Status,
)
from matpho_platform.incidents.schemas import Unit
from matpho_platform.incidents.units import UnitService
from matpho_platform.store.blobs import BlobStore
from matpho_platform.store.engine import Store
from matpho_platform.store.errors import DuplicateError
from matpho_platform.store.session import WriteSession

GUESSES = 10
GUESS_SPAN = timedelta(hours=1)
REPORTS = 30
REPORT_SPAN = timedelta(hours=1)
LINK_SPAN = timedelta(hours=2)
LINK_RADIUS_M = 500.0
MAX_LINKS = 5


@dataclass(frozen=True, slots=True)
class _Routed:
    """Where a report belongs: its area, the unit in charge, events it may be about."""

    area: str
    category: Category
    unit: Unit | None
    event_ids: tuple[str, ...]


class FeedbackService:
    """Takes reports in and tells where they stand."""

    def __init__(
        self, store: Store, blobs: BlobStore, areas: AreaTree, events: EventService, units: UnitService
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._areas = areas
        self._events = events
        self._units = units
        self._photos = PhotoCleaner()
        self._guesses = Window(GUESSES, GUESS_SPAN)
        self._reports = Window(REPORTS, REPORT_SPAN)
        self._once = Once()

    async def submit(self, principal: Principal, report: Report, *, at: datetime, key: str = "") -> Filed:
        """File a report; of one that was filed under this `key`, or by the same account just now, the receipt again.

        Raises PlaceUnknownError, PhotoError, TooManyReportsError.
        """
        keys = (key,) if key else self._once.keys(principal.user_id, report, at)
        if (earlier := await self._filed_before(keys)) is not None:
            return earlier
        if self._reports.full(principal.user_id, at):
            raise TooManyReportsError("Too many reports from this account.", action="Wait an hour.")
        routed = await self._route(report, at)
        photos = await self._keep_photos(report.photos)
        code = new_code()
        values = {
            "code": code,
            "key": keys[0],
            "category": routed.category.value,
            "text": report.text,
            "area": routed.area,
            "place": report.place.words,
            "lat": report.place.lat,
            "lon": report.place.lon,
            "owner": "" if report.anonymous else principal.user_id,
            "status": Status.RECEIVED.value,
            "unit_id": routed.unit.id if routed.unit else "",
            "event_ids": json.dumps(routed.event_ids),
            "photos": json.dumps(photos),
            "created_ms": unix_ms(at),
            "changed_ms": unix_ms(at),
        }
        try:
            async with self._store.writing() as session:
                await repository.add(session, values)
                await _step(session, code, at, Status.RECEIVED)
        except DuplicateError:
            if (earlier := await self._filed_before(keys)) is None:
                raise
            return earlier
        self._reports.count(principal.user_id, at)
        return Filed(
            code=code,
            category=routed.category,
            area=routed.area,
            unit_id=routed.unit.id if routed.unit else "",
            unit_name=routed.unit.name if routed.unit else "",
            linked_events=len(routed.event_ids),
            photos=len(photos),
            anonymous=report.anonymous,
            filed_at=at,
        )

    async def status(self, principal: Principal, code: str, *, at: datetime) -> FeedbackState:
        """Where a report stands; raises FeedbackNotFoundError, or TooManyGuessesError after too many wrong codes."""
        codes = spellings(code)
        async with self._store.reading() as session:
            row = await repository.by_codes(session, codes)
            steps = await repository.history(session, codes)
        mine = row is not None and row["owner"] == principal.user_id
        if not mine and self._guesses.full(principal.user_id, at):
            raise TooManyGuessesError("Too many wrong codes.", action="Wait an hour, or sign in as who filed it.")
        if row is None:
            self._guesses.count(principal.user_id, at)
            raise FeedbackNotFoundError("There is no report with this code.", action="Check the code on the receipt.")
        unit = await self._units.find(row["unit_id"]) if row["unit_id"] else None
        full = mine or handles(principal, row["area"], self._areas)
        return _state(row, [step for step in steps if step["code"] == row["code"]], unit, mine=mine, full=full)

    async def photo(self, principal: Principal, code: str, number: int, *, at: datetime) -> bytes:
        """The photo of a report, counted from 1, as it was drawn anew (JPEG): for its owner and staff of its area.

        Raises FeedbackNotFoundError where there is none or the caller may not see it, TooManyGuessesError as `status`.
        """
        state = await self.status(principal, code, at=at)
        async with self._store.reading() as session:
            row = await repository.by_codes(session, (state.code,))
        digests = json.loads(row["photos"]) if row is not None and state.full else []
        if not 1 <= number <= len(digests):
            raise FeedbackNotFoundError("There is no such photo.")
        return await self._blobs.get(digests[number - 1])

    async def own(self, principal: Principal) -> Sequence[str]:
        """The codes of an account's own reports, newest first."""
        async with self._store.reading() as session:
            return tuple(row["code"] for row in await repository.owned(session, principal.user_id))

    async def owner_of(self, code: str) -> tuple[str, str | None] | None:
        """The area of a report and whose it is (None: anonymous), or None where there is none."""
        async with self._store.reading() as session:
            row = await repository.by_codes(session, spellings(code))
        return None if row is None else (row["area"], row["owner"] or None)

    async def move_on(
        self, principal: Principal, code: str, status: Status, note: str, *, at: datetime, key: str = ""
    ) -> FeedbackState:
        """A unit's next step with what was done; or its owner opens a closed one again. A used `key` does nothing new.

        Raises FeedbackNotFoundError for others' reports, ReportStateError for a step that does not follow.
        """
        async with self._store.writing() as session:
            row = await repository.by_codes(session, spellings(code))
            if row is None or not may_move_on(
                principal, status, owner=row["owner"], area=row["area"], areas=self._areas
            ):
                raise FeedbackNotFoundError("There is no such report in your area.")
            if not key or await repository.step_by_key(session, key) is None:
                if status not in NEXT[Status(row["status"])]:
                    raise ReportStateError(f"A report that is {row['status']} cannot become {status.value}.")
                await repository.change(session, row["code"], {"status": status.value, "changed_ms": unix_ms(at)})
                await _step(session, row["code"], at, status, principal.user_id, note, key)
        return await self.status(principal, row["code"], at=at)

    async def counts(
        self, scope: Scope, start: datetime, end: datetime, *, areas: Sequence[str] = ()
    ) -> FeedbackCounts:
        """Reports of a period (half open) within the scope and the areas with what is inside them."""
        inner = self._areas.expand_scope(scope)
        where = repository.within(inner)
        if areas:
            where = where & repository.within(Scope(self._areas.expand(areas)))
        first, last = unix_ms(start), unix_ms(end)
        async with self._store.reading() as session:
            by_category = await repository.received(session, where, first, last)
            resolved = await repository.resolved(session, where, first, last)
            still = await repository.open_at(session, where, last)
        return FeedbackCounts(
            received=sum(by_category.values()), by_category=by_category, resolved=resolved, open=still
        )

    async def load(self, given: Iterable[FeedbackRecord]) -> int:
        """Fill in reports with given codes; those that are there stay as they are. Returns how many were new."""
        added = 0
        for record in given:
            unit = await self._unit_for(record.category, record.area)
            async with self._store.writing() as session:
                if await repository.by_codes(session, (record.code,)) is not None:
                    continue
                await repository.add(session, _loaded(record, unit))
                await _step(session, record.code, record.created_at, Status.RECEIVED)
                if record.status is not Status.RECEIVED:
                    await _step(session, record.code, record.created_at, record.status)
                added += 1
        return added

    async def _filed_before(self, keys: Sequence[str]) -> Filed | None:
        async with self._store.reading() as session:
            row = await repository.by_keys(session, keys)
        if row is None:
            return None
        unit = await self._units.find(row["unit_id"]) if row["unit_id"] else None
        return Filed(
            code=row["code"],
            category=row["category"],
            area=row["area"],
            unit_id=row["unit_id"],
            unit_name=unit.name if unit else "",
            linked_events=len(json.loads(row["event_ids"])),
            photos=len(json.loads(row["photos"])),
            anonymous=not row["owner"],
            filed_at=from_unix_ms(row["created_ms"]),
        )

    async def _route(self, report: Report, at: datetime) -> _Routed:
        area = self.area_of(report.place, report.text)
        if area is None:
            raise PlaceUnknownError("The report names no place of this center.", action="Say the ward or commune.")
        category = report.category or category_of(report.text)
        unit = await self._unit_for(category, area)
        return _Routed(area, category, unit, await self._events_near(report.place, area, category, at))

    def area_of(self, place: Place, text: str) -> str | None:
        """The area of a place: as given, else by its coordinates, else as its words or the report's text name it."""
        if place.area is not None:
            return place.area if self._areas.find(place.area) else None
        return area_near(self._areas, place) or area_said(self._areas, place.words) or area_said(self._areas, text)

    async def _unit_for(self, category: str, area: str) -> Unit | None:
        """The unit in charge: the nearest area upward that has one of the right kinds, the best kind first."""
        kinds = UNIT_KINDS.get(category, UNIT_KINDS[Category.OTHER])
        units = await self._units.all()
        for code in self._areas.lineage(area):
            for kind in kinds:
                for unit in units:
                    if unit.area == code and unit.kind == kind:
                        return unit
        return None

    async def _events_near(self, place: Place, area: str, category: str, at: datetime) -> tuple[str, ...]:
        """Events of the right types around the time of the report: near the place if it is known, else in the area."""
        types = EVENT_TYPES_OF.get(category)
        if not types:
            return ()
        near = None
        if place.lat is not None and place.lon is not None:
            near = NearPlace(lat=place.lat, lon=place.lon, radius_m=LINK_RADIUS_M)
        where = EventFilter(
            event_types=types,
            areas=() if near else (area,),
            near=near,
            time_from=at - LINK_SPAN,
            time_to=at + LINK_SPAN,
        )
        page = await self._events.search(Scope(None), None, where, limit=MAX_LINKS)
        return tuple(hit.id for hit in page.hits)

    async def _keep_photos(self, photos: Sequence[bytes]) -> list[str]:
        clean = [await self._photos.clean(photo) for photo in photos]
        blobs = {hashlib.sha256(jpeg).hexdigest(): jpeg for jpeg in clean}
        await self._blobs.put(blobs)
        return list(blobs)


async def _step(
    session: WriteSession, code: str, at: datetime, status: Status, actor: str = "", note: str = "", key: str = ""
) -> None:
    values = {"code": code, "at_ms": unix_ms(at), "status": status.value, "actor": actor, "note": note}
    await repository.add_step(session, {**values, "key": key or None})


def _loaded(record: FeedbackRecord, unit: Unit | None) -> dict[str, object]:
    at_ms = unix_ms(record.created_at)
    return {
        "code": record.code,
        "key": None,
        "category": record.category,
        "text": record.text,
        "area": record.area,
        "place": "",
        "lat": None,
        "lon": None,
        "owner": record.owner or "",
        "status": record.status.value,
        "unit_id": unit.id if unit else "",
        "event_ids": "[]",
        "photos": "[]",
        "created_ms": at_ms,
        "changed_ms": at_ms,
    }


def _state(row: RowMapping, steps: Sequence[RowMapping], unit: Unit | None, *, mine: bool, full: bool) -> FeedbackState:
    return FeedbackState(
        code=row["code"],
        category=row["category"],
        status=Status(row["status"]),
        area=row["area"],
        created_at=from_unix_ms(row["created_ms"]),
        changed_at=from_unix_ms(row["changed_ms"]),
        unit_id=row["unit_id"],
        unit_name=unit.name if unit else "",
        history=tuple(
            HistoryStep(at=from_unix_ms(step["at_ms"]), status=Status(step["status"]), note=step["note"])
            for step in steps
        ),
        full=full,
        mine=mine,
        report_text=row["text"] if full else None,
        place=row["place"] if full else None,
        event_ids=tuple(json.loads(row["event_ids"])) if full and not mine else (),
        photos=len(json.loads(row["photos"])),
    )
