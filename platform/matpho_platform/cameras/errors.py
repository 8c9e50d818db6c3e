"""What can go wrong between the center, its boxes and their cameras."""

from __future__ import annotations

from matpho_contracts.errors import MatphoError, NotFoundError, UnavailableError
from matpho_contracts.signing import SignatureError


class EnrolmentError(SignatureError):
    """The one-time token is wrong, used or for another box; which of these is not told."""

    code = "enrolment"
    status = 403


class UnknownKeyError(SignatureError):
    """Signed by a key that is not enrolled, or no longer."""

    code = "unknown_key"
    status = 401


class ReplayedRequestError(SignatureError):
    """A signed request came a second time."""

    code = "replayed"
    status = 409


class CameraNotFoundError(NotFoundError):
    """No such camera, or none that the caller may know of."""

    code = "camera_not_found"


class EdgeNotFoundError(NotFoundError):
    """No such box."""

    code = "edge_not_found"


class EdgeSilentError(UnavailableError):
    """A box did not answer in time."""

    code = "edge_silent"


class CameraAwayError(UnavailableError):
    """The box is there, but the camera is not."""

    code = "camera_away"


class CommandFailedError(UnavailableError):
    """A box answered that it could not do what was asked."""

    code = "command_failed"


class QueueFullError(MatphoError):
    """Too many commands wait for one box."""

    code = "queue_full"
    status = 429
