"""What can go wrong between the box and a camera or a file, one class for each thing a person would do next."""

from __future__ import annotations

from matpho_contracts.errors import BadInputError, MatphoError, UnavailableError


class CameraAuthError(UnavailableError):
    """The camera refuses our user or password: ask a person, trying faster does not help."""

    code = "camera_auth"
    status = 502


class CameraUnreachableError(UnavailableError):
    """Nobody answers at the camera's address: keep trying."""

    code = "camera_unreachable"
    status = 504


class CameraProtocolError(UnavailableError):
    """The camera answers, but not what its protocol says: keep trying, perhaps look at the camera."""

    code = "camera_protocol"
    status = 502


class CameraAbilityError(BadInputError):
    """The camera cannot do this at all (a fixed lens cannot turn)."""

    code = "camera_ability"


class StreamStalledError(CameraProtocolError):
    """The connection stands, but no picture comes out of it."""

    code = "stream_stalled"


class UnreadableVideoError(BadInputError):
    """The file is no video or picture that can be read."""

    code = "unreadable_video"


def auth_error(where: str) -> CameraAuthError:
    """Wrong user or password at `where` (already without secrets)."""
    return CameraAuthError(
        f"{where}: sai tên hoặc mật khẩu camera (wrong camera user or password).",
        action="Kiểm tra tài khoản của camera trong thiết lập / check the camera's account in the settings.",
    )


def unreachable_error(where: str, why: str = "") -> CameraUnreachableError:
    """Nobody answers at `where`; `why` is a short cause, never a foreign message."""
    return CameraUnreachableError(
        f"{where}: không kết nối được camera (camera cannot be reached{f', {why}' if why else ''}).",
        action="Kiểm tra nguồn điện, mạng và địa chỉ / check power, network and address.",
    )


def protocol_error(where: str, why: str) -> CameraProtocolError:
    """The camera at `where` answered something unusable."""
    return CameraProtocolError(f"{where}: camera trả lời không đúng chuẩn (unusable answer: {why}).")


__all__ = [
    "CameraAbilityError",
    "CameraAuthError",
    "CameraProtocolError",
    "CameraUnreachableError",
    "MatphoError",
    "StreamStalledError",
    "UnreadableVideoError",
    "auth_error",
    "protocol_error",
    "unreachable_error",
]
