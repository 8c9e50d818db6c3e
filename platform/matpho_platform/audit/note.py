"""Signed notes and checkpoints as C2SP lays them down: signed-note with Ed25519 keys, tlog-checkpoint."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from matpho_contracts.signing import PublicKey, SignatureError, SigningKey
from matpho_platform.audit.errors import AuditBrokenError

MAX_NOTE_BYTES = 64 * 1024
MAX_SIGNATURES = 64
_ED25519 = b"\x01"
_DASH = "\u2014"
_ID_BYTES = 4
_HASH_BYTES = 32
_MAX_SIZE = 2**63


def origin_of(key: PublicKey) -> str:
    """The log's name: it is the key's, so that another key can never speak for the same log."""
    return f"matpho.audit/{key.key_id[:16]}"


def note_key_id(name: str, raw: bytes) -> bytes:
    """The four bytes by which a signature line names its key."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + raw).digest()[:_ID_BYTES]


def verifier_key(name: str, key: PublicKey) -> str:
    """The key as an auditor keeps it: `name+hex id+base64(type, key)`."""
    encoded = base64.b64encode(_ED25519 + key.raw).decode()
    return f"{name}+{note_key_id(name, key.raw).hex()}+{encoded}"


def sign_note(text: str, name: str, key: SigningKey) -> str:
    """A text, which ends in a newline, with its signature line under it."""
    signature = note_key_id(name, key.public.raw) + key.sign(text.encode())
    return f"{text}\n{_DASH} {name} {base64.b64encode(signature).decode()}\n"


def open_note(note: bytes, name: str, key: PublicKey) -> str:
    """The text of a note that `key` signed as `name`; raises AuditBrokenError when it did not."""
    text, lines = _split(note)
    known = note_key_id(name, key.raw)
    found = False
    for line in lines:
        signer, identity, signature = _signature(line)
        if (signer, identity) != (name, known):
            continue  # somebody else's: a witness, a coming key
        try:
            key.verify(text.encode(), signature)
        except SignatureError as error:
            raise AuditBrokenError("The signature under a checkpoint note does not fit.") from error
        found = True
    if not found:
        raise AuditBrokenError("A checkpoint note is signed by another key than this log's.")
    return text


def _split(note: bytes) -> tuple[str, list[str]]:
    if len(note) > MAX_NOTE_BYTES:
        raise AuditBrokenError("A checkpoint note is too large.")
    try:
        whole = note.decode()
    except UnicodeDecodeError as error:
        raise AuditBrokenError("A checkpoint note is no text.") from error
    text, blank, under = whole.rpartition("\n\n")
    lines = under.split("\n")
    odd = any(ord(letter) < 0x20 and letter != "\n" for letter in whole)
    if odd or not blank or lines[-1] or not 1 < len(lines) <= MAX_SIGNATURES + 1:
        raise AuditBrokenError("A checkpoint note does not have the form of a signed note.")
    return text + "\n", lines[:-1]


def _signature(line: str) -> tuple[str, bytes, bytes]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != _DASH or not parts[1] or "+" in parts[1]:
        raise AuditBrokenError("A checkpoint note has a line that is no signature.")
    try:
        raw = base64.b64decode(parts[2], validate=True)
    except ValueError as error:
        raise AuditBrokenError("A checkpoint note has a signature that is no base64.") from error
    if len(raw) <= _ID_BYTES:
        raise AuditBrokenError("A checkpoint note has a signature that is too short.")
    return parts[1], raw[:_ID_BYTES], raw[_ID_BYTES:]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree's head: which log, how many entries, their root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def sign(self, key: SigningKey) -> str:
        """The signed note."""
        return sign_note(self.text(), self.origin, key)

    @classmethod
    def read(cls, text: str) -> Checkpoint:
        """From a note's text; raises AuditBrokenError when it is none."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
            raise AuditBrokenError("A checkpoint has fewer than three lines.")
        origin, size, encoded = lines[:3]
        try:
            root = base64.b64decode(encoded, validate=True)
        except ValueError as error:
            raise AuditBrokenError("A checkpoint's root is no base64.") from error
        canonical = size.isascii() and size.isdigit() and str(int(size[:20])) == size and int(size) < _MAX_SIZE
        if not canonical or len(root) != _HASH_BYTES or base64.b64encode(root).decode() != encoded:
            raise AuditBrokenError("A checkpoint's size or root is not written as it must be.")
        return cls(origin, int(size), root)

    @classmethod
    def open(cls, note: bytes, key: PublicKey) -> Checkpoint:
        """From a note that `key` signed for its own log; raises AuditBrokenError when anything differs."""
        found = cls.read(open_note(note, origin_of(key), key))
        if found.origin != origin_of(key):
            raise AuditBrokenError("A checkpoint speaks of another log.")
        return found
