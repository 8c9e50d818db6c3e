"""What can go wrong when somebody says who they are."""

from __future__ import annotations

import math

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

    def __init__(self, wait_s: float) -> None:
        self.wait_s = max(1, math.ceil(wait_s))
        """Whole seconds after which another try is taken."""
        super().__init__("Too many wrong tries.", action=f"Wait {self.wait_s} seconds.")


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


class SecondFactorNeededError(MatphoError):
    """The password was right; what is missing is the second factor."""

    code = "second_factor"
    status = 401


class StepUpError(MatphoError):
    """This act needs a second factor shown just now."""

    code = "step_up"
    status = 403


class SessionOnlyError(MatphoError):
    """An API token cannot do this; it takes a person who is signed in."""

    code = "session_only"
    status = 403


class NotAdministratorError(MatphoError):
    """Only an administrator may do this."""

    code = "role"
    status = 403


class FactorError(BadInputError):
    """A second factor cannot be made or changed like this."""

    code = "factor"


class OneTimeError(MatphoError):
    """What is good once is unknown, used or too old."""

    code = "one_time"
    status = 401


class OidcError(MatphoError):
    """Signing in through a provider came to nothing."""

    code = "oidc"
    status = 401


class NoSiteError(MatphoError):
    """The installation's own address is not known, or is another than the browser's."""

    code = "no_site"
    status = 503
