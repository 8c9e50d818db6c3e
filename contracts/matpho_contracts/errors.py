"""The one base of every error that Matpho raises on purpose."""

from __future__ import annotations

from typing import ClassVar


class MatphoError(Exception):
    """An error a person can act on: what happened and what to do.

    `code` names the error in docs and JSON, `status` is its HTTP status, `exit_code` the command line's.
    `message` is written for a human and never carries a secret; `action` says what to do about it.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, action: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.action = action

    def __str__(self) -> str:
        return f"{self.message} {self.action}".strip()


class BadInputError(MatphoError):
    """What came from outside cannot be used as it is; nothing was changed."""

    code = "bad_input"
    status = 422
    exit_code = 2


class NotFoundError(MatphoError):
    """The thing asked for does not exist, or the caller may not know that it does."""

    code = "not_found"
    status = 404
    exit_code = 2


class ConfigurationError(BadInputError):
    """A settings file or an option says something that cannot be."""

    code = "configuration"
    status = 500


class UnavailableError(MatphoError):
    """A part that is needed did not answer; the call may be tried again."""

    code = "unavailable"
    status = 503


class StorageFullError(UnavailableError):
    """The disk has no room: the write was refused whole, nothing is half-written."""

    code = "storage_full"
    status = 507


class IntegrityError(MatphoError):
    """Bytes are not what was signed or promised."""

    code = "integrity"
    status = 422
    exit_code = 2
