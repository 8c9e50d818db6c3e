"""Sealing: personal values of identity checks under a key that lies in a file beside the database, not in it."""

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
    """AES-256-GCM and HMAC-SHA-256 under keys derived from one secret. The secret shows in no repr."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ConfigurationError(f"The identity key must have {KEY_BYTES} bytes.")
        self._cipher = AESGCM(_derive(secret, b"matpho-identity-seal"))
        self._mac = _derive(secret, b"matpho-identity-commitment")

    @classmethod
    def load_or_create(cls, path: Path) -> Vault:
        """The key in a file of mode 0600, made when absent; raises ConfigurationError when others can read it."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigurationError(f"{path.name} can be read by others.", action="Give it mode 0600.")
        return cls(path.read_bytes())

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


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(secret)
