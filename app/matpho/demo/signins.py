"""The demo's ready-made sign-ins: one account a role, passwords made at random once and kept for the owner alone."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from matpho.private_files import write_private
from matpho_platform.access.principal import Role

__all__ = ["SignIn", "sign_ins", "write_private"]


@dataclass(frozen=True, slots=True)
class SignIn:
    """One account of the demo."""

    id: str
    name: str
    role: Role
    areas: tuple[str, ...]
    password: str


_PEOPLE = (
    ("commander", "Trung tá Đỗ Hải Đăng", Role.COMMANDER, False),
    ("officer", "Trung úy Lê Thu Hà", Role.OFFICER, True),
    ("investigator", "Thiếu tá Phạm Đức Long", Role.INVESTIGATOR, True),
    ("leader", "Bà Vũ Minh Nguyệt", Role.LEADER, False),
    ("auditor", "Bà Đặng Hồng Vân", Role.AUDITOR, False),
    ("admin", "Kỹ sư Bùi Nam Sơn", Role.ADMIN, False),
    ("citizen", "Chị Hoàng Mai", Role.CITIZEN, False),
)


def sign_ins(path: Path, areas: Sequence[str]) -> list[SignIn]:
    """The sign-ins kept in a file of mode 0600, made on first use; `areas` are those of officer and investigator."""
    if path.exists():
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [SignIn(**{**row, "role": Role(row["role"]), "areas": tuple(row["areas"])}) for row in rows]
    made = [
        SignIn(id_, name, role, tuple(areas) if bound else (), secrets.token_urlsafe(12))
        for id_, name, role, bound in _PEOPLE
    ]
    write_private(path, json.dumps([asdict(one) for one in made], ensure_ascii=False, indent=1))
    return made
