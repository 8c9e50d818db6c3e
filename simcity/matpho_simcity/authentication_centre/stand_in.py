"""The desk without a network: what an evaluation or a demonstration asks in place of a centre."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from matpho_contracts.identity_api import CheckAnswer, CheckRequest
from matpho_contracts.signing import PublicKey, SigningKey
from matpho_simcity.authentication_centre.desk import Desk, UnitGrant
from matpho_simcity.authentication_centre.records import Records


class StandInCentre:
    """Answers as the server does; its present is the moment of asking, so a world of another day works.

    >>> import asyncio, uuid
    >>> from matpho_contracts.identity_api import Vehicle
    >>> from matpho_contracts.times import now
    >>> from datetime import timedelta
    >>> grant = UnitGrant("HN-01", ("điều tra hình sự",), ("chủ xe",), now() + timedelta(days=1))
    >>> request = CheckRequest(check_id=uuid.uuid4().hex, unit_code="HN-01", case_number="HS-2026-0001",
    ...     purpose="điều tra hình sự", subject=Vehicle(plate="29A-123.45"), fields=("chủ xe",),
    ...     requested_by="a", approved_by="b", asked_at=now())
    >>> asyncio.run(StandInCentre([grant]).check(request)).outcome
    'found'
    """

    def __init__(
        self, grants: Iterable[UnitGrant], records: Records | None = None, *, key: SigningKey | None = None
    ) -> None:
        self.desk = Desk(key or SigningKey.generate(), grants, records)

    @property
    def key(self) -> PublicKey:
        """What its answers are checked with."""
        return self.desk.key.public

    async def check(self, request: CheckRequest) -> CheckAnswer:
        """Answer one request."""
        present: datetime = request.asked_at
        return self.desk.answer(request, present)

    async def close(self) -> None:
        """There is nothing to let go of."""
