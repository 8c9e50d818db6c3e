"""Accounts, their factors, and what is open in their name. Of every secret only a hash or a sealed form is here."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, String, Table, Text

from matpho_platform.store.tables.base import Id, metadata

Digest = String(64)
"""A SHA-256 in hexadecimal."""

accounts = Table(
    "accounts",
    metadata,
    Column("user_id", Id, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("areas", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)
"""`password_hash` is empty where nobody can sign in with a password."""

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", String(32), primary_key=True),
    Column("token_hash", Digest, nullable=False),
    Column("user_id", Id, nullable=False),
    Column("state", String(8), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("mfa_ms", BigInteger, nullable=True),
    Column("client", String(64), nullable=False),
    Column("device", String(200), nullable=False),
    Index("sessions_token", "token_hash", unique=True),
    Index("sessions_user", "user_id"),
)
"""`state`: `half` (the password was right, the second factor is missing) or `full`."""

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("token_id", String(32), primary_key=True),
    Column("token_hash", Digest, nullable=False),
    Column("user_id", Id, nullable=False),
    Column("name", String(200), nullable=False),
    Column("actions", Text, nullable=True),
    Column("areas", Text, nullable=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger, nullable=True),
    Column("expires_ms", BigInteger, nullable=False),
    Index("api_tokens_hash", "token_hash", unique=True),
    Index("api_tokens_user", "user_id"),
)
"""`actions` and `areas`: JSON lists; null is all of the account's."""

totp_factors = Table(
    "totp_factors",
    metadata,
    Column("user_id", Id, primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    Column("confirmed", Boolean, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)
"""`last_step`: the time step of the last code that was taken; no earlier one, nor the same, is taken again."""

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("user_id", Id, primary_key=True),
    Column("code_hash", Digest, primary_key=True),
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("passkey_id", Digest, primary_key=True),
    Column("user_id", Id, nullable=False),
    Column("name", String(200), nullable=False),
    Column("credential_id", LargeBinary, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger, nullable=True),
    Index("passkeys_user", "user_id"),
)
"""`passkey_id` is the SHA-256 of the credential's id."""

one_time = Table(
    "one_time",
    metadata,
    Column("secret_hash", Digest, primary_key=True),
    Column("purpose", String(24), nullable=False),
    Column("subject", Id, nullable=False),
    Column("payload", Text, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Index("one_time_expiry", "expires_ms"),
)
"""What is given out once and taken back once: first-run token, invitations, challenges, states of OIDC."""

linked_identities = Table(
    "linked_identities",
    metadata,
    Column("issuer", String(200), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("user_id", Id, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Index("linked_identities_user", "user_id"),
)

known_devices = Table(
    "known_devices",
    metadata,
    Column("device_hash", Digest, primary_key=True),
    Column("user_id", Id, primary_key=True),
    Column("used_ms", BigInteger, nullable=False),
    Index("known_devices_user", "user_id"),
)

wrong_tries = Table(
    "wrong_tries",
    metadata,
    Column("try_id", String(32), primary_key=True),
    Column("name", Digest, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index("wrong_tries_name", "name", "at_ms"),
    Index("wrong_tries_at", "at_ms"),
)
"""Wrong passwords and codes of the last minutes; `name` is a keyed hash of whose count it is."""

try_turns = Table(
    "try_turns",
    metadata,
    Column("name", Digest, primary_key=True),
    Column("next_ms", BigInteger, nullable=False),
    Index("try_turns_next", "next_ms"),
)
"""Where tries are paced: when the next may be made."""
