"""What can go wrong when somebody says who they are."""

from __future__ import annotations

from matpho_contracts.errors import BadInputError, MatphoError


class SignInError(MatphoError):
    """Name or password is wrong; which of them is not told."""

    code = "sign_in"
    status = 401


class NotSignedInError(MatphoError):
    """There is no valid session; sign in."""

    code = "not_signed_in"
    status = 401


class TooManyTriesError(MatphoError):
    """Too many wrong passwords from here; wait."""

    code = "too_many_tries"
    status = 429


class AccountError(BadInputError):
    """An account cannot be made or changed like this."""

    code = "account"


class DeniedError(MatphoError):
    """A rule says no at the moment of acting (the state changed since the policy was asked); `rule` names it.

    `message` is English, `message_vi` Vietnamese.
    """

    code = "denied"
    status = 403

    def __init__(self, rule: str, message_vi: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message_vi = message_vi
