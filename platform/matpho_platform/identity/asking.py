"""Asking the authentication centre about one approved request, outside of any transaction, once however often tried.

1 claim the request: one asker at a time; a claim that its holder did not live to end lapses
2 ask, with the request's own check id: asked again, the centre gives the same answer and counts it once
3 verify: the centre's signature, this request, no field beyond those asked for
4 keep the whole signed answer, sealed; or the rule that refused; or that there was no answer, which leaves it approved
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import RowMapping

from matpho_contracts.errors import IntegrityError, UnavailableError
from matpho_contracts.identity_api import CheckAnswer, CheckRequest, Subject, verify_answer
from matpho_contracts.signing import PublicKey
from matpho_contracts.times import unix_ms
from matpho_platform.identity import repository
from matpho_platform.identity.errors import CentreSilentError
from matpho_platform.identity.schemas import IdentityGrant, Status
from matpho_platform.store.engine import Store
from matpho_platform.store.sealing import Vault

CLAIM = timedelta(seconds=60)
"""Longer than any asking takes; after it, an asker counts as dead."""
RESULT_TTL = timedelta(hours=24)
NOBODY = "unrecorded"
"""Stands for an approver that an imported request does not name."""
_log = structlog.get_logger(__name__)


class AuthenticationCentre(Protocol):
    """The one way to learn anything about a person: one signed question, one signed answer."""

    async def check(self, request: CheckRequest) -> CheckAnswer:
        """Ask; raises UnavailableError when there is no answer that can be read."""

    async def close(self) -> None:
        """Let go of connections."""


class Asker:
    """Asks the centre and keeps what it says."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault
        self._centre: AuthenticationCentre | None = None
        self._key: PublicKey | None = None

    def connect(self, centre: AuthenticationCentre, key: PublicKey) -> None:
        """Use this centre from now on; `key` is what its answers must be signed with."""
        self._centre, self._key = centre, key

    async def close(self) -> None:
        """Let go of the centre."""
        if self._centre is not None:
            await self._centre.close()

    async def ask(
        self, row: RowMapping, subject: Subject, fields: tuple[str, ...], grant: IdentityGrant, now: datetime
    ) -> None:
        """Ask about an approved request; raises CentreSilentError, with nothing kept, when no answer can be trusted."""
        request_id = row["request_id"]
        if self._centre is None or self._key is None:
            raise CentreSilentError("No authentication centre is connected.", action="Name it in the settings.")
        async with self._store.writing() as session:
            if not await repository.claim(session, request_id, unix_ms(now), unix_ms(now + CLAIM)):  # 1
                return
        question = _question(row, subject, fields, grant, now)
        try:
            answer = await self._centre.check(question)  # 2
            verify_answer(answer, question, self._key)  # 3
        except (UnavailableError, IntegrityError) as error:
            problem = "untrusted" if isinstance(error, IntegrityError) else "silent"
            await self._settle(request_id, {"problem": problem})
            _log.warning("identity_check_unanswered", request=request_id, problem=problem)
            raise CentreSilentError(
                "The authentication centre gave no answer that can be trusted.",
                action="The approval is kept; the centre is asked again when the result is wanted.",
            ) from None
        await self._settle(request_id, self._kept(request_id, answer, now))  # 4

    def _kept(self, request_id: str, answer: CheckAnswer, now: datetime) -> dict[str, Any]:
        at = unix_ms(now)
        if answer.outcome == "refused":
            return {
                **repository.erased(at),
                "status": Status.FAILED.value,
                "problem": answer.rule,
                "answer_number": answer.answer_number,
            }
        return {
            "status": Status.ANSWERED.value,
            "problem": "",
            "answer": self._vault.seal(answer.model_dump_json().encode(), f"answer:{request_id}"),
            "answer_number": answer.answer_number,
            "answered_ms": at,
            "expires_ms": unix_ms(now + RESULT_TTL),
        }

    async def _settle(self, request_id: str, values: dict[str, Any]) -> None:
        values = {name: value for name, value in values.items() if name != "asking_until_ms"}
        async with self._store.writing() as session:
            await repository.settle(session, request_id, values)


def _question(
    row: RowMapping, subject: Subject, fields: tuple[str, ...], grant: IdentityGrant, now: datetime
) -> CheckRequest:
    return CheckRequest(
        check_id=row["check_id"],
        unit_code=grant.unit_code,
        case_number=row["case_number"],
        purpose=row["purpose"],
        subject=subject,
        fields=fields,
        requested_by=row["requester"],
        approved_by=row["decided_by"] or NOBODY,
        asked_at=now,
    )
