"""What can go wrong in telling people."""

from __future__ import annotations

from matpho_contracts.errors import BadInputError, MatphoError, NotFoundError, UnavailableError


class NoticeNotFoundError(NotFoundError):
    """No such notice, or somebody else's."""

    code = "notice_not_found"


class AddressError(BadInputError):
    """An address cannot be like this, or is not the person's to use."""

    code = "address"


class ChannelUnknownError(BadInputError):
    """The installation has no such channel."""

    code = "channel_unknown"


class ForgedUpdateError(MatphoError):
    """A call in the name of a chat platform or gateway does not prove that it comes from there, or is too old."""

    code = "forged_update"
    status = 403


class SendError(UnavailableError):
    """A channel did not take a message; it may later. `retry_after_s`: what the channel asked to wait."""

    code = "send"

    def __init__(self, reason: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(f"The message was not taken ({reason}).")
        self.reason = reason
        self.retry_after_s = retry_after_s


class RefusedError(MatphoError):
    """A channel refuses this message or address for good."""

    code = "refused"
    status = 422

    def __init__(self, reason: str, *, address_dead: bool = False) -> None:
        super().__init__(f"The message was refused ({reason}).")
        self.reason = reason
        self.address_dead = address_dead
