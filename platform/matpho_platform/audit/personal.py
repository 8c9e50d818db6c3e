"""Personal values beside the log: each subject has a secret of its own; destroying it leaves the log valid, unreadable.

A subject's secret is 32 random bytes, kept wrapped under the center's key. From it come the key that seals values
(AES-256-GCM) and the key of commitments (HMAC-SHA-256) that stand in the log. Without the secret neither can be
opened, guessed at or linked to a name. The table finds a subject by a keyed hash of what names it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from matpho_contracts.text import fold, normalise_plate
from matpho_platform.audit.errors import AuditBrokenError

_NONCE = 12
_SECRET = 32
_PLATE_LIKE = re.compile(r"[0-9A-Z]{4,14}")
_SAID = frozenset(
    {"query", "text", "note", "notes", "message", "description", "reason", "caption", "image", "photos", "location"}
)
"""Values that name nobody: they belong to the subject of the call, or to the person who said them."""


def subject_of(value: str) -> str:
    """What names a subject, however it is typed: plates and numbers without dots, names without marks."""
    plain = normalise_plate(value)
    if any(map(str.isdigit, plain)) and _PLATE_LIKE.fullmatch(plain):
        return plain
    return fold(value)


def owner_of(name: str, personal: Mapping[str, str], speaker: str) -> str:
    """Which subject a value belongs to.

    1 fields of one argument belong to whom that argument names: the citizen id or plate in it, else its first field;
    2 a value that names somebody is its own subject; 3 words said belong to the first who is named, else to who spoke.
    """
    group, dot, _ = name.partition(".")
    if dot:  # 1
        members = [other for other in personal if other.startswith(f"{group}.") and not _said(other)]
        members.sort(key=lambda other: other.rpartition(".")[2] not in ("citizen_id", "plate"))
        if members:
            return subject_of(personal[members[0]])
    elif not _said(name):  # 2
        return subject_of(personal[name])
    named = next((other for other in personal if not _said(other)), None)  # 3
    return owner_of(named, personal, speaker) if named is not None else f"user:{speaker}"


def _said(name: str) -> bool:
    return name.rpartition(".")[2] in _SAID


@dataclass(frozen=True, slots=True)
class SubjectSecret:
    """The secret of one subject, unwrapped. It shows in no repr."""

    subject_id: str
    _secret: bytes

    def __repr__(self) -> str:
        return f"SubjectSecret({self.subject_id[:8]}…)"

    def commitment(self, value: str) -> str:
        """What stands in the log for a value: 64 hex digits that say nothing without this secret."""
        return hmac.new(self._key(b"commit"), value.encode(), hashlib.sha256).hexdigest()

    def seal(self, value: str, index: int, name: str) -> bytes:
        """Nonce and ciphertext, bound to its place."""
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self._key(b"seal")).encrypt(nonce, value.encode(), _place(index, name))

    def open(self, sealed: bytes, index: int, name: str) -> str:
        """The value; raises AuditBrokenError when it is not what was sealed here."""
        try:
            return AESGCM(self._key(b"seal")).decrypt(sealed[:_NONCE], sealed[_NONCE:], _place(index, name)).decode()
        except (InvalidTag, ValueError) as error:
            raise AuditBrokenError(f"A personal value of entry {index} is not what was sealed.") from error

    def _key(self, use: bytes) -> bytes:
        return hmac.new(self._secret, b"matpho-audit-" + use, hashlib.sha256).digest()


def _place(index: int, name: str) -> bytes:
    return f"{index}:{name}".encode()


class Subjects:
    """Names subjects and wraps their secrets under the center's key."""

    def __init__(self, center_secret: bytes) -> None:
        self._names = hmac.new(center_secret, b"subject-names", hashlib.sha256).digest()
        self._wrapping = AESGCM(hmac.new(center_secret, b"subject-secrets", hashlib.sha256).digest())
        self._spool = AESGCM(hmac.new(center_secret, b"spool", hashlib.sha256).digest())

    def id_of(self, subject: str) -> str:
        """The keyed hash under which the table knows a subject."""
        return hmac.new(self._names, subject.encode(), hashlib.sha256).hexdigest()

    def ids_of(self, value: str) -> set[str]:
        """The ids that a person's search words may mean: as typed, and as a plate, number or name is written."""
        return {self.id_of(one) for one in (value, subject_of(value), f"user:{value}")}

    def make(self, subject_id: str) -> tuple[SubjectSecret, bytes]:
        """A new secret, and its wrapped form for the table."""
        secret, nonce = os.urandom(_SECRET), os.urandom(_NONCE)
        wrapped = nonce + self._wrapping.encrypt(nonce, secret, subject_id.encode())
        return SubjectSecret(subject_id, secret), wrapped

    def unwrap(self, subject_id: str, wrapped: bytes) -> SubjectSecret:
        """A secret from the table; raises AuditBrokenError when it is not one of this center's."""
        try:
            secret = self._wrapping.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], subject_id.encode())
        except (InvalidTag, ValueError) as error:
            raise AuditBrokenError("A subject's secret is not one of this center's.") from error
        return SubjectSecret(subject_id, secret)

    def hide(self, document: bytes) -> bytes:
        """A spooled entry with its personal values, unreadable on the disk."""
        nonce = os.urandom(_NONCE)
        return nonce + self._spool.encrypt(nonce, document, b"spool")

    def show(self, hidden: bytes) -> bytes:
        """What `hide` hid; raises AuditBrokenError when it is something else."""
        try:
            return self._spool.decrypt(hidden[:_NONCE], hidden[_NONCE:], b"spool")
        except (InvalidTag, ValueError) as error:
            raise AuditBrokenError("The spool holds an entry that this center did not write.") from error


def owners(personal: Mapping[str, str], speaker: str, subject: str | None) -> dict[str, str]:
    """The subject of each personal value; `subject`, where the caller names one, owns them all."""
    if subject is not None:
        return dict.fromkeys(personal, subject_of(subject))
    return {name: owner_of(name, personal, speaker) for name in personal}


def main_subject(named: Iterable[str]) -> str | None:
    """The subject that an entry as a whole is about: the first person or thing named."""
    found = list(named)
    return next((one for one in found if not one.startswith("user:")), found[0] if found else None)
