"""The border to libav: containers opened within limits, decoders set for many streams, foreign errors made ours."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import av.error
from av.container import InputContainer
from av.video.stream import VideoStream

from matpho_contracts.errors import MatphoError
from matpho_contracts.times import now
from matpho_edge.streams.address import LiveAddress
from matpho_edge.streams.errors import (
    StreamStalledError,
    UnreadableVideoError,
    auth_error,
    protocol_error,
    unreachable_error,
)
from matpho_edge.streams.picture import MAX_HEIGHT, MAX_PIXELS, MAX_WIDTH

VIDEO_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,h264,hevc,m4v,ogg,asf,mjpeg,dav"
"""Demuxers that open nothing but the file they were given: no playlists, no concat lists, no scripts."""

PICTURE_FORMATS = "jpeg_pipe,png_pipe,bmp_pipe,webp_pipe"
LIVE_PROTOCOLS = "rtsp,rtsps,rtp,srtp,udp,tcp,tls"
OLDEST_BELIEVED = datetime(1990, 1, 1, tzinfo=UTC)
"""Containers without a clock write 1904 or 1970 as their creation time."""

MAX_REASON_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class DecoderOptions:
    """How pictures are decoded.

    `skip_loop_filter` leaves out H.264/H.265 deblocking: a third more streams on a core, pictures a little blockier
    until the next key frame; right for detection, not for evidence (the recorder keeps the original stream).
    `skip_nonref` leaves out pictures that no other needs (half of them where a camera sends B pictures): the sampling
    grid then shifts by a picture. `threads` more than 1 costs 7 % and helps one large stream alone.
    """

    skip_loop_filter: bool = True
    skip_nonref: bool = False
    threads: int = 1


def open_live(address: LiveAddress, *, udp: bool, open_timeout: float, read_timeout: float) -> InputContainer:
    """Connect to an RTSP camera, TCP first (the library falls back on 461), or UDP only; video alone is asked for.

    Times in seconds. Raises CameraAuthError, CameraUnreachableError or CameraProtocolError.
    """
    options = {
        "protocol_whitelist": LIVE_PROTOCOLS,
        "format_whitelist": "rtsp,rtp,sdp",
        "allowed_media_types": "video",
        # No waiting to guess the rate; and nothing looked at is thrown away, it may be the only key frame for long.
        "fpsprobesize": "0",
        **({"rtsp_transport": "udp"} if udp else {"rtsp_flags": "prefer_tcp"}),
    }
    try:
        return av.open(address.with_userinfo(), options=options, timeout=(open_timeout, read_timeout))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        failure = live_failure(error, address.shown)
    # Outside the handler: the foreign error carries the password in its text, so it must not stay attached.
    raise failure


def live_failure(error: BaseException, where: str) -> MatphoError:
    """What a libav error on a live stream means for a person; never repeats the foreign text (it holds the URL)."""
    if isinstance(error, MatphoError):
        return error
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return auth_error(where)
    if isinstance(error, av.error.HTTPNotFoundError):
        return protocol_error(where, "không có luồng này, 404 no such stream")
    if isinstance(error, av.error.ConnectionRefusedError):
        return unreachable_error(where, "connection refused")
    if isinstance(error, av.error.ExitError | av.error.TimeoutError):
        return unreachable_error(where, "no answer in time")
    if isinstance(error, av.error.EOFError):
        return unreachable_error(where, "the camera ended the stream")
    if isinstance(error, ConnectionError | OSError):
        return unreachable_error(where, type(error).__name__)
    return protocol_error(where, type(error).__name__)


def stalled(where: str, seconds: float) -> StreamStalledError:
    """No picture for so long although the connection stands."""
    return StreamStalledError(f"{where}: không có hình trong {seconds:.0f} giây (no picture for {seconds:.0f} s).")


def open_file(path: Path, *, picture: bool = False) -> InputContainer:
    """Open a video file (or a picture); raises UnreadableVideoError. Nothing else on disk or network is touched."""
    options = {"protocol_whitelist": "file", "format_whitelist": PICTURE_FORMATS if picture else VIDEO_FORMATS}
    try:
        if picture:
            # From memory, so that the content and not the name decides; its size is judged before decoding.
            limits: list[Any] = [{"max_pixels": str(MAX_PIXELS)}]  # The stub says str, the library takes dicts.
            container = av.open(io.BytesIO(path.read_bytes()), "r", options=options, stream_options=limits)
        else:
            container = av.open(f"file:{path}", "r", options=options)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise UnreadableVideoError(
            f"{path.name}: không đọc được như video hay ảnh (not a readable video or picture, {type(error).__name__}).",
            action="Kiểm tra tệp có bị cắt cụt hay không / check whether the file was cut short.",
        ) from error
    if not container.streams.video:
        container.close()
        raise UnreadableVideoError(f"{path.name}: không có hình (no video track inside).")
    return container


def prepare(container: InputContainer, where: str, options: DecoderOptions) -> VideoStream:
    """Choose the video stream and set its decoder; raises MatphoError for none or a monstrous one."""
    if not container.streams.video:
        raise protocol_error(where, "không có hình, no video track")
    stream = container.streams.video[0]
    context = stream.codec_context
    if context is None:
        raise protocol_error(where, "unknown video coding")
    check_size(context.width, context.height, where)
    context.thread_count = options.threads
    if options.threads == 1:
        context.thread_type = "NONE"
    context.options = {
        "max_pixels": str(MAX_PIXELS),
        **({"skip_loop_filter": "all"} if options.skip_loop_filter else {}),
    }
    if options.skip_nonref:
        context.skip_frame = "NONREF"
    return stream


def check_size(width: int, height: int, where: str) -> None:
    """Refuse pictures larger than 8K, upright or turned."""
    if max(width, height) > MAX_WIDTH or min(width, height) > MAX_HEIGHT:
        raise UnreadableVideoError(
            f"{where}: hình {width}x{height} quá lớn (picture larger than {MAX_WIDTH}x{MAX_HEIGHT})."
        )


def recorded_at(container: InputContainer) -> datetime | None:
    """The recording's start by its own metadata, UTC; None when it does not say or says nonsense."""
    for metadata in (container.metadata, *(dict(stream.metadata) for stream in container.streams.video)):
        text = metadata.get("creation_time", "")
        try:
            moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        except ValueError:
            continue
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if OLDEST_BELIEVED < moment < now() + timedelta(days=1):
            return moment.astimezone(UTC)
    return None
