"""Identity checks: asked for by one person, decided by another, answered by the authentication centre, then erased.

There is no method that takes several subjects and none that lists anybody's data. Times come from the caller.

Opening a request:
1 a repeat of the same call gives the same request
2 the grant is in force and covers purpose and fields, word for word
3 the case number is one, and the case is open
4 the officer has requests left today; above the usual number the request is marked and the log told
5 no check of the same subject in the same case is under way

Deciding: 6 a repeat gives the same; 7 never one's own; 8 it is pending and in time; 9 it is what was shown and what was
asked, hashed over every part; 10 the grant still covers it and has checks left; 11 one decision, whoever else tries.

Which roles may ask, decide and list is the policy's word, which the gateway has before any call comes here. That two
people must agree (7), and that what the centre said is for these two, holds here whatever the policy files say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any, Literal

import structlog
from sqlalchemy import RowMapping

from matpho_contracts.identity_api import Subject
from matpho_contracts.signing import PublicKey
from matpho_contracts.times import VIETNAM, unix_ms
from matpho_platform.access.principal import Principal
from matpho_platform.identity import errors, repository
from matpho_platform.identity.asking import Asker, AuthenticationCentre
from matpho_platform.identity.book import Book
from matpho_platform.identity.cases import CaseRegister, FormOnlyRegister, read_case_number
from matpho_platform.identity.errors import CentreSilentError, RequestNotFoundError, UnclearError
from matpho_platform.identity.grant import match_fields, match_purpose
from matpho_platform.identity.schemas import (
    IdentityGrant,
    NewRequest,
    RequestPage,
    RequestView,
    ResultView,
    Status,
    plain,
)
from matpho_platform.store.engine import Store
from matpho_platform.store.errors import DuplicateError
from matpho_platform.store.sealing import Vault
from matpho_platform.store.serials import lock_serial, save_serial
from matpho_platform.store.session import ReadSession, WriteSession

SERIAL = "identity"
APPROVED_TTL = timedelta(hours=24)
"""How long an approved request waits for the centre's answer."""
SOFT_LIMIT = 20
"""Requests of one officer a local day above which each is marked as unusual."""
HARD_LIMIT = 50
MAX_REASON = 1_000
MAX_LISTED = 100
TRIES = 3
"""How often an opening that met another in the database is tried."""
Decision = Literal["approve", "reject"]
_log = structlog.get_logger(__name__)


