"""One ONVIF camera: connect, describe, look, turn, listen. Every vendor's habits stop here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from matpho_contracts.errors import MatphoError
from matpho_contracts.times import now
from matpho_edge.credentials import Credentials
from matpho_edge.onvif import events, media
from matpho_edge.onvif.model import CameraDescription, CameraEvent, ImagingSettings, Preset, Profile, PtzStatus
from matpho_edge.onvif.pinning import pin
from matpho_edge.onvif.ptz import Ptz
from matpho_edge.onvif.services import NAMESPACES, Services, dig
from matpho_edge.onvif.transport import CameraTransport
from matpho_edge.streams.errors import CameraAbilityError, CameraAuthError, CameraProtocolError

CONNECT_SECONDS = 15.0
"""A camera that is no camera is known as such within this time."""

MAX_TEXT = 100
_IMAGING = {
    "brightness": "Brightness",
    "contrast": "Contrast",
    "saturation": "ColorSaturation",
    "sharpness": "Sharpness",
}


class OnvifCamera:
    """A connected ONVIF device. Made by `connect`; close it, or use it in `async with`.

    All calls have deadlines and raise CameraAuthError, CameraUnreachableError, CameraProtocolError or, when the camera
    cannot do a thing at all, CameraAbilityError.
    """

    def __init__(self, transport: CameraTransport, services: Services) -> None:
        self._transport = transport
        self._services = services
        self._profiles: tuple[Profile, ...] | None = None
        self._ptz: Ptz | None = None
        self._information: Any = None

    @classmethod
    async def connect(
        cls,
        host: str,
        port: int = 80,
        credentials: Credentials | None = None,
        *,
        secure: bool = False,
        fingerprint: bytes | None = None,
    ) -> OnvifCamera:
        """Connect and check the password. `fingerprint` (SHA-256, 32 bytes) trusts exactly one self-signed certificate.

        Raises CameraAuthError, CameraUnreachableError, CameraProtocolError within CONNECT_SECONDS.
        """
        transport = CameraTransport(await pin(host, port, secure=secure), credentials, fingerprint=fingerprint)
        camera = cls(transport, Services(transport))
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await camera._introduce()
        except TimeoutError:
            await transport.close()
            raise CameraProtocolError(
                f"{transport.host.shown}: camera trả lời quá chậm (the camera is too slow)."
            ) from None
        except BaseException:
            await transport.close()
            raise
        return camera

    async def _introduce(self) -> None:
        """1 clock, 2 services, 3 name plate (which needs the password)."""
        self._transport.clock_offset = await self._read_clock()
        await self._read_services()
        self._information = await self._services.call("device", "GetDeviceInformation")

    async def _read_clock(self) -> timedelta | None:
        """How far the camera's clock is ahead, asked without a password; None when it does not tell."""
        try:
            told = await self._services.call("device", "GetSystemDateAndTime", authorized=False)
        except (CameraProtocolError, CameraAuthError, CameraAbilityError):
            return None
        date, time = dig(told, "UTCDateTime", "Date"), dig(told, "UTCDateTime", "Time")
        try:
            theirs = datetime(date.Year, date.Month, date.Day, time.Hour, time.Minute, min(time.Second, 59), tzinfo=UTC)
        except (AttributeError, TypeError, ValueError):
            return None
        return theirs - now()

    async def _read_services(self) -> None:
        try:
            listed = await self._services.call("device", "GetServices", {"IncludeCapability": False})
            for one in listed or []:
                self._services.learn(str(dig(one, "Namespace") or ""), str(dig(one, "XAddr") or ""))
        except (CameraProtocolError, CameraAbilityError):
            listed = None
        if not (self._services.has("media") or self._services.has("media2")):
            await self._read_capabilities()

    async def _read_capabilities(self) -> None:
        """The old way, for cameras before 2010 and those that lie in GetServices."""
        try:
            told = await self._services.call("device", "GetCapabilities", {"Category": ["All"]})
        except (CameraProtocolError, CameraAbilityError):
            return
        for part, service in (("Media", "media"), ("PTZ", "ptz"), ("Imaging", "imaging"), ("Events", "events")):
            self._services.learn(NAMESPACES[service], str(dig(told, part, "XAddr") or ""))

    async def __aenter__(self) -> OnvifCamera:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"OnvifCamera({self._transport.host.shown})"

    async def close(self) -> None:
        """Let go of the connections."""
        await self._transport.close()

    @property
    def clock_offset(self) -> timedelta | None:
        """How far the camera's clock was ahead of ours at `connect`; None when it would not tell."""
        return self._transport.clock_offset

    async def describe(self) -> CameraDescription:
        """All that the camera tells about itself; a part it fails to tell is named in `missing`."""
        missing: list[str] = []
        profiles: tuple[Profile, ...] = ()
        presets: tuple[Preset, ...] = ()
        try:
            profiles = await self.profiles()
        except CameraAuthError:
            raise
        except MatphoError:
            missing.append("profiles")
        has_ptz = self._services.has("ptz") and any(profile.has_ptz for profile in profiles)
        if has_ptz:
            try:
                presets = await self.presets()
            except MatphoError:
                missing.append("presets")
        return CameraDescription(
            manufacturer=self._plate("Manufacturer"),
            model=self._plate("Model"),
            serial=self._plate("SerialNumber"),
            firmware=self._plate("FirmwareVersion"),
            profiles=profiles,
            has_ptz=has_ptz,
            presets=presets,
            services=tuple(sorted(self._services.addresses)),
            clock_offset=self.clock_offset,
            missing=tuple(missing),
        )

    def _plate(self, name: str) -> str:
        text = str(dig(self._information, name) or "")
        return "".join(character for character in text if character.isprintable())[:MAX_TEXT]

    # --- looking -------------------------------------------------------------------------------------------------

    async def profiles(self) -> tuple[Profile, ...]:
        """The media profiles, asked once."""
        if self._profiles is None:
            self._profiles = await media.profiles(self._services)
        return self._profiles

    async def stream_uri(self, profile: Profile | str | None = None) -> str:
        """The RTSP address of a profile (the first when None), on the camera's own host, without credentials in it."""
        return await media.stream_uri(self._services, await self._token(profile))

    async def snapshot(self, profile: Profile | str | None = None) -> bytes:
        """A still, JPEG, at most 8 MiB."""
        content = await self._transport.get(await media.snapshot_uri(self._services, await self._token(profile)))
        if content[:2] != b"\xff\xd8":
            raise CameraProtocolError(f"{self._transport.host.shown}: ảnh chụp không phải JPEG (the still is no JPEG).")
        return content

    async def _token(self, profile: Profile | str | None) -> str:
        if isinstance(profile, Profile):
            return profile.token
        if profile is not None:
            return profile
        known = await self.profiles()
        if not known:
            raise CameraAbilityError(f"{self._transport.host.shown}: camera không có luồng nào (no media profile).")
        return known[0].token

    # --- turning -------------------------------------------------------------------------------------------------

    async def _lens(self) -> Ptz:
        if self._ptz is None:
            turning = [profile for profile in await self.profiles() if profile.has_ptz]
            if not turning or not self._services.has("ptz"):
                raise CameraAbilityError(
                    f"{self._transport.host.shown}: camera cố định, không quay được (a fixed camera, it cannot turn)."
                )
            self._ptz = Ptz(self._services, turning[0].token)
        return self._ptz

    async def move(self, *, pan: float = 0.0, tilt: float = 0.0, zoom: float = 0.0) -> None:
        """Turn by degrees (pan + right, tilt + up) and zoom by [-1, 1]; CameraAbilityError for a fixed camera."""
        await (await self._lens()).move(pan=pan, tilt=tilt, zoom=zoom)

    async def move_to(self, *, pan: float | None = None, tilt: float | None = None, zoom: float | None = None) -> None:
        """Turn to degrees from straight ahead, zoom in [0, 1]; None leaves an axis as it is."""
        await (await self._lens()).move_to(pan=pan, tilt=tilt, zoom=zoom)

    async def presets(self) -> tuple[Preset, ...]:
        """The remembered directions."""
        return await (await self._lens()).presets()

    async def goto_preset(self, preset: str) -> None:
        """Turn to a preset by token or name; NotFoundError when there is none such."""
        await (await self._lens()).goto_preset(preset)

    async def set_preset(self, name: str) -> Preset:
        """Remember the present direction."""
        return await (await self._lens()).set_preset(name)

    async def home(self) -> None:
        """Turn home."""
        await (await self._lens()).home()

    async def stop(self) -> None:
        """Stand still."""
        await (await self._lens()).stop()

    async def status(self) -> PtzStatus:
        """Where the lens is."""
        return await (await self._lens()).status()

    # --- picture and events --------------------------------------------------------------------------------------

    async def imaging(self) -> ImagingSettings:
        """The picture's settings."""
        told = await self._services.call(
            "imaging", "GetImagingSettings", {"VideoSourceToken": await self._video_source()}
        )
        figures = {name: _figure(dig(told, theirs)) for name, theirs in _IMAGING.items()}
        ir = dig(told, "IrCutFilter")
        return ImagingSettings(**figures, ir_cut_filter=None if ir is None else str(ir))

    async def set_imaging(self, **figures: float) -> None:
        """Change brightness, contrast, saturation or sharpness, in the camera's own units."""
        unknown = figures.keys() - _IMAGING.keys()
        if unknown:
            raise CameraAbilityError(f"Không có thiết lập hình {sorted(unknown)[0][:20]!r} (no such picture setting).")
        settings = {_IMAGING[name]: value for name, value in figures.items()}
        arguments = {
            "VideoSourceToken": await self._video_source(),
            "ImagingSettings": settings,
            "ForcePersistence": True,
        }
        await self._services.call("imaging", "SetImagingSettings", arguments)

    async def _video_source(self) -> str:
        token = next((profile.video_source for profile in await self.profiles() if profile.video_source), "")
        if not token:
            raise CameraAbilityError(f"{self._transport.host.shown}: không rõ nguồn hình (no video source).")
        return token

    def events(self) -> AsyncIterator[CameraEvent]:
        """The camera's own events, for ever; use `contextlib.aclosing` so that the subscription is given back."""
        return events.pull(self._services)


def _figure(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
