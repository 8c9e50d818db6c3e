"""One door for every kind of video: a live camera, a file, a folder."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from matpho_contracts.errors import BadInputError
from matpho_contracts.ids import is_short_id
from matpho_edge.credentials import Credentials
from matpho_edge.streams.address import LiveAddress, parse_address

if TYPE_CHECKING:
    from matpho_edge.streams.files import FileSource
    from matpho_edge.streams.live import LiveOptions, LiveSource
    from matpho_edge.streams.packets import PacketSink
    from matpho_edge.streams.status import StatusCallback

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".flv", ".h264", ".264"}
    | {".h265", ".265", ".hevc", ".3gp", ".wmv", ".asf", ".ogv", ".dav"}
)
MAX_FOLDER_FILES = 100_000
MAX_FPS = 120.0


def open_source(
    address: str,
    *,
    camera_id: str,
    fps: float = 5.0,
    credentials: Credentials | None = None,
    started_at: datetime | None = None,
    options: LiveOptions | None = None,
    sink: PacketSink | None = None,
    on_status: StatusCallback | None = None,
) -> LiveSource | FileSource:
    """Open a source of frames: `rtsp://`, `rtsps://`, a video file, a picture, or a folder of either.

    `fps` is the analysed rate in pictures a second (0: all of them). `started_at` (aware) is when a file or a folder
    begins; left out, each file's own metadata or modification time says. `sink` gets a live camera's coded packets,
    `on_status` each change of status, on the event loop. `options` are for live cameras; the decoder's part for all.

    Raises BadInputError (not an address, refused scheme, empty folder) and NotFoundError. No connection is made and no
    file opened before `frames()` is asked; a live camera that is away is no error then either.
    """
    from matpho_edge.streams.files import PICTURE_SUFFIXES, FileSource
    from matpho_edge.streams.live import LiveSource

    if not is_short_id(camera_id):
        raise BadInputError("Mã camera không hợp lệ (not a valid camera id).")
    if not 0 <= fps <= MAX_FPS:
        raise BadInputError(f"Số hình mỗi giây phải từ 0 đến {MAX_FPS:.0f} (fps out of range).")
    if started_at is not None and started_at.tzinfo is None:
        raise BadInputError("Giờ bắt đầu cần múi giờ (a start time needs an offset).")
    found = parse_address(address, credentials)
    if isinstance(found, LiveAddress):
        return LiveSource(found, camera_id=camera_id, fps=fps, options=options, sink=sink, on_status=on_status)
    paths = [found] if found.is_file() else folder_files(found, PICTURE_SUFFIXES | VIDEO_SUFFIXES)
    decoder = options.decoder if options else None
    return FileSource(paths, camera_id=camera_id, fps=fps, started_at=started_at, decoder=decoder, on_status=on_status)


def folder_files(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """The pictures and videos directly in a folder, in natural order; links, hidden and other files are left out.

    Raises BadInputError when there are none or too many.
    """
    found: list[Path] = []
    for path in folder.iterdir():
        if (
            path.suffix.lower() in suffixes
            and not path.name.startswith(".")
            and not path.is_symlink()
            and path.is_file()
        ):
            found.append(path)
        if len(found) > MAX_FOLDER_FILES:
            raise BadInputError(f"{folder.name}: hơn {MAX_FOLDER_FILES} tệp (too many files); chia nhỏ / split it.")
    if not found:
        raise BadInputError(f"{folder.name}: không có ảnh hay video nào (no pictures or videos in this folder).")
    return sorted(found, key=lambda path: natural_key(path.name))


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """A sort key in which `shot9` comes before `shot10`.

    >>> sorted(["shot10.jpg", "shot9.jpg"], key=natural_key)
    ['shot9.jpg', 'shot10.jpg']
    """
    parts = re.findall(r"([0-9]+)|([^0-9]+)", name.casefold())
    return [(0, int(digits[:18]), "") if digits else (1, 0, text) for digits, text in parts]
