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