class IdentityService:
    """One unit's identity checks."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        *,
        grant: IdentityGrant | None = None,
        cases: CaseRegister | None = None,
    ) -> None:
        self._store = store
        self._book = Book(vault)
        self._grant = grant
        self._cases = cases or FormOnlyRegister()
        self._asker = Asker(store, vault)

    @property
    def grant(self) -> IdentityGrant | None:
        """What the unit may ask, if anything."""
        return self._grant

    def connect(self, centre: AuthenticationCentre, key: PublicKey) -> None:
        """Ask this centre from now on; its answers must be signed with `key`."""
        self._asker.connect(centre, key)

    async def close(self) -> None:
        """Let go of the connection to the centre."""
        await self._asker.close()

    def read(
        self, case_number: str, purpose: str, subject: Subject, fields: Sequence[str], now: datetime
    ) -> NewRequest:
        """What was said, as it would be sent: purpose and fields in the grant's own words.

        Raises UnclearError naming the piece that is missing or on no list, DeniedError for what the grant forbids.
        """
        grant = self._in_force(now)
        number = read_case_number(case_number)
        meant = match_purpose(grant.purposes, purpose)
        if meant is None:
            said = "Mục đích phải có trong danh sách được cấp. The purpose must be on the grant's list"
            raise UnclearError("purpose", said, grant.purposes)
        inside, outside = match_fields(grant.fields, fields)
        if outside:
            raise errors.not_granted(outside, grant.fields)
        if not inside:
            said = "Cần nêu các trường cần xác minh. Say which fields are needed"
            raise UnclearError("fields", said, grant.fields)
        return NewRequest(case_number=number, purpose=meant, subject=subject, fields=inside)

    async def request(self, principal: Principal, new: NewRequest, *, now: datetime, key: str) -> RequestView:
        """Open a request; it waits for a second person. Raises DeniedError for what the rules above forbid."""
        self._covering(new, now)  # 2
        number = read_case_number(new.case_number)
        if not await self._cases.is_open(number, now):  # 3
            raise errors.case_closed(number)
        new = new.model_copy(update={"case_number": number})
        for patience in range(TRIES, 0, -1):
            try:
                row = await self._opened(principal, new, now, key)
                break
            except DuplicateError:  # somebody else was first: with the serial, the key or the subject
                if patience == 1:
                    raise errors.under_way(None) from None
        return self._book.view(row)

    async def _opened(self, principal: Principal, new: NewRequest, now: datetime, key: str) -> Mapping[Any, Any]:
        live_key = self._book.live_key(new)
        async with self._store.writing() as session:
            serial = await lock_serial(session, SERIAL)
            again = await repository.by_key(session, key)  # 1
            if again is not None:
                if again["requester"] != principal.user_id:
                    raise errors.under_way(None)
                return again
            await repository.expire(session, unix_ms(now))
            count = await self._counted(session, principal, now)  # 4
            under_way = await repository.live(session, live_key)
            if under_way is not None:  # 5
                own = under_way["requester"] == principal.user_id
                raise errors.under_way(under_way["request_id"] if own else None)
            serial = await self._free_serial(session, serial + 1)
            row = self._book.new_row(f"IDR-{serial:04d}", principal.user_id, new, now, key)
            row["anomalous"] = count >= SOFT_LIMIT
            await repository.add(session, row)
            await save_serial(session, SERIAL, serial)
        if row["anomalous"]:
            _log.warning("identity_checks_unusual", user=principal.user_id, today=count + 1, usual=SOFT_LIMIT)
        return row

    async def _counted(self, session: ReadSession, principal: Principal, now: datetime) -> int:
        count = await repository.opened_since(session, principal.user_id, _day_start_ms(now))
        if count >= HARD_LIMIT:
            raise errors.too_many(HARD_LIMIT)
        return count

    async def _free_serial(self, session: ReadSession, serial: int) -> int:
        """The next number that no imported request has taken."""
        while await repository.find(session, f"IDR-{serial:04d}") is not None:
            serial += 1
        return serial

    async def decidable(self, principal: Principal, request_id: str, now: datetime) -> RequestView:
        """A request as the second person must see it before deciding, whole. Raises DeniedError when they may not."""
        row = await self._row(request_id)
        self._may_decide(row, principal, now)
        new = self._book.content(row)
        return self._book.view(row, plain(new.subject))

    async def decide(
        self,
        principal: Principal,
        request_id: str,
        decision: Decision,
        reason: str,
        *,
        content_hash: str,
        now: datetime,
        key: str,
    ) -> RequestView:
        """The second person's word; an approval asks the centre at once.

        When the centre is silent the approval stands and the view says so (`problem`); asking for the result asks it
        again. Raises DeniedError when the decision may not be made (any more).
        """
        async with self._store.writing() as session:
            row = await repository.find(session, request_id)
            if row is None:
                raise RequestNotFoundError(f"There is no identity request {request_id}.")
            repeated = row["decision_key"] == key and row["decided_by"] == principal.user_id  # 6
            if not repeated:
                self._may_decide(row, principal, now)  # 7, 8
                new = self._book.content(row)
                hashes = {content_hash, row["content_hash"], self._book.content_hash(request_id, row["requester"], new)}
                if len(hashes) != 1:  # 9
                    raise errors.changed(request_id)
                values = {
                    "decided_by": principal.user_id,
                    "decided_ms": unix_ms(now),
                    "reason": reason[:MAX_REASON],
                    "decision_key": key,
                    **await self._verdict(session, new, decision, now),
                }
                if not await repository.decide(session, request_id, values):  # 11
                    latest = await repository.find(session, request_id)
                    raise errors.not_pending(request_id, latest["status"] if latest else Status.REJECTED.value)
        if decision == "approve":
            try:
                await self._answered(request_id, now)
            except CentreSilentError:
                _log.info("identity_check_waits_for_centre", request=request_id)
        return await self.get(request_id)

    def _may_decide(self, row: RowMapping, principal: Principal, now: datetime) -> None:
        if row["requester"] == principal.user_id:
            raise errors.own_request()
        if row["status"] == Status.EXPIRED.value or row["expires_ms"] <= unix_ms(now):
            raise errors.expired(row["request_id"])
        if row["status"] != Status.PENDING.value:
            raise errors.not_pending(row["request_id"], row["status"])

    async def _verdict(
        self, session: WriteSession, new: NewRequest, decision: Decision, now: datetime
    ) -> dict[str, Any]:
        if decision == "reject":
            return {**repository.erased(unix_ms(now)), "status": Status.REJECTED.value}
        grant = self._covering(new, now)  # 10
        await lock_serial(session, SERIAL)
        if await repository.approved_since(session, _day_start_ms(now)) >= grant.quota:
            raise errors.quota_used(grant.quota)
        return {"status": Status.APPROVED.value, "expires_ms": unix_ms(now + APPROVED_TTL)}

    async def _answered(self, request_id: str, now: datetime) -> None:
        """Ask the centre where a request is approved and not answered; what the grant no longer covers is not asked."""
        row = await self._row(request_id)
        if row["status"] != Status.APPROVED.value:
            return
        new = self._book.content(row)
        grant = self._covering(new, now)
        await self._asker.ask(row, new.subject, new.fields, grant, now)

    async def result(self, principal: Principal, request_id: str, now: datetime) -> ResultView:
        """What the centre said, for the requester and the one who decided, until it expires.

        A request that waits, was rejected or failed comes without values. Raises DeniedError for anybody else and after
        the end, CentreSilentError when the centre cannot be asked now.
        """
        row = await self._row(request_id)
        if principal.user_id not in (row["requester"], row["decided_by"]):
            raise errors.not_a_party()
        await self.sweep(now)
        await self._answered(request_id, now)
        row = await self._row(request_id)
        if row["status"] == Status.EXPIRED.value:
            raise errors.expired(request_id)
        if row["status"] == Status.APPROVED.value:
            raise CentreSilentError("The authentication centre is being asked at this moment.", action="Try again.")
        return self._book.result(row)

    async def get(self, request_id: str) -> RequestView:
        """A request without its subject; raises RequestNotFoundError. The caller has asked the policy."""
        return self._book.view(await self._row(request_id))

    async def parties(self, request_id: str) -> tuple[str, str] | None:
        """Who asked and who decided ("": nobody yet), or None where there is no such request."""
        async with self._store.reading() as session:
            row = await repository.find(session, request_id)
        return None if row is None else (row["requester"], row["decided_by"] or "")

    async def list_for(
        self,
        principal: Principal,
        now: datetime,
        *,
        deciding: bool,
        waiting: bool = False,
        limit: int = MAX_LISTED,
        offset: int = 0,
    ) -> RequestPage:
        """What somebody asked for or decided, newest first; subjects masked.

        `deciding`: whether the policy lets them see what others asked for and nobody has decided; `waiting`: only that.
        """
        await self.sweep(now)
        limit, offset = max(1, min(limit, MAX_LISTED)), max(0, offset)
        async with self._store.reading() as session:
            rows, total = await repository.seen_by(
                session, principal.user_id, deciding=deciding, waiting=waiting, limit=limit, offset=offset
            )
            for_them = await repository.waiting_for(session, principal.user_id) if deciding else 0
        views = tuple(self._book.view(row, self._book.masked(row)) for row in rows)
        return RequestPage(requests=views, total=total, waiting=for_them)

    async def sweep(self, now: datetime) -> int:
        """End and erase what is over by `now`; returns how many requests. Writes nothing where nothing is over."""
        async with self._store.reading() as session:
            if not await repository.any_over(session, unix_ms(now)):
                return 0
        async with self._store.writing() as session:
            return await repository.expire(session, unix_ms(now))

    async def resume(self, now: datetime) -> int:
        """Ask the centre again about every approved request without an answer; returns how many were answered."""
        await self.sweep(now)
        async with self._store.reading() as session:
            rows = await repository.unanswered(session, unix_ms(now), MAX_LISTED)
        answered = 0
        for row in rows:
            try:
                await self._answered(row["request_id"], now)
                answered += 1
            except CentreSilentError:
                break
        return answered

    async def load(
        self, *, grant: Mapping[str, Any] | None = None, requests: Sequence[Mapping[str, Any]] = (), now: datetime
    ) -> int:
        """Fill an installation with a grant and requests of given ids; what is there stays. Returns how many are new.

        A request is `{"id", "case_number", "purpose", "subject", "fields", "requester", "status", "decided_by",
        "expires_at"}`; an approved one is put to the centre when its result is wanted.
        """
        if grant is not None:
            self._grant = IdentityGrant.model_validate(dict(grant))
        lasting = self._grant.valid_to if self._grant is not None else now
        rows = [self._book.imported(given, now, lasting) for given in requests]
        return sum([await self._loaded(row) for row in rows])

    async def _loaded(self, row: dict[str, Any]) -> bool:
        async with self._store.writing() as session:
            await lock_serial(session, SERIAL)
            if await repository.find(session, row["request_id"]) is not None:
                return False
            if row["live_key"] is not None and await repository.live(session, row["live_key"]) is not None:
                row = row | {"live_key": None}
            await repository.add(session, row)
        return True

    async def _row(self, request_id: str) -> RowMapping:
        async with self._store.reading() as session:
            row = await repository.find(session, request_id)
        if row is None:
            raise RequestNotFoundError(f"There is no identity request {request_id}.")
        return row

    def _in_force(self, now: datetime) -> IdentityGrant:
        if self._grant is None:
            raise errors.no_grant()
        if now >= self._grant.valid_to:
            raise errors.grant_ended()
        return self._grant

    def _covering(self, new: NewRequest, now: datetime) -> IdentityGrant:
        """The grant, if it covers a request word for word; else DeniedError."""
        grant = self._in_force(now)
        if new.purpose not in grant.purposes:
            raise errors.purpose_not_granted(grant.purposes)
        outside = [name for name in new.fields if name not in grant.fields]
        if outside or not new.fields:
            raise errors.not_granted(outside, grant.fields)
        return grant


def _day_start_ms(now: datetime) -> int:
    """Midnight of the local day, Unix milliseconds."""
    return unix_ms(datetime.combine(now.astimezone(VIETNAM).date(), time(), tzinfo=VIETNAM))
