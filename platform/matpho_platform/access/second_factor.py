"""The second factor by code: TOTP (RFC 6238) with no code taken twice, and recovery codes for a lost telephone.

Checking a code: 1 find the time step whose code it is, among the present and its two neighbours; 2 take that step in
the database, which works only when it is later than every step taken before. Two requests with the same code, in one
process or two, both get to 2, and one of them gets through.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

import pyotp

from matpho_contracts.times import now, unix_ms
from matpho_platform.access import factor_repository as repository
from matpho_platform.access.errors import FactorError
from matpho_platform.access.keys import AccessKey, digest
from matpho_platform.access.sessions import Clock
from matpho_platform.store.engine import Store
from matpho_platform.store.errors import DuplicateError

STEP_S = 30
DRIFT_STEPS = 1
"""How many steps a telephone's clock may be off."""
RECOVERY_CODES = 10
"""Each of 80 random bits: 16 letters and digits."""
_ALPHABET = str.maketrans("", "", " -")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A new secret, shown once to its owner."""

    secret: str
    uri: str

    def __repr__(self) -> str:
        return "Enrolment()"


class SecondFactor:
    """Code generators and recovery codes of all accounts."""

    def __init__(self, store: Store, key: AccessKey, site: str, clock: Clock = now) -> None:
        self._store = store
        self._key = key
        self._site = site
        self._clock = clock

    async def enrol(self, user_id: str) -> Enrolment:
        """A new secret, good once a code confirms it; raises FactorError where a confirmed one is."""
        secret = pyotp.random_base32()
        values = {
            "user_id": user_id,
            "secret": self._key.seal(secret.encode(), _label(user_id)),
            "confirmed": False,
            "last_step": 0,
            "created_ms": unix_ms(self._clock()),
        }
        try:
            async with self._store.writing() as session:
                await repository.put_totp(session, values)
        except DuplicateError as error:
            raise FactorError("This account has a code generator.", action="Remove it first.") from error
        return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=user_id, issuer_name=self._site))

    async def confirm(self, user_id: str, code: str) -> Sequence[str] | None:
        """The owner typed a code of the new secret: from now on it counts. Returns recovery codes, shown once; or None
        where the code is wrong."""
        if not await self._take(user_id, code, confirm=True):
            return None
        return await self.new_recovery_codes(user_id)

    async def check(self, user_id: str, code: str) -> bool:
        """Whether a code is right, for this once."""
        return await self._take(user_id, code, confirm=False)

    async def check_recovery(self, user_id: str, code: str) -> bool:
        """Whether a recovery code is right; it is used up."""
        async with self._store.writing() as session:
            plain = code.translate(_ALPHABET).upper()
            return bool(await repository.take_recovery_code(session, user_id, digest(plain)))

    async def new_recovery_codes(self, user_id: str) -> Sequence[str]:
        """New recovery codes, shown once; the old ones are good no more."""
        codes = [pyotp.random_base32()[:16] for _ in range(RECOVERY_CODES)]
        async with self._store.writing() as session:
            await repository.replace_recovery_codes(session, user_id, [digest(code) for code in codes])
        return ["-".join(code[at : at + 4] for at in range(0, 16, 4)) for code in codes]

    async def has(self, user_id: str) -> bool:
        """Whether an account has a confirmed code generator."""
        async with self._store.reading() as session:
            row = await repository.find_totp(session, user_id)
        return row is not None and bool(row["confirmed"])

    async def recovery_left(self, user_id: str) -> int:
        """How many recovery codes are left."""
        async with self._store.reading() as session:
            return await repository.recovery_codes_left(session, user_id)

    async def remove(self, user_id: str) -> bool:
        """Forget the code generator and the recovery codes; whether there was one."""
        async with self._store.writing() as session:
            return bool(await repository.drop_totp(session, user_id))

    async def _take(self, user_id: str, code: str, *, confirm: bool) -> bool:
        async with self._store.reading() as session:
            row = await repository.find_totp(session, user_id)
        if row is None or bool(row["confirmed"]) is confirm:
            return False
        secret = self._key.unseal(row["secret"], _label(user_id)).decode()
        step = matching_step(secret, code, int(self._clock().timestamp()) // STEP_S)  # 1
        if step is None:
            return False
        async with self._store.writing() as session:
            return bool(await repository.take_step(session, user_id, step, confirm=confirm))  # 2


def matching_step(secret: str, code: str, present: int) -> int | None:
    """The time step near the present one whose code this is; every step is compared, whichever fits."""
    otp, said = pyotp.HOTP(secret), code.translate(_ALPHABET)
    found = None
    for step in range(present + DRIFT_STEPS, present - DRIFT_STEPS - 1, -1):
        if hmac.compare_digest(otp.at(step).encode(), said.encode()):
            found = step
    return found


def _label(user_id: str) -> str:
    return f"totp:{user_id}"
