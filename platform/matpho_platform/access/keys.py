"""The installation's access key: seals the secrets of second factors, so that a copy of the database lacks them."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from matpho_contracts.errors import ConfigurationError

KEY_BYTES = 32
_NONCE_BYTES = 12


class AccessKey:
    """256 random bits in a file of mode 0600; its repr says nothing."""

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_BYTES:
            raise ConfigurationError("The access key has not 32 bytes.", action="Restore the file access.key.")
        self._raw = raw
        self._cipher = AESGCM(self._derived("seal"))

    @classmethod
    def generate(cls) -> AccessKey:
        """A new one that nobody keeps."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def load_or_create(cls, path: Path) -> AccessKey:
        """The key in a file, made when it is absent; raises ConfigurationError for one that cannot be used."""
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            try:
                return cls(path.read_bytes())
            except OSError as error:
                raise ConfigurationError(f"The key file {path} cannot be read.", action="Restore it.") from error
        with os.fdopen(handle, "wb") as file:
            raw = secrets.token_bytes(KEY_BYTES)
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        return cls(raw)

    def seal(self, plain: bytes, label: str) -> bytes:
        """Encrypt (AES-256-GCM); `label` says what for and for whom, and opens nothing else."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, label.encode())

    def unseal(self, sealed: bytes, label: str) -> bytes:
        """Decrypt; raises ConfigurationError when the key or the label is another."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], label.encode())
        except (InvalidTag, ValueError) as error:
            raise ConfigurationError(
                "A sealed secret does not open with this access key.", action="Restore access.key of this database."
            ) from error

    def handle(self, user_id: str) -> bytes:
        """32 bytes that stand for an account at an authenticator and tell it nothing."""
        return hmac.new(self._derived("handle"), user_id.encode(), hashlib.sha256).digest()

    def mark(self, text: str) -> str:
        """A name for a text that says nothing to whoever lacks the key: 64 hexadecimal digits."""
        return hmac.new(self._derived("mark"), text.encode(), hashlib.sha256).hexdigest()

    def _derived(self, purpose: str) -> bytes:
        return hmac.new(self._raw, f"matpho-access-{purpose}".encode(), hashlib.sha256).digest()

    def __repr__(self) -> str:
        return "AccessKey()"


def digest(secret: str) -> str:
    """How a random secret is kept: its SHA-256. Only for secrets of 80 random bits or more, never for passwords."""
    return hashlib.sha256(secret.encode()).hexdigest()
