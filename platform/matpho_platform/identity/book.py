"""Requests as rows: what is sealed, what is hashed, and how a row is read back."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import rfc8785
from pydantic import TypeAdapter

from matpho_contracts.identity_api import CheckAnswer, Person, Subject, Vehicle
from matpho_contracts.times import from_rfc3339, from_unix_ms, unix_ms
from matpho_platform.identity import repository
from matpho_platform.identity.cases import read_case_number
from matpho_platform.identity.schemas import NewRequest, RequestView, ResultView, Status, masked, plain
from matpho_platform.store.sealing import Vault

PENDING_TTL = timedelta(hours=24)
_SUBJECT: TypeAdapter[Person | Vehicle] = TypeAdapter(Subject)
_Row = Mapping[Any, Any]


class Book:
    """Writes and reads rows of `identity_requests`; it alone opens what is sealed."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def live_key(self, new: NewRequest) -> str:
        """The keyed hash of subject and case by which a second check of them is noticed."""
        return self._vault.commit(rfc8785.dumps({"case": new.case_number, "subject": plain(new.subject)}))

    def content_hash(self, request_id: str, requester: str, new: NewRequest) -> str:
        """A keyed hash over every part of a request: what a decision is about."""
        parts: dict[str, Any] = {
            "id": request_id,
            "requester": requester,
            "case_number": new.case_number,
            "purpose": new.purpose,
            "fields": list(new.fields),
            "subject": plain(new.subject),
        }
        return self._vault.commit(rfc8785.dumps(parts))

    def new_row(self, request_id: str, requester: str, new: NewRequest, now: datetime, key: str) -> dict[str, Any]:
        """A pending request."""
        subject = rfc8785.dumps(plain(new.subject))
        return {
            "request_id": request_id,
            "case_number": new.case_number,
            "purpose": new.purpose,
            "fields": json.dumps(new.fields, ensure_ascii=False),
            "subject": self._vault.seal(subject, f"subject:{request_id}"),
            "requester": requester,
            "status": Status.PENDING.value,
            "decided_by": None,
            "decided_ms": None,
            "reason": "",
            "content_hash": self.content_hash(request_id, requester, new),
            "live_key": self.live_key(new),
            "check_id": secrets.token_hex(16),
            "answer_number": "",
            "problem": "",
            "attempts": 0,
            "anomalous": False,
            "request_key": key,
            "created_ms": unix_ms(now),
            "expires_ms": unix_ms(now + PENDING_TTL),
        }

    def imported(self, given: Mapping[str, Any], now: datetime, lasting: datetime) -> dict[str, Any]:
        """A request of a given id and state; a live one without an end of its own lasts to `lasting` or a day."""
        new = NewRequest(
            case_number=read_case_number(given["case_number"]),
            purpose=given["purpose"],
            subject=_SUBJECT.validate_python(given["subject"]),
            fields=tuple(given["fields"]),
        )
        status = Status(given.get("status") or Status.PENDING.value)
        status = Status.APPROVED if status is Status.ANSWERED else status
        row = self.new_row(given["id"], given["requester"], new, now, f"load:{given['id']}")
        row |= {"status": status.value, "decided_by": given.get("decided_by")}
        live = status in (Status.PENDING, Status.APPROVED)
        said = given.get("expires_at")
        if said:
            row["expires_ms"] = unix_ms(said if isinstance(said, datetime) else from_rfc3339(said))
        else:
            row["expires_ms"] = max(unix_ms(lasting), row["expires_ms"]) if live else unix_ms(now)
        return row if live else row | repository.erased(unix_ms(now))

    def content(self, row: _Row) -> NewRequest:
        """What a request asks, opened; raises IntegrityError when the row was tampered with or is erased."""
        opened = self._vault.open(bytes(row["subject"] or b""), f"subject:{row['request_id']}")
        return NewRequest(
            case_number=row["case_number"],
            purpose=row["purpose"],
            subject=_SUBJECT.validate_json(opened),
            fields=tuple(json.loads(row["fields"])),
        )

    def masked(self, row: _Row) -> dict[str, str]:
        """The subject as lists show it; nothing once it is erased."""
        return masked(self.content(row).subject) if row["subject"] is not None else {}

    def view(self, row: _Row, subject: Mapping[str, str] | None = None) -> RequestView:
        """A request for people; with no subject unless one is given."""
        return RequestView(
            id=row["request_id"],
            case_number=row["case_number"],
            purpose=row["purpose"],
            fields=tuple(json.loads(row["fields"])),
            subject=dict(subject or {}),
            requester=row["requester"],
            status=Status(row["status"]),
            created_at=from_unix_ms(row["created_ms"]),
            expires_at=from_unix_ms(row["expires_ms"]),
            decided_by=row["decided_by"],
            decided_at=from_unix_ms(row["decided_ms"]) if row["decided_ms"] is not None else None,
            reason=row["reason"],
            content_hash=row["content_hash"],
            problem=row["problem"],
            anomalous=bool(row["anomalous"]),
        )

    def result(self, row: _Row) -> ResultView:
        """A request with the values that the centre gave, as long as they are there."""
        view = self.view(row)
        if row["answer"] is None:
            return ResultView(request=view)
        opened = self._vault.open(bytes(row["answer"]), f"answer:{row['request_id']}")
        answer = CheckAnswer.model_validate_json(opened)
        values = {name: answer.values[name] for name in view.fields if name in answer.values}
        return ResultView(
            request=view,
            found=answer.outcome == "found",
            values=values,
            not_known=tuple(name for name in view.fields if name not in values) if values else (),
            answered_at=from_unix_ms(row["answered_ms"]),
            answer_number=row["answer_number"],
        )
