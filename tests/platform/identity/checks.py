"""A grant, people, a car and an authentication centre to check identities with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from matpho_contracts.errors import UnavailableError
from matpho_contracts.identity_api import CheckAnswer, CheckRequest, Person, Vehicle, sign_answer
from matpho_contracts.signing import SigningKey
from matpho_platform.access.principal import Principal, Role
from matpho_platform.identity.schemas import IdentityGrant, NewRequest, RequestView
from matpho_platform.identity.service import IdentityService
from matpho_platform.store import Store
from matpho_platform.store.tables import identity_requests

NOW = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
GRANT = IdentityGrant(
    unit_code="HP-PC06",
    purposes=("điều tra hình sự", "tìm người mất tích"),
    fields=("họ tên", "chủ xe", "địa chỉ"),
    valid_to=NOW + timedelta(days=90),
    quota=60,
)
CAR = Vehicle(plate="15A-678.90")
PERSON = Person(citizen_id="031190000042", name="Phạm Thị Mẫu", date_of_birth=date(1990, 3, 2))
ANNA = Principal("inv-anna", "Anna", Role.INVESTIGATOR, ("HP",))
BAO = Principal("cmd-bao", "Bảo", Role.COMMANDER)
CHI = Principal("cmd-chi", "Chi", Role.COMMANDER)


@dataclass
class Centre:
    """A centre with a true key that does what a test tells it to."""

    key: SigningKey = field(default_factory=SigningKey.generate)
    asked: list[CheckRequest] = field(default_factory=list)
    silent: bool = False
    refuses: str = ""
    forged: bool = False
    extra: dict[str, str] = field(default_factory=dict)
    gate: asyncio.Event | None = None
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def check(self, request: CheckRequest) -> CheckAnswer:
        self.asked.append(request)
        self.came.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.silent:
            raise UnavailableError("nobody there")
        key = SigningKey.generate() if self.forged else self.key
        values = {name: f"giá trị {name}" for name in request.fields} | self.extra
        outcome: Any = "refused" if self.refuses else "found"
        answer = sign_answer(
            request,
            key,
            outcome=outcome,
            answered_at=NOW,
            answer_number="T-1",
            values={} if self.refuses else values,
            rule=self.refuses,
        )
        return answer.model_copy(update={"key_id": self.key.public.key_id}) if self.forged else answer

    async def close(self) -> None:
        return


def new(subject: Any = CAR, case: str = "HS-2026-0102", fields: Sequence[str] = ("chủ xe",)) -> NewRequest:
    return NewRequest(case_number=case, purpose="điều tra hình sự", subject=subject, fields=tuple(fields))


async def opened(identity: IdentityService, key: str = "k1", **changes: Any) -> RequestView:
    return await identity.request(ANNA, new(**changes), now=NOW, key=key)


async def approve(
    identity: IdentityService, request: RequestView, who: Principal = BAO, key: str = "d1"
) -> RequestView:
    return await identity.decide(who, request.id, "approve", "", content_hash=request.content_hash, now=NOW, key=key)


async def row_of(store: Store, request_id: str) -> Any:
    async with store.reading() as session:
        return await session.first(select(identity_requests).where(identity_requests.c.request_id == request_id))
