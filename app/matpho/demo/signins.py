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
    ("commander", "Chỉ huy trực ban", Role.COMMANDER, False),
    ("officer", "Cán bộ trực phường", Role.OFFICER, True),
    ("investigator", "Điều tra viên", Role.INVESTIGATOR, True),
    ("leader", "Lãnh đạo", Role.LEADER, False),
    ("auditor", "Kiểm toán viên", Role.AUDITOR, False),
    ("admin", "Quản trị hệ thống", Role.ADMIN, False),
    ("citizen", "Người dân", Role.CITIZEN, False),
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
