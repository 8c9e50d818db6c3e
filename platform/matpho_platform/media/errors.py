"""What can go wrong with pictures and clips."""

from __future__ import annotations

from matpho_contracts.errors import BadInputError, NotFoundError


class PictureError(BadInputError):
    """The bytes are no picture that we take."""

    code = "picture"


class ClipError(BadInputError):
    """The bytes are no clip that we take, or the asked range cannot be a clip."""

    code = "clip"


class ClipNotFoundError(NotFoundError):
    """No such clip, or none that the caller may know of."""

    code = "clip_not_found"
