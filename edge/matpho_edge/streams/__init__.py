"""Video in: live cameras by RTSP, files and folders, all as one FrameSource."""

from matpho_edge.streams.errors import (
    CameraAbilityError,
    CameraAuthError,
    CameraProtocolError,
    CameraUnreachableError,
    StreamStalledError,
    UnreadableVideoError,
)
from matpho_edge.streams.opening import open_source
from matpho_edge.streams.status import SourceStatus

__all__ = [
    "CameraAbilityError",
    "CameraAuthError",
    "CameraProtocolError",
    "CameraUnreachableError",
    "SourceStatus",
    "StreamStalledError",
    "UnreadableVideoError",
    "open_source",
]
