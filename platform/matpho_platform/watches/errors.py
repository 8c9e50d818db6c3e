"""What can go wrong with a watch."""

from __future__ import annotations

from matpho_contracts.errors import BadInputError, NotFoundError


class WatchError(BadInputError):
    """A watch cannot be like this; `argument` names the piece that is wrong or missing."""

    code = "watch"

    def __init__(self, argument: str, message: str) -> None:
        super().__init__(message)
        self.argument = argument


class WatchNotFoundError(NotFoundError):
    """No such watch, or somebody else's."""

    code = "watch_not_found"
