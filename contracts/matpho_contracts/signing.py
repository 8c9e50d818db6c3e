"""Signatures: Ed25519 keys of boxes, signed batches of events, and the proof by which one event stands alone.

One signature covers the RFC 6962 root of a batch; each event then carries its inclusion proof. Verifying costs one
signature a batch at the center and still one signature an event for an auditor who holds a single event.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from matpho_contracts import merkle
from matpho_contracts.errors import ConfigurationError, IntegrityError
from matpho_contracts.ids import ShortId
from matpho_contracts.times import AwareDatetime, to_rfc3339

MAX_BATCH = 1000
"""Events under one signature."""
_CONTEXT = "matpho-event-batch-v1"
_Hex32 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Hex64 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]


class SignatureError(IntegrityError):
    """A signature or a proof does not fit what it is said to cover."""

    code = "signature"


class BatchHeader(BaseModel):
    """What a box signs: the root over a batch of events, who it is and when it signed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    context: Literal["matpho-event-batch-v1"] = "matpho-event-batch-v1"
    edge_id: ShortId
    incarnation: ShortId
    key_id: _Hex32
    signed_at: AwareDatetime
    size: Annotated[int, Field(gt=0, le=MAX_BATCH)]
    root: _Hex32
    signature: _Hex64

    def statement(self) -> bytes:
        """The canonical bytes under the signature: everything here but the signature itself."""
        return _statement(self.edge_id, self.incarnation, self.key_id, self.signed_at, self.size, self.root)


class EventProof(BaseModel):
    """How one event hangs under its batch's signature: everything needed to verify it alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    header: BatchHeader
    index: Annotated[int, Field(ge=0)]
    path: tuple[_Hex32, ...] = Field(default=(), max_length=32)


def _statement(edge_id: str, incarnation: str, key_id: str, signed_at: AwareDatetime, size: int, root: str) -> bytes:
    return rfc8785.dumps(
        {
            "context": _CONTEXT,
            "edge_id": edge_id,
            "incarnation": incarnation,
            "key_id": key_id,
            "root": root,
            "signed_at": to_rfc3339(signed_at),
            "size": size,
        }
    )


class PublicKey:
    """A box's public key; `key_id` is the SHA-256 of its 32 raw bytes."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        self.raw = key.public_bytes_raw()
        self.key_id = hashlib.sha256(self.raw).hexdigest()

    @classmethod
    def from_hex(cls, text: str) -> PublicKey:
        """Read 32 bytes of hex; raises SignatureError when they are no key."""
        try:
            return cls(Ed25519PublicKey.from_public_bytes(bytes.fromhex(text)))
        except ValueError as error:
            raise SignatureError("This is not an Ed25519 public key (64 hex digits).") from error

    def verify(self, message: bytes, signature: bytes) -> None:
        """Return when the signature fits; raise SignatureError when not."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature as error:
            raise SignatureError("The signature does not fit.") from error


class SigningKey:
    """A box's private key. Its bytes show in no repr, log or error."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key())

    @property
    def private(self) -> Ed25519PrivateKey:
        """The key itself, for libraries that sign on their own."""
        return self._key

    @classmethod
    def generate(cls) -> SigningKey:
        """Make a new key from the system's randomness."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load_or_create(cls, path: Path) -> SigningKey:
        """The key in a PEM file of mode 0600, made when the file is absent; raises ConfigurationError when unusable."""
        if not path.exists():
            made = cls.generate()
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(made._pem())
                file.flush()
                os.fsync(file.fileno())
            return made
        try:
            loaded = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except (ValueError, TypeError, OSError) as error:
            raise ConfigurationError(
                f"The key file {path} cannot be read.", action="Restore it or enrol anew."
            ) from error
        if not isinstance(loaded, Ed25519PrivateKey):
            raise ConfigurationError(f"The key file {path} holds no Ed25519 key.")
        return cls(loaded)

    def _pem(self) -> bytes:
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def sign(self, message: bytes) -> bytes:
        """64 bytes of Ed25519 signature."""
        return self._key.sign(message)


def sign_batch(
    events: Sequence[bytes], key: SigningKey, *, edge_id: str, incarnation: str, signed_at: AwareDatetime
) -> BatchHeader:
    """Sign the root over 1 to MAX_BATCH events' canonical bytes."""
    if not 0 < len(events) <= MAX_BATCH:
        raise ValueError(f"a batch holds 1 to {MAX_BATCH} events, not {len(events)}")
    root = merkle.root_hash([merkle.leaf_hash(raw) for raw in events]).hex()
    statement = _statement(edge_id, incarnation, key.public.key_id, signed_at, len(events), root)
    return BatchHeader(
        edge_id=edge_id,
        incarnation=incarnation,
        key_id=key.public.key_id,
        signed_at=signed_at,
        size=len(events),
        root=root,
        signature=key.sign(statement).hex(),
    )


def verify_batch(events: Sequence[bytes], header: BatchHeader, key: PublicKey) -> list[EventProof]:
    """Check a batch as received and return each event's own proof; raises SignatureError when anything differs."""
    if key.key_id != header.key_id:
        raise SignatureError("The batch is signed by another key than the box's.")
    root, paths = merkle.inclusion_proofs([merkle.leaf_hash(raw) for raw in events])
    if len(events) != header.size or root.hex() != header.root:
        raise SignatureError("The events are not those that were signed.")
    key.verify(header.statement(), bytes.fromhex(header.signature))
    return [
        EventProof(header=header, index=index, path=tuple(step.hex() for step in path))
        for index, path in enumerate(paths)
    ]


def verify_event(raw: bytes, proof: EventProof, key: PublicKey) -> None:
    """Check that one event's bytes are what the box signed; raises SignatureError when not."""
    header = proof.header
    if key.key_id != header.key_id:
        raise SignatureError("The event is signed by another key than the box's.")
    try:
        path = [bytes.fromhex(step) for step in proof.path]
        root = merkle.root_from_inclusion(merkle.leaf_hash(raw), proof.index, header.size, path)
    except ValueError as error:
        raise SignatureError(f"The inclusion proof is broken: {error}.") from error
    if root.hex() != header.root:
        raise SignatureError("The event's bytes are not those that were signed.")
    key.verify(header.statement(), bytes.fromhex(header.signature))
