"""What can go wrong with events at the center."""

from __future__ import annotations

from matpho_contracts.errors import NotFoundError, UnavailableError


class EventNotFoundError(NotFoundError):
    """No such event, or none that the caller may know of."""

    code = "event_not_found"


class SearchUnavailableError(UnavailableError):
    """The vector index or the encoder is not there; lists, filters and statistics still work."""

    code = "search_unavailable"
