"""What can go wrong with a citizen's report."""

from __future__ import annotations

from matpho_contracts.errors import BadInputError, MatphoError, NotFoundError


class FeedbackNotFoundError(NotFoundError):
    """No report has this code."""

    code = "feedback_not_found"


class TooManyGuessesError(MatphoError):
    """Too many wrong tracking codes from one account; its own reports stay open to it."""

    code = "too_many_guesses"
    status = 429


class TooManyReportsError(MatphoError):
    """One account files faster than a person can."""

    code = "too_many_reports"
    status = 429


class PhotoError(BadInputError):
    """A photo is no picture that we take."""

    code = "photo"


class PlaceUnknownError(BadInputError):
    """A report says no place that belongs to an area of this center."""

    code = "place_unknown"


class ReportStateError(BadInputError):
    """A report cannot go from its state to the asked one."""

    code = "report_state"
