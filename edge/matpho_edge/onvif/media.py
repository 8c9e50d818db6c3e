"""Profiles, stream and still addresses: Media2 where the camera has it, Media1 otherwise."""

from __future__ import annotations

from typing import Any

from lxml import etree

from matpho_contracts.errors import MatphoError
from matpho_edge.onvif import xml
from matpho_edge.onvif.model import Profile
from matpho_edge.onvif.services import MEDIA2, Services, dig, element
from matpho_edge.streams.errors import CameraAuthError, CameraProtocolError

MAX_PROFILES = 64
"""Some cameras list a thousand; nobody streams more than a few."""


async def profiles(services: Services) -> tuple[Profile, ...]:
    """The camera's media profiles, in its order. Raises CameraError family when neither service answers usefully."""
    if services.has("media2"):
        try:
            found = await _profiles2(services)
        except CameraAuthError:
            raise
        except MatphoError:
            found = ()
        if found:
            return found
    listed = await services.call("media", "GetProfiles")
    return tuple(_profile1(one) for one in list(listed or [])[:MAX_PROFILES])


async def _profiles2(services: Services) -> tuple[Profile, ...]:
    request = element(MEDIA2, "GetProfiles", Type="All")
    answer = await services.raw("media2", "GetProfiles", request)
    listed = list(xml.children(answer, "Profiles"))[:MAX_PROFILES]
    return tuple(_profile2(one) for one in listed if one.get("token"))


def _profile2(one: etree._Element) -> Profile:
    parts = xml.find(one, "Configurations")
    encoder = xml.find(parts, "VideoEncoder")
    return Profile(
        token=one.get("token", ""),
        name=xml.text(one, "Name"),
        encoding=xml.text(encoder, "Encoding"),
        size=_size(xml.text(encoder, "Resolution", "Width"), xml.text(encoder, "Resolution", "Height")),
        fps=_number(xml.text(encoder, "RateControl", "FrameRateLimit")),
        video_source=xml.text(parts, "VideoSource", "SourceToken"),
        has_ptz=xml.find(parts, "PTZ") is not None,
    )


def _profile1(one: Any) -> Profile:
    encoder = dig(one, "VideoEncoderConfiguration")
    return Profile(
        token=str(dig(one, "token") or ""),
        name=str(dig(one, "Name") or ""),
        encoding=str(dig(encoder, "Encoding") or ""),
        size=_size(dig(encoder, "Resolution", "Width"), dig(encoder, "Resolution", "Height")),
        fps=_number(dig(encoder, "RateControl", "FrameRateLimit")),
        video_source=str(dig(one, "VideoSourceConfiguration", "SourceToken") or ""),
        has_ptz=dig(one, "PTZConfiguration") is not None,
    )


async def stream_uri(services: Services, profile: str) -> str:
    """The profile's RTSP address, pinned to the camera's host, without user or password."""
    return services.transport.host.stream(await _uri(services, "GetStreamUri", profile))


async def snapshot_uri(services: Services, profile: str) -> str:
    """The profile's still address, pinned to the camera's host."""
    return services.transport.host.web(await _uri(services, "GetSnapshotUri", profile))


async def _uri(services: Services, operation: str, profile: str) -> str:
    if services.has("media2"):
        wanted = {"Protocol": "RTSP"} if operation == "GetStreamUri" else {}
        try:
            answer = await services.raw("media2", operation, element(MEDIA2, operation, **wanted, ProfileToken=profile))
            if found := xml.text(answer, "Uri"):
                return found
        except CameraAuthError:
            raise
        except MatphoError:
            if not services.has("media"):
                raise
    arguments: dict[str, Any] = {"ProfileToken": profile}
    if operation == "GetStreamUri":
        arguments["StreamSetup"] = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
    found = str(dig(await services.call("media", operation, arguments), "Uri") or "")
    if not found:
        raise CameraProtocolError(f"{services.transport.host.shown}: camera không cho địa chỉ (no address given).")
    return found


def _size(width: Any, height: Any) -> tuple[int, int] | None:
    try:
        size = int(width), int(height)
    except (TypeError, ValueError):
        return None
    return size if size[0] > 0 and size[1] > 0 else None


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
