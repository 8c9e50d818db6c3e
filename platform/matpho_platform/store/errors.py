"""What can go wrong with the database, said in our own words; foreign exceptions end here."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from matpho_contracts.errors import ConfigurationError, MatphoError, StorageFullError, UnavailableError

_FULL_SQLITE = "database or disk is full"
_FULL_POSTGRES = "53100"
"""SQLSTATE disk_full."""
_BROKEN_SQLITE = "disk I/O error"
_BROKEN_POSTGRES = "58030"
"""SQLSTATE io_error."""


class DatabaseError(UnavailableError):
    """The database refused or did not answer."""

    code = "database"


class DiskFailedError(DatabaseError):
    """The disk failed under a write or a flush: what is on it is not known, so stop, and recover by a restart."""

    code = "disk_failed"


class DuplicateError(MatphoError):
    """A key that must be unique is there already (somebody else wrote it first)."""

    code = "duplicate"
    status = 409


class MovedError(MatphoError):
    """A record that a statement must change is not as it was read: somebody else was first; nothing was written."""

    code = "moved"
    status = 409


class DurabilityError(ConfigurationError):
    """The database would forget acknowledged writes at a power cut."""

    code = "durability"


def storage_full() -> StorageFullError:
    """The one message for a full disk, whoever noticed it."""
    return StorageFullError(
        "The center's disk is full; nothing of this request was stored.", action="Free space, then send again."
    )


def _cause(error: SQLAlchemyError) -> Any:
    return error.orig if isinstance(error, DBAPIError) else None


def _is_full(error: SQLAlchemyError) -> bool:
    cause = _cause(error)
    return _FULL_SQLITE in str(cause) or getattr(cause, "sqlstate", None) == _FULL_POSTGRES


def _is_broken(error: SQLAlchemyError) -> bool:
    cause = _cause(error)
    return _BROKEN_SQLITE in str(cause) or getattr(cause, "sqlstate", None) == _BROKEN_POSTGRES


@contextmanager
def translated() -> Iterator[None]:
    """Turn the database's and the disk's exceptions into ours; statements and parameters are left out of messages."""
    try:
        yield
    except IntegrityError as error:
        raise DuplicateError("The record exists already.") from error
    except SQLAlchemyError as error:
        if _is_full(error):
            raise storage_full() from error
        if _is_broken(error):
            raise DiskFailedError("The center's disk failed.", action="Check the disk, then restart.") from error
        raise DatabaseError(
            f"The database did not do its work ({type(error).__name__}).", action="Check it and try again."
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise storage_full() from error
        raise
