"""The demo's ready-made sign-ins: one account a role, passwords made at random once and kept for the owner alone."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from matpho_platform.access.principal import Role


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


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
