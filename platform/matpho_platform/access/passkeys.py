"""Passkeys (WebAuthn): registering one, signing in and stepping up with it. The person is always verified.

A ceremony: 1 a challenge of ours, kept here for five minutes and given out under a name; 2 the browser signs it;
3 the name is taken back, which ends the challenge whatever comes; 4 signature, challenge, origin, our id, presence and
verification of the person are checked; 5 the signature counter must have grown where the authenticator counts, else it
was copied; 6 the new counter is noted, once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from matpho_contracts.errors import NotFoundError
from matpho_contracts.times import from_unix_ms, now, unix_ms
from matpho_platform.access import factor_repository as repository
from matpho_platform.access.errors import FactorError, OneTimeError, SignInError
from matpho_platform.access.keys import AccessKey
from matpho_platform.access.one_time import OneTime, Purpose
from matpho_platform.access.sessions import Clock
from matpho_platform.store.engine import Store
from matpho_platform.store.errors import DuplicateError

CEREMONY = timedelta(minutes=5)
MAX_PASSKEYS = 10
_MALFORMED = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What hostile bytes make the decoders raise."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the browser is: our origin, and the host that passkeys are bound to."""

    origin: str
    host: str


@dataclass(frozen=True, slots=True)
class Passkey:
    """One of an account's passkeys, as shown to its owner."""

    id: str
    name: str
    created: datetime
    used: datetime | None


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What the browser is asked to do, and the name under which its answer comes back."""

    name: str
    options: Mapping[str, Any]


class Passkeys:
    """The passkeys of all accounts."""

    def __init__(self, store: Store, one_time: OneTime, key: AccessKey, title: str, clock: Clock = now) -> None:
        self._store = store
        self._one_time = one_time
        self._key = key
        self._title = title
        self._clock = clock

    async def begin_registration(self, site: Site, user_id: str, name: str) -> Ceremony:
        """Ask a signed-in person's browser for a new passkey; raises FactorError when they have too many."""
        async with self._store.reading() as session:
            own = await repository.passkeys_of(session, user_id)
        if len(own) >= MAX_PASSKEYS:
            raise FactorError(f"An account has at most {MAX_PASSKEYS} passkeys.", action="Remove one.")
        options = generate_registration_options(
            rp_id=site.host,
            rp_name=self._title,
            user_name=user_id,
            user_id=self._key.handle(user_id),
            user_display_name=name,
            timeout=CEREMONY // timedelta(milliseconds=1),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=row["credential_id"]) for row in own],
        )
        payload = {"challenge": bytes_to_base64url(options.challenge)}
        given = await self._one_time.give(Purpose.REGISTER, CEREMONY, subject=user_id, payload=payload)  # 1
        return Ceremony(given, json.loads(options_to_json(options)))

    async def register(self, site: Site, user_id: str, ceremony: str, credential: Mapping[str, Any], name: str) -> str:
        """Keep the passkey that the browser made, and return its id; raises FactorError, OneTimeError."""
        given = await self._one_time.take(ceremony, Purpose.REGISTER)  # 3
        if given.subject != user_id:
            raise OneTimeError("This ceremony is another person's.", action="Begin again.")
        try:
            made = verify_registration_response(  # 4
                credential=dict(credential),
                expected_challenge=base64url_to_bytes(given.payload["challenge"]),
                expected_rp_id=site.host,
                expected_origin=site.origin,
                require_user_verification=True,
            )
        except _MALFORMED as error:
            raise FactorError("The passkey could not be verified.", action="Try again.") from error
        values = {
            "passkey_id": passkey_id(made.credential_id),
            "user_id": user_id,
            "name": name[:200],
            "credential_id": made.credential_id,
            "public_key": made.credential_public_key,
            "sign_count": made.sign_count,
            "created_ms": unix_ms(self._clock()),
            "used_ms": None,
        }
        try:
            async with self._store.writing() as session:
                await repository.add_passkey(session, values)
        except DuplicateError as error:
            raise FactorError("This passkey is registered already.") from error
        return str(values["passkey_id"])

    async def begin_sign_in(self, site: Site) -> Ceremony:
        """Ask a browser for any passkey of ours that it has; no account is named, so none is given away."""
        return await self._begin(site, Purpose.PASSKEY_SIGN_IN, "", ())

    async def begin_step_up(self, site: Site, user_id: str) -> Ceremony:
        """Ask a signed-in person's browser for one of their passkeys; raises FactorError where they have none."""
        async with self._store.reading() as session:
            own = await repository.passkeys_of(session, user_id)
        if not own:
            raise FactorError("This account has no passkey.")
        return await self._begin(site, Purpose.PASSKEY_STEP_UP, user_id, own)

    async def check(self, site: Site, purpose: Purpose, ceremony: str, credential: Mapping[str, Any]) -> str:
        """Whose passkey signed; raises SignInError, OneTimeError. A step-up's must be its asker's."""
        given = await self._one_time.take(ceremony, purpose)  # 3
        row = await self._row(credential)
        if given.subject not in ("", row["user_id"]):
            raise SignInError("The passkey could not be verified.", action="Use your own.")
        try:
            seen = verify_authentication_response(  # 4
                credential=dict(credential),
                expected_challenge=base64url_to_bytes(given.payload["challenge"]),
                expected_rp_id=site.host,
                expected_origin=site.origin,
                credential_public_key=row["public_key"],
                credential_current_sign_count=row["sign_count"],  # 5
                require_user_verification=True,
            )
        except _MALFORMED as error:
            raise SignInError("The passkey could not be verified.", action="Try again.") from error
        at_ms, count = unix_ms(self._clock()), seen.new_sign_count
        async with self._store.writing() as session:
            noted = await repository.use_passkey(session, row["passkey_id"], row["sign_count"], count, at_ms)  # 6
        if not noted:
            raise SignInError("The passkey was used elsewhere at this moment.", action="Try again.")
        return str(row["user_id"])

    async def of(self, user_id: str) -> Sequence[Passkey]:
        """An account's passkeys, the oldest first."""
        async with self._store.reading() as session:
            return tuple(_shown(row) for row in await repository.passkeys_of(session, user_id))

    async def remove(self, user_id: str, key_id: str) -> None:
        """Forget one of an account's passkeys; raises NotFoundError."""
        async with self._store.writing() as session:
            if not await repository.drop_passkey(session, key_id, user_id):
                raise NotFoundError("There is no such passkey.")

    async def remove_all(self, user_id: str) -> int:
        """Forget all of an account's passkeys; returns how many."""
        async with self._store.writing() as session:
            return await repository.drop_passkeys(session, user_id)

    async def _begin(self, site: Site, purpose: Purpose, subject: str, allowed: Sequence[RowMapping]) -> Ceremony:
        options = generate_authentication_options(
            rp_id=site.host,
            timeout=CEREMONY // timedelta(milliseconds=1),
            allow_credentials=[PublicKeyCredentialDescriptor(id=row["credential_id"]) for row in allowed],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        payload = {"challenge": bytes_to_base64url(options.challenge)}
        given = await self._one_time.give(purpose, CEREMONY, subject=subject, payload=payload)  # 1
        return Ceremony(given, json.loads(options_to_json(options)))

    async def _row(self, credential: Mapping[str, Any]) -> RowMapping:
        try:
            raw = base64url_to_bytes(credential["rawId"])
        except _MALFORMED as error:
            raise SignInError("This is no passkey.") from error
        async with self._store.reading() as session:
            row = await repository.find_passkey(session, passkey_id(raw))
        if row is None:
            raise SignInError("The passkey could not be verified.", action="Sign in another way.")
        return row


def passkey_id(credential_id: bytes) -> str:
    """How a passkey is named here: its authenticator's own name may be a kilobyte."""
    return hashlib.sha256(credential_id).hexdigest()


def _shown(row: RowMapping) -> Passkey:
    used = from_unix_ms(row["used_ms"]) if row["used_ms"] is not None else None
    return Passkey(row["passkey_id"], row["name"], from_unix_ms(row["created_ms"]), used)
