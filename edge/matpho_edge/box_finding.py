"""From a camera of the settings to its stream: by its address, by its ONVIF host, or by what discovery finds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog

from matpho_contracts.errors import BadInputError, MatphoError, NotFoundError
from matpho_edge.credentials import Credentials
from matpho_edge.discovery import FoundDevice, discover
from matpho_edge.onvif import OnvifCamera
from matpho_edge.settings import CameraMatch, CameraSettings, DiscoverySettings, EdgeSettings

ONVIF_PORT = 80

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FoundCamera:
    """Where a camera of the settings is. `address` is secret-free unless the settings put a password in it."""

    address: str
    onvif: tuple[str, int, bool] | None = None
    """Host, port and whether by TLS; None where the camera has no ONVIF service that we know of."""
    has_ptz: bool = False
    presets: tuple[str, ...] = ()
    by_discovery: bool = False

    def __repr__(self) -> str:
        return f"FoundCamera(onvif={self.onvif}, has_ptz={self.has_ptz})"


class CameraFinder:
    """Finds cameras; one search of the network serves all who are looking."""

    def __init__(self, settings: EdgeSettings) -> None:
        self._settings = settings
        self._network = _Network(settings.discovery)
        self._serials: dict[str, str] = {}
        """Endpoint reference to serial number, of devices that have told it."""

    def credentials(self, camera: CameraSettings) -> Credentials | None:
        """The camera's own account, or the one for all."""
        account = camera.account or self._settings.account
        return None if account is None else account.credentials()

    async def find(self, camera: CameraSettings) -> FoundCamera:
        """Where the camera is now; raises MatphoError (NotFoundError, UnavailableError) while it is nowhere."""
        host = _split_host(camera.onvif) if camera.onvif is not None else None
        if camera.address is not None:
            onvif = None if host is None else (*host, False)
            presets = camera.presets
            return FoundCamera(camera.address.get_secret_value(), onvif, camera.kind == "ptz", presets)
        if host is not None:
            return await self._ask(camera, *host, secure=False, by_discovery=False)
        assert camera.match is not None  # noqa: S101 - the settings check that one of the three is given
        device = await self._discover(camera, camera.match)
        parts = urlsplit(device.xaddrs[0])
        return await self._ask(camera, device.host, device.port, secure=parts.scheme == "https", by_discovery=True)

    async def connect(self, camera: CameraSettings, found: FoundCamera) -> OnvifCamera:
        """The camera's ONVIF service; raises BadInputError when none is known."""
        if found.onvif is None:
            raise BadInputError(
                f"{camera.id} has no ONVIF service.", action="Add `onvif: host` to the camera's settings."
            )
        host, port, secure = found.onvif
        return await OnvifCamera.connect(host, port, self.credentials(camera), secure=secure)

    async def _ask(
        self, camera: CameraSettings, host: str, port: int, *, secure: bool, by_discovery: bool
    ) -> FoundCamera:
        async with await OnvifCamera.connect(host, port, self.credentials(camera), secure=secure) as device:
            told = await device.describe()
            address = await device.stream_uri(camera.profile)
        presets = camera.presets or tuple(preset.name[:200] for preset in told.presets if preset.name)[:100]
        return FoundCamera(address, (host, port, secure), told.has_ptz, presets, by_discovery)

    async def _discover(self, camera: CameraSettings, match: CameraMatch) -> FoundDevice:
        for device in await self._network.devices():
            if device.xaddrs and fits(match, device) and await self._serial_fits(camera, match, device):
                return device
        raise NotFoundError(
            f"Camera {camera.id} was not found on the network.",
            action="Check its power and network, and `match` in the settings.",
        )

    async def _serial_fits(self, camera: CameraSettings, match: CameraMatch, device: FoundDevice) -> bool:
        if match.serial is None:
            return True
        if device.epr not in self._serials:
            try:
                secure = urlsplit(device.xaddrs[0]).scheme == "https"
                credentials = self.credentials(camera)
                async with await OnvifCamera.connect(device.host, device.port, credentials, secure=secure) as asked:
                    self._serials[device.epr] = (await asked.describe()).serial
            except MatphoError as error:
                _log.info("device does not tell its serial", host=device.host, error=str(error)[:200])
                return False
        return self._serials[device.epr] == match.serial


class _Network:
    """What discovery has found lately."""

    def __init__(self, settings: DiscoverySettings) -> None:
        self._settings = settings
        self._lock = asyncio.Lock()
        self._asked_at = float("-inf")
        self._found: Sequence[FoundDevice] = ()

    async def devices(self) -> Sequence[FoundDevice]:
        """Devices on the network, at most a few seconds old."""
        async with self._lock:
            loop = asyncio.get_running_loop()
            if loop.time() - self._asked_at > min(5.0, self._settings.every_s):
                self._found = await discover(
                    targets=self._settings.targets,
                    interfaces=self._settings.interfaces,
                    multicast=self._settings.multicast,
                    seconds=self._settings.seconds,
                )
                self._asked_at = loop.time()
                _log.info("discovery", devices=len(self._found))
            return self._found


def fits(match: CameraMatch, device: FoundDevice) -> bool:
    """Whether what the device announces is what the match asks for; the serial is asked of the device itself."""
    if match.endpoint is not None and device.epr.casefold() != match.endpoint.casefold():
        return False
    if match.name is not None and device.name.casefold() != match.name.casefold():
        return False
    if match.host is None:
        return True
    host, port = _split_host(match.host)
    return host == device.host and (":" not in match.host or port == device.port)


def _split_host(text: str) -> tuple[str, int]:
    """`host[:port]`, `[v6]:port`."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise BadInputError(f"{text[:100]!r} is no host.", action="Write host or host:port.")
    return host, port or ONVIF_PORT
