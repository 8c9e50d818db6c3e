"""Case numbers: a form that every one must have, and a register that says whether the case is open."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from pydantic import TypeAdapter, ValidationError

from matpho_contracts.identity_api import CaseNumber
from matpho_platform.identity.errors import UnclearError

_FORM: TypeAdapter[str] = TypeAdapter(CaseNumber)


class CaseRegister(Protocol):
    """The list of cases of the agency."""

    async def is_open(self, case_number: str, now: datetime) -> bool:
        """Whether work on the case goes on; raises UnavailableError when the register does not answer."""


class FormOnlyRegister:
    """Until an agency's register is connected: every number that has the form of one counts as an open case."""

    async def is_open(self, case_number: str, now: datetime) -> bool:
        """Yes."""
        return bool(case_number)


def read_case_number(said: str) -> str:
    """A case number as it is kept: capitals, single spaces. Raises UnclearError (`case_number`) for no number."""
    try:
        return _FORM.validate_python(" ".join(said.upper().split()))
    except ValidationError:
        raise UnclearError(
            "case_number",
            "Số hồ sơ gồm chữ, số và dấu / . - (ví dụ HS-2026-0139). "
            "A case number has letters, digits and / . - (for example HS-2026-0139)",
        ) from None
