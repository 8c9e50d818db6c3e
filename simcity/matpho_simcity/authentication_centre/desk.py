"""The desk: one request in, one signed answer out. Its rules stand here alone; server and stand-in share them.

A request is judged in this order; the first rule that fails refuses it, and the refusal is signed and logged:
1 `unit`       the unit has a grant
2 `stale`      the request was made now (MAX_AGE), not kept for later
3 `validity`   the grant is in force
4 `purpose`    the purpose stands on the grant, word for word
5 `fields`     every field stands on the grant
6 `four_eyes`  another person approved than asked
7 `replayed`   the same check id names the same check; asked again it gets its first answer
8 `quota`      the unit has checks left today
9 the subject is looked up, alone, by everything that was given
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from matpho_contracts.identity_api import AnswerOutcome, CheckAnswer, CheckRequest, sign_answer
from matpho_contracts.signing import SigningKey
from matpho_contracts.times import VIETNAM, AwareDatetime, to_rfc3339
from matpho_simcity.authentication_centre.records import Records

MAX_AGE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class UnitGrant:
    """What the centre lets one unit ask; `quota` is checks a local day."""

    unit_code: str
    purposes: tuple[str, ...]
    fields: tuple[str, ...]
    valid_to: AwareDatetime
    quota: int = 200


class Desk:
    """Judges, answers, signs and writes its own log; the log names no subject, only a digest of the request."""

    def __init__(
        self,
        key: SigningKey,
        grants: Iterable[UnitGrant],
        records: Records | None = None,
        *,
        log: Path | None = None,
    ) -> None:
        self._key = key
        self._grants = {grant.unit_code: grant for grant in grants}
        self._records = records or Records()
        self._file = log
        self._answered: dict[tuple[str, str], CheckAnswer] = {}
        self._used: dict[tuple[str, str], int] = {}
        self.log: list[dict[str, str]] = []
        """Every request that was judged, in order."""

    @property
    def key(self) -> SigningKey:
        """What answers are signed with."""
        return self._key

    def answer(self, request: CheckRequest, now: datetime) -> CheckAnswer:
        """Judge one request and answer it."""
        grant = self._grants.get(request.unit_code)
        rule = self._judge(request, grant, now)
        name = (request.unit_code, request.check_id)
        if not rule and name in self._answered:
            self._note(request, now, "again")
            return self._answered[name]
        if rule or grant is None:
            return self._signed(request, now, "refused", rule=rule or "unit")
        day = (request.unit_code, now.astimezone(VIETNAM).date().isoformat())
        if self._used.get(day, 0) >= grant.quota:  # 8
            return self._signed(request, now, "refused", rule="quota")
        self._used[day] = self._used.get(day, 0) + 1
        record = self._records.find(request.subject)  # 9
        if record is None:
            answer = self._signed(request, now, "not_found")
        else:
            found = {name: record.value(name) for name in request.fields}
            values = {name: value for name, value in found.items() if value is not None}
            answer = self._signed(request, now, "found", values=values)
        self._answered[name] = answer
        return answer

    def _judge(self, request: CheckRequest, grant: UnitGrant | None, now: datetime) -> str:
        """The rule that refuses; empty when none does."""
        if grant is None:
            return "unit"  # 1
        earlier = self._answered.get((request.unit_code, request.check_id))
        rules = (
            ("stale", abs(now - request.asked_at) <= MAX_AGE),  # 2
            ("validity", now < grant.valid_to),  # 3
            ("purpose", request.purpose in grant.purposes),  # 4
            ("fields", set(request.fields) <= set(grant.fields)),  # 5
            ("four_eyes", request.requested_by != request.approved_by),  # 6
            ("replayed", earlier is None or earlier.request_digest == request.digest()),  # 7
        )
        return next((name for name, holds in rules if not holds), "")

    def _signed(
        self,
        request: CheckRequest,
        now: datetime,
        outcome: AnswerOutcome,
        *,
        values: dict[str, str] | None = None,
        rule: str = "",
    ) -> CheckAnswer:
        number = self._note(request, now, outcome, rule)
        return sign_answer(
            request, self._key, outcome=outcome, answered_at=now, answer_number=number, values=values, rule=rule
        )

    def _note(self, request: CheckRequest, now: datetime, outcome: str, rule: str = "") -> str:
        number = f"TTXT-{len(self.log) + 1:06d}"
        line = {
            "number": number,
            "at": to_rfc3339(now),
            "unit": request.unit_code,
            "case_number": request.case_number,
            "purpose": request.purpose,
            "fields": ", ".join(request.fields),
            "requested_by": request.requested_by,
            "approved_by": request.approved_by,
            "request": hashlib.sha256(self._key.sign(request.canonical())).hexdigest(),
            "outcome": outcome,
            "rule": rule,
        }
        self.log.append(line)
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        return number
