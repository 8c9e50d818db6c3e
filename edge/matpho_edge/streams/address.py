"""Where video comes from: an address from the settings, judged before any library sees it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from matpho_contracts.errors import BadInputError, NotFoundError
from matpho_edge.credentials import MAX_URL_CHARACTERS, Credentials, masked, split_userinfo

LIVE_SCHEMES = {"rtsp": 554, "rtsps": 322}
"""Scheme to default port. Nothing else is ever opened over the network (no http, no exec, no playlists)."""

_EXAMPLE = "Dùng rtsp://máy/đường-dẫn, một tệp hoặc một thư mục / use rtsp://host/path, a file or a folder."


@dataclass(frozen=True, slots=True)
class LiveAddress:
    """An RTSP address without its secrets; `url` may carry a query, `shown` never does."""

    url: str
    host: str
    port: int
    credentials: Credentials | None

    @property
    def shown(self) -> str:
        """For messages and logs."""
        return masked(self.url)

    def with_userinfo(self) -> str:
        """For the wire only."""
        if self.credentials is None:
            return self.url
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{self.credentials.userinfo()}@{rest}"


def parse_address(address: str, credentials: Credentials | None = None) -> LiveAddress | Path:
    """Judge an address: a LiveAddress for rtsp/rtsps, a Path that exists for anything on disk.

    `credentials` win over those inside the URL. Raises BadInputError for what cannot be an address and NotFoundError
    for a path that is not there; no message repeats a secret.
    """
    if not address or len(address) > MAX_URL_CHARACTERS or not address.isprintable() or address.startswith("-"):
        raise BadInputError("Địa chỉ nguồn hình không hợp lệ (not an address of video).", action=_EXAMPLE)
    if "://" not in address:
        return _existing(Path(address))
    scheme = address.partition("://")[0].lower()
    if scheme == "file":
        return _existing(Path(unquote(urlsplit(address).path)))
    if scheme not in LIVE_SCHEMES:
        raise BadInputError(
            f"Không nhận nguồn hình {scheme[:16]}:// (this kind of source is refused).", action=_EXAMPLE
        )
    url, inside = split_userinfo(f"{scheme}://{address.partition('://')[2]}")
    return _live(url, scheme, credentials or inside)


def _live(url: str, scheme: str, credentials: Credentials | None) -> LiveAddress:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or host.startswith("-") or any(character in url for character in " \\\"'<>|"):
        raise BadInputError(f"{masked(url)}: địa chỉ RTSP không hợp lệ (not a valid RTSP address).", action=_EXAMPLE)
    return LiveAddress(url, host, port or LIVE_SCHEMES[scheme], credentials)


def _existing(path: Path) -> Path:
    try:
        found = path.resolve(strict=True)
    except (OSError, RuntimeError):
        raise NotFoundError(f"Không thấy {path.name} (no such file or folder).", action=_EXAMPLE) from None
    if not (found.is_file() or found.is_dir()):
        raise BadInputError(f"{path.name} không phải tệp hay thư mục (neither a file nor a folder).", action=_EXAMPLE)
    return found
