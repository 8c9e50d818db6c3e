"""What an ONVIF operation is: a name in a service's table, who may call it, and the function that answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matpho_simcity.camera.onvif.soap import invalid_argument
from matpho_simcity.camera.onvif.xml import NAMESPACES, Element, find_text

if TYPE_CHECKING:
    from matpho_simcity.camera.state import CameraState


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the camera, the request's element, how the client addressed us, and the rest of the path."""

    camera: CameraState
    body: Element
    host: str
    http_port: int
    resource: str = ""

    @property
    def base(self) -> str:
        """``http://host:port`` as the client used it."""
        return f"http://{self.host}:{self.http_port}"

    def text(self, path: str) -> str:
        """An argument's text, empty when it was left out."""
        return find_text(self.body, path)

    def number(self, path: str) -> float | None:
        """An argument as a finite number, None when it was left out; raises a fault for anything else."""
        text = self.text(path)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError as error:
            raise invalid_argument("ter:InvalidArgVal", f"{path} is not a number.") from error
        if value != value or abs(value) > 1e9:
            raise invalid_argument("ter:InvalidArgVal", f"{path} is out of range.")
        return value


Handler = Callable[[Call], Awaitable[Element]]


@dataclass(frozen=True, slots=True)
class Operation:
    """`pre_auth` marks the access class that ONVIF Core opens to everybody."""

    answer: Handler
    pre_auth: bool = False
    action: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """One web service: where it is, its namespace prefix and version, and its table of operations."""

    prefix: str
    path: str
    version: tuple[int, int]
    operations: Mapping[str, Operation]
    capabilities: Callable[[CameraState], Element]
    accepts: tuple[str, ...] = ()

    @property
    def namespace(self) -> str:
        """The service's namespace."""
        return NAMESPACES[self.prefix]

    @property
    def request_namespaces(self) -> frozenset[str]:
        """Namespaces a request to this service may be in (events also hears WS-Notification)."""
        return frozenset({self.namespace, *(NAMESPACES[prefix] for prefix in self.accepts)})
