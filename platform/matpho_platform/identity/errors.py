"""What can go wrong with an identity check. Messages name requests, purposes and fields, never a subject or a value."""

from __future__ import annotations

from collections.abc import Sequence

from matpho_contracts.errors import BadInputError, NotFoundError, UnavailableError
from matpho_platform.access.errors import DeniedError


class RequestNotFoundError(NotFoundError):
    """There is no such identity request."""

    code = "identity_request_not_found"


class UnclearError(BadInputError):
    """A piece of a request is missing or on no list; `argument` says which, `options` what would fit."""

    code = "identity_unclear"

    def __init__(self, argument: str, message: str, options: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.argument = argument
        self.options = tuple(options)


class CentreSilentError(UnavailableError):
    """The authentication centre did not answer, or answered what cannot be trusted; it is asked again later."""

    code = "authentication_centre"


def not_granted(fields: Sequence[str], granted: Sequence[str]) -> DeniedError:
    """Fields outside the unit's grant."""
    outside, inside = ", ".join(fields), ", ".join(granted)
    return DeniedError(
        "field_not_granted",
        f"Đơn vị không được cấp quyền xem trường: {outside}. Các trường được cấp: {inside}.",
        f"The unit's grant does not cover: {outside}. It covers: {inside}.",
    )


def purpose_not_granted(granted: Sequence[str]) -> DeniedError:
    """A purpose outside the unit's grant."""
    return DeniedError(
        "purpose_not_granted",
        f"Mục đích này không có trong danh sách được cấp: {', '.join(granted)}.",
        f"This purpose is not on the unit's grant: {', '.join(granted)}.",
    )


def no_grant() -> DeniedError:
    """This center has no grant."""
    return DeniedError(
        "no_grant",
        "Đơn vị này chưa được cấp quyền xác minh qua trung tâm xác thực.",
        "This unit has no grant of the authentication centre.",
    )


def grant_ended() -> DeniedError:
    """The grant's time is over."""
    return DeniedError(
        "grant_ended",
        "Quyền xác minh của đơn vị đã hết hạn; cần được cấp lại.",
        "The unit's grant has expired; it must be renewed.",
    )


def quota_used(number: int) -> DeniedError:
    """The unit's checks of the day are used up."""
    return DeniedError(
        "grant_quota",
        f"Đơn vị đã dùng hết {number} lượt xác minh của ngày hôm nay.",
        f"The unit has used its {number} checks of today.",
    )


def too_many(number: int) -> DeniedError:
    """One officer's checks of the day are used up."""
    return DeniedError(
        "officer_limit",
        f"Mỗi cán bộ được lập tối đa {number} yêu cầu xác minh một ngày.",
        f"An officer may open at most {number} identity requests a day.",
    )


def under_way(request_id: str | None) -> DeniedError:
    """The same subject in the same case is being checked already."""
    vi, en = (f" ({request_id})", f" ({request_id})") if request_id else ("", "")
    return DeniedError(
        "already_under_way",
        f"Đã có một yêu cầu xác minh cùng đối tượng trong hồ sơ này{vi}; không lập thêm.",
        f"A check of this subject in this case is under way already{en}; no second one is opened.",
    )


def case_closed(case_number: str) -> DeniedError:
    """The case register does not know the case as open."""
    return DeniedError(
        "case_not_open",
        f"Hồ sơ {case_number} không có hoặc đã đóng; chỉ xác minh cho hồ sơ đang mở.",
        f"Case {case_number} is unknown or closed; checks are for open cases only.",
    )


def own_request() -> DeniedError:
    """Nobody decides what they asked for."""
    return DeniedError(
        "own_request",
        "Bạn không được tự duyệt yêu cầu của chính mình; cần người thứ hai.",
        "You may not decide your own request; it needs a second person.",
    )


def not_a_party() -> DeniedError:
    """The result is for the requester and the one who decided."""
    return DeniedError(
        "not_party",
        "Kết quả chỉ dành cho người yêu cầu và người đã duyệt.",
        "The result is for the requester and the one who decided only.",
    )


def expired(request_id: str) -> DeniedError:
    """The request, or its result, is too old."""
    return DeniedError(
        "expired",
        f"Yêu cầu {request_id} đã hết hạn, không còn hiệu lực; dữ liệu đã được xóa. Nếu vẫn cần, hãy lập yêu cầu mới.",
        f"Request {request_id} has expired and is no longer valid; its data was erased. Open a new one if needed.",
    )


DECIDED = {
    "approved": ("đã được phê duyệt", "it was approved"),
    "answered": ("đã được phê duyệt", "it was approved"),
    "failed": ("đã được phê duyệt", "it was approved"),
    "rejected": ("đã bị từ chối", "it was rejected"),
}


def not_pending(request_id: str, status: str) -> DeniedError:
    """A decision was made before."""
    vi, en = DECIDED[status]
    return DeniedError(
        "not_pending",
        f"Yêu cầu {request_id} không còn chờ duyệt: {vi}.",
        f"Request {request_id} is no longer pending: {en}.",
    )


def changed(request_id: str) -> DeniedError:
    """What would be decided is not what was shown."""
    return DeniedError(
        "content_changed",
        f"Nội dung yêu cầu {request_id} không khớp với nội dung đã hiển thị; không duyệt.",
        f"Request {request_id} is not what was shown; it was not decided.",
    )
