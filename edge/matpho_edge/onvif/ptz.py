"""Turning the lens: degrees outside, the node's own ranges inside; Stop is never lost and never overtaken."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from matpho_contracts.errors import NotFoundError
from matpho_contracts.text import fold
from matpho_edge.onvif.model import Preset, PtzStatus
from matpho_edge.onvif.services import Services, dig
from matpho_edge.streams.errors import CameraAbilityError, CameraProtocolError

PRESET_SECONDS = 20.0
"""Cameras may answer SetPreset and GotoPreset only when the lens stands."""

MAX_PRESETS = 512
PAN_DEGREES, TILT_DEGREES = 360.0, 180.0
"""What the generic range of a node is taken to span when it does not tell degrees."""

_SPACES = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/"
_GENERIC = {
    "absolute": _SPACES + "PositionGenericSpace",
    "relative": _SPACES + "TranslationGenericSpace",
}
_DEGREES = _SPACES + "SphericalPositionSpaceDegrees"


@dataclass(frozen=True, slots=True)
class Range:
    """One axis of a space."""

    low: float
    high: float

    def clamp(self, value: float) -> float:
        """The nearest value the axis has."""
        return min(max(value, self.low), self.high)

    def middle(self) -> float:
        """Straight ahead."""
        return (self.low + self.high) / 2


@dataclass(frozen=True, slots=True)
class Space:
    """A pan/tilt or zoom space of the node; `y` is None for zoom. `degrees`: the units are degrees themselves."""

    uri: str
    x: Range
    y: Range | None = None
    degrees: bool = False

    def units(self, degrees: float, *, tilt: bool, relative: bool) -> float:
        """Degrees in the space's units, clamped; a relative space spans twice the range of an absolute one."""
        axis = self.y if tilt and self.y is not None else self.x
        if self.degrees:
            return axis.clamp(degrees)
        whole = (TILT_DEGREES if tilt else PAN_DEGREES) * (1.0 if not relative else _relative_factor(axis))
        return axis.clamp(degrees / whole * (axis.high - axis.low) + (0.0 if relative else axis.middle()))

    def to_degrees(self, value: float, *, tilt: bool) -> float:
        """An absolute position in degrees from straight ahead."""
        axis = self.y if tilt and self.y is not None else self.x
        if self.degrees or axis.high <= axis.low:
            return value
        return (value - axis.middle()) / (axis.high - axis.low) * (TILT_DEGREES if tilt else PAN_DEGREES)


def _relative_factor(axis: Range) -> float:
    """A translation range of [-2, 2] over positions [-1, 1] reaches from one end to the other: twice the span."""
    return 2.0 if axis.high - axis.low > 2.001 else 1.0


@dataclass(frozen=True, slots=True)
class Node:
    """What the lens can do; a space is None where it cannot."""

    absolute: Space | None
    relative: Space | None
    zoom_absolute: Space | None
    zoom_relative: Space | None
    has_home: bool


