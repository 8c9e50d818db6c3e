"""Camera credentials that never show themselves, and URLs shown without their secrets."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from pydantic import SecretStr

HIDDEN = "***"
MAX_URL_CHARACTERS = 2048
_ASSIGNED = re.compile(r"=[^&/;?#\s]*")


class Credentials:
    """User name and password of a camera. Neither `repr`, `str` nor pickling gives the password away."""

    __slots__ = ("_password", "username")

    def __init__(self, username: str, password: str | SecretStr) -> None:
        self.username = username
        self._password = password if isinstance(password, SecretStr) else SecretStr(password)

    def reveal(self) -> str:
        """The clear password: for the wire only, never for a message."""
        return self._password.get_secret_value()

    def userinfo(self) -> str:
        """`user:password`, percent-encoded for a URL's authority."""
        return f"{quote(self.username, safe='')}:{quote(self.reveal(), safe='')}"

    def __repr__(self) -> str:
        return f"Credentials(username={self.username!r}, password={HIDDEN})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Credentials):
            return NotImplemented
        return (self.username, self._password) == (other.username, other._password)

    def __hash__(self) -> int:
        return hash((self.username, self._password))

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("camera credentials are not written anywhere")


def split_userinfo(url: str) -> tuple[str, Credentials | None]:
    """Take `user:password@` out of a URL; an `@` inside the password is borne.

    >>> split_userinfo("rtsp://admin:p%40ss@10.0.0.5:554/live")[0]
    'rtsp://10.0.0.5:554/live'
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url, None
    end = min((at for at in (rest.find(mark) for mark in "/?#") if at >= 0), default=len(rest))
    if rest.find("@", end) >= 0 and "@" not in rest[:end] and ":" in rest[:end] and not _is_port(rest[:end]):
        end = rest.rfind("@") + 1 + _authority_length(rest[rest.rfind("@") + 1 :])
    userinfo, at, host = rest[:end].rpartition("@")
    if not at:
        return url, None
    username, _, password = userinfo.partition(":")
    return f"{scheme}://{host}{rest[end:]}", Credentials(unquote(username), unquote(password))


def _authority_length(rest: str) -> int:
    return min((at for at in (rest.find(mark) for mark in "/?#") if at >= 0), default=len(rest))


def _is_port(authority: str) -> bool:
    """Whether what follows the last colon is a port (or a bracketed address), so that no password starts there."""
    tail = authority.rpartition(":")[2]
    return tail.isdigit() or authority.endswith("]")


def masked(url: str) -> str:
    """The URL as it may be shown: no user, password, query, nor `name=value` of the path (some makers put both there).

    >>> masked("rtsp://u:p@10.0.0.5/user=admin&password=x&channel=1?pwd=y")
    'rtsp://10.0.0.5/user=***&password=***&channel=***'
    """
    scheme, separator, rest = url[:MAX_URL_CHARACTERS].partition("://")
    if not separator:
        return _ASSIGNED.sub(f"={HIDDEN}", scheme.rpartition("@")[2])
    shown = rest.rpartition("@")[2].partition("?")[0].partition("#")[0]
    printable = "".join(character if character.isprintable() else "?" for character in shown)
    return f"{scheme}://{_ASSIGNED.sub(f'={HIDDEN}', printable)}"
