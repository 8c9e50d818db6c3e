"""Sealing: personal values in the database under keys that lie in files beside it, so that a copy of it lacks them."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from matpho_contracts.errors import ConfigurationError, IntegrityError

KEY_BYTES = 32
NONCE_BYTES = 12
"""AES-GCM's own (NIST SP 800-38D); random, which is safe for 2**32 values under one key."""


class Vault:
    """AES-256-GCM and HMAC-SHA-256 under keys derived from one secret and a purpose. The secret shows in no repr."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        if len(secret) != KEY_BYTES:
            raise ConfigurationError(f"The {purpose} key must have {KEY_BYTES} bytes.")
        self._cipher = AESGCM(_derive(secret, f"matpho-{purpose}-seal"))
        self._mac = _derive(secret, f"matpho-{purpose}-commitment")

    @classmethod
    def load_or_create(cls, path: Path) -> Vault:
        """The key in a file of mode 0600 named for its purpose, made when absent.

        Raises ConfigurationError when others can read it.
        """
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigurationError(f"{path.name} can be read by others.", action="Give it mode 0600.")
        return cls(path.read_bytes(), path.stem)

    def seal(self, plain: bytes, place: str) -> bytes:
        """Nonce and ciphertext; `place` names the row and column it belongs to and is needed to open it."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """The plain bytes; raises IntegrityError when they were changed or moved from another place."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError):
            raise IntegrityError("A sealed value was changed, or belongs elsewhere.") from None

    def commit(self, plain: bytes) -> str:
        """A keyed hash, hex: equal values meet, and nobody without the key can try values out."""
        return hmac.new(self._mac, plain, hashlib.sha256).hexdigest()


def _derive(secret: bytes, use: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=use.encode()).derive(secret)