class Ptz:
    """The lens of one camera, over its first profile with a PTZ configuration."""

    def __init__(self, services: Services, profile: str) -> None:
        self._services = services
        self._profile = profile
        self._node: Node | None = None
        self._lock = asyncio.Lock()
        self._stops = 0

    async def node(self) -> Node:
        """The lens's abilities, asked once."""
        if self._node is None:
            nodes = await self._services.call("ptz", "GetNodes")
            if not nodes:
                raise CameraAbilityError(f"{self._shown}: camera không nói ống kính làm được gì (no PTZ node).")
            self._node = read_node(nodes[0])
        return self._node

    @property
    def _shown(self) -> str:
        return self._services.transport.host.shown

    async def move(self, *, pan: float = 0.0, tilt: float = 0.0, zoom: float = 0.0) -> None:
        """Turn by degrees (pan right, tilt up positive) and zoom by [-1, 1] of the whole range, from where it is."""
        node = await self.node()
        if node.relative is None and (pan or tilt):
            await self._move_from_status(node, pan, tilt, zoom)
            return
        vector: dict[str, Any] = {}
        if node.relative is not None and (pan or tilt):
            x = node.relative.units(pan, tilt=False, relative=True)
            y = node.relative.units(tilt, tilt=True, relative=True)
            vector["PanTilt"] = {"x": x, "y": y, "space": node.relative.uri}
        if zoom:
            space = node.zoom_relative or self._cannot("zoom")
            vector["Zoom"] = {"x": space.x.clamp(zoom), "space": space.uri}
        if vector:
            await self._ordered("RelativeMove", {"ProfileToken": self._profile, "Translation": vector})

    async def move_to(self, *, pan: float | None = None, tilt: float | None = None, zoom: float | None = None) -> None:
        """Turn to degrees from straight ahead and zoom in [0, 1]; what is None stays as it is."""
        node = await self.node()
        vector: dict[str, Any] = {}
        if pan is not None or tilt is not None:
            space = node.absolute or self._cannot("absolute position")
            if pan is None or tilt is None:
                now = await self.status()
                pan, tilt = now.pan if pan is None else pan, now.tilt if tilt is None else tilt
                if pan is None or tilt is None:
                    raise CameraAbilityError(
                        f"{self._shown}: camera không cho biết hướng (the camera tells no position)."
                    )
            x, y = space.units(pan, tilt=False, relative=False), space.units(tilt, tilt=True, relative=False)
            vector["PanTilt"] = {"x": x, "y": y, "space": space.uri}
        if zoom is not None:
            wide = node.zoom_absolute or self._cannot("zoom")
            vector["Zoom"] = {"x": wide.x.low + wide.x.clamp(zoom) * (wide.x.high - wide.x.low), "space": wide.uri}
        if vector:
            await self._ordered("AbsoluteMove", {"ProfileToken": self._profile, "Position": vector})

    async def _move_from_status(self, node: Node, pan: float, tilt: float, zoom: float) -> None:
        now = await self.status()
        if node.absolute is None or now.pan is None or now.tilt is None:
            raise CameraAbilityError(f"{self._shown}: camera không quay tương đối được (no relative move).")
        await self.move_to(
            pan=now.pan + pan,
            tilt=now.tilt + tilt,
            zoom=None if not zoom or now.zoom is None else min(max(now.zoom + zoom, 0.0), 1.0),
        )

    def _cannot(self, what: str) -> Space:
        raise CameraAbilityError(f"{self._shown}: ống kính không có chức năng này (the lens has no {what}).")

    async def presets(self) -> tuple[Preset, ...]:
        """The remembered directions, in the camera's order."""
        listed = await self._services.call("ptz", "GetPresets", {"ProfileToken": self._profile})
        return tuple(
            Preset(str(one.token), str(dig(one, "Name") or one.token))
            for one in (listed or [])[:MAX_PRESETS]
            if one.token
        )

    async def goto_preset(self, preset: str) -> None:
        """Turn to a preset by its token or name (without regard to case or marks); raises NotFoundError."""
        known = await self.presets()
        wanted = fold(preset)
        found = next((one for one in known if one.token == preset), None)
        found = found or next((one for one in known if fold(one.name) == wanted), None)
        if found is None:
            raise NotFoundError(f"Camera không có vị trí đặt trước {preset[:40]!r} (no such preset).")
        arguments = {"ProfileToken": self._profile, "PresetToken": found.token}
        await self._ordered("GotoPreset", arguments, seconds=PRESET_SECONDS)

    async def set_preset(self, name: str) -> Preset:
        """Remember the present direction under a name."""
        arguments = {"ProfileToken": self._profile, "PresetName": name}
        token = await self._ordered("SetPreset", arguments, seconds=PRESET_SECONDS)
        return Preset(str(token), name)

    async def home(self) -> None:
        """Turn to the home position."""
        await self._ordered("GotoHomePosition", {"ProfileToken": self._profile}, seconds=PRESET_SECONDS)

    async def stop(self) -> None:
        """Stand still. Moves that wait their turn are cancelled; one already sent is answered first."""
        self._stops += 1
        arguments = {"ProfileToken": self._profile, "PanTilt": True, "Zoom": True}
        async with self._lock:
            await self._services.call("ptz", "Stop", arguments)

    async def status(self) -> PtzStatus:
        """Where the lens is."""
        node = await self.node()
        told = await self._services.call("ptz", "GetStatus", {"ProfileToken": self._profile})
        x, y = dig(told, "Position", "PanTilt", "x"), dig(told, "Position", "PanTilt", "y")
        zoom = dig(told, "Position", "Zoom", "x")
        if node.absolute is not None and x is not None and y is not None:
            x, y = node.absolute.to_degrees(float(x), tilt=False), node.absolute.to_degrees(float(y), tilt=True)
        states = [str(state) for part in ("PanTilt", "Zoom") if (state := dig(told, "MoveStatus", part)) is not None]
        moving = "MOVING" in states if states else None
        return PtzStatus(_float(x), _float(y), _float(zoom), moving)

    async def _ordered(self, operation: str, arguments: dict[str, Any], *, seconds: float = 10.0) -> Any:
        before = self._stops
        async with self._lock:
            if self._stops != before:
                raise CameraProtocolError(f"{self._shown}: lệnh quay bị hủy vì đã dừng (cancelled by a stop).")
            return await self._services.call("ptz", operation, arguments, seconds=seconds)


def read_node(node: Any) -> Node:
    """The spaces we use out of a PTZNode: degrees where there are, generic otherwise."""
    spaces = dig(node, "SupportedPTZSpaces")
    return Node(
        absolute=_pan_tilt(dig(spaces, "AbsolutePanTiltPositionSpace"), "absolute"),
        relative=_pan_tilt(dig(spaces, "RelativePanTiltTranslationSpace"), "relative"),
        zoom_absolute=_zoom(dig(spaces, "AbsoluteZoomPositionSpace")),
        zoom_relative=_zoom(dig(spaces, "RelativeZoomTranslationSpace")),
        has_home=bool(dig(node, "HomeSupported")),
    )


def _pan_tilt(listed: Any, kind: str) -> Space | None:
    by_uri = {str(dig(one, "URI")): one for one in listed or [] if dig(one, "XRange") is not None}
    for uri in (_DEGREES, _GENERIC[kind]) if kind == "absolute" else (_GENERIC[kind],):
        if uri in by_uri and (x := _range(dig(by_uri[uri], "XRange"))) is not None:
            return Space(uri, x, _range(dig(by_uri[uri], "YRange")), degrees=uri == _DEGREES)
    return None


def _zoom(listed: Any) -> Space | None:
    for one in listed or []:
        if (x := _range(dig(one, "XRange"))) is not None:
            return Space(str(dig(one, "URI")), x)
    return None


def _range(told: Any) -> Range | None:
    low, high = _float(dig(told, "Min")), _float(dig(told, "Max"))
    return Range(low, high) if low is not None and high is not None and low < high else None


def _float(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if number == number and abs(number) < 1e6 else None
