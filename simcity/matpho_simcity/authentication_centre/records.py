"""What the simulated centre knows: made-up people and vehicles, the same ones at every run.

A record given by hand goes first. Any other plate or card number has a made-up owner that follows from its digits, so
that a city of any size is answered for without a list of its people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from matpho_contracts.identity_api import Person, Subject, Vehicle
from matpho_contracts.text import fold

_FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng", "Bùi")
_MIDDLE = ("Văn", "Thị", "Minh", "Thu", "Quốc", "Ngọc")
_GIVEN = ("An", "Bình", "Chi", "Dũng", "Hà", "Khánh", "Lan", "Mẫu", "Phúc", "Quỳnh")
_STREETS = ("phố Mô Phỏng", "ngõ Thử Nghiệm", "đường Giả Định", "phố Ví Dụ")
_NAME = ("ho ten", "ho va ten", "ten", "full name", "name")
_OWNER = ("chu xe", "chu phuong tien", "vehicle owner", "owner")
_BIRTH = ("ngay sinh", "ngay thang nam sinh", "date of birth")
_ADDRESS = ("dia chi", "dia chi thuong tru", "noi thuong tru", "address")


@dataclass(frozen=True, slots=True)
class Record:
    """One person, or the keeper of one vehicle; `more` holds further fields by name."""

    name: str = field(repr=False)
    date_of_birth: str = field(repr=False)
    address: str = field(repr=False)
    more: Mapping[str, str] = field(default_factory=dict, repr=False)

    def value(self, wanted: str) -> str | None:
        """A field by its Vietnamese or English name, or None where the record has no such field."""
        said = fold(wanted)
        if said in _NAME or said in _OWNER:
            return self.name
        if said in _BIRTH:
            return self.date_of_birth
        if said in _ADDRESS:
            return self.address
        return next((text for name, text in self.more.items() if fold(name) == said), None)


class Records:
    """Looks up exactly one subject. There is no search, no list and no way to count."""

    def __init__(self, known: Mapping[str, Record] | None = None, *, invent: bool = True) -> None:
        """`known` by card number or plate; `invent` makes up whoever is not in it."""
        self._known = dict(known or {})
        self._invent = invent

    def find(self, subject: Subject) -> Record | None:
        """The record of a subject, or None. A person's number, name and date of birth must all agree."""
        if isinstance(subject, Vehicle):
            return self._known.get(subject.plate) or (_invented(subject.plate) if self._invent else None)
        known = self._known.get(subject.citizen_id)
        if known is None:
            return self._stranger(subject)
        same = fold(known.name) == fold(subject.name) and known.date_of_birth == subject.date_of_birth.isoformat()
        return known if same else None

    def _stranger(self, person: Person) -> Record | None:
        if not self._invent:
            return None
        made = _invented(person.citizen_id)
        return Record(person.name, person.date_of_birth.isoformat(), made.address)


def _invented(key: str) -> Record:
    digest = hashlib.sha256(f"matpho-simcity-{key}".encode()).digest()
    name = " ".join(part[digest[place] % len(part)] for place, part in enumerate((_FAMILY, _MIDDLE, _GIVEN)))
    birth = f"{1955 + digest[3] % 50}-{1 + digest[4] % 12:02d}-{1 + digest[5] % 28:02d}"
    address = f"{1 + digest[6]} {_STREETS[digest[7] % len(_STREETS)]} (dữ liệu mô phỏng)"
    return Record(name, birth, address)
