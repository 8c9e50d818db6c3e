"""How an identity request is shown to whoever asks for it or decides it: every part, in words of both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import StringConstraints

from matpho_tools.contract import Row

PART = ("hệ thống xác minh danh tính", "the identity check service")
RequestId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
SUBJECT_LABELS = {
    "citizen_id": ("Số căn cước", "Citizen id"),
    "name": ("Họ tên", "Name"),
    "date_of_birth": ("Ngày sinh", "Date of birth"),
    "plate": ("Biển số", "Plate"),
}
HASH_SHOWN = 16


def subject_rows(subject: Mapping[str, str], source: Literal["person", "center"] = "person") -> tuple[Row, ...]:
    """One row for each field of a subject, as it will be sent."""
    return tuple(Row(f"subject.{name}", *SUBJECT_LABELS[name], value, value, source) for name, value in subject.items())


def short_hash(content_hash: str) -> str:
    """The start of a content hash in groups of four, for people to compare."""
    shown = content_hash[:HASH_SHOWN]
    return " ".join(shown[place : place + 4] for place in range(0, len(shown), 4))
