"""Pieces of the ONVIF schema (tt:) that several services answer with."""

from __future__ import annotations

from matpho_simcity.camera.onvif.soap import SoapFaultError, invalid_argument
from matpho_simcity.camera.onvif.xml import Element, node
from matpho_simcity.camera.state import (
    PTZ_CONFIGURATION,
    PTZ_NODE,
    VIDEO_SOURCE,
    VIDEO_SOURCE_CONFIGURATION,
    CameraState,
    Profile,
)

SPACES = "http://www.onvif.org/ver10/tptz/"
ABSOLUTE_PAN_TILT = SPACES + "PanTiltSpaces/PositionGenericSpace"
ABSOLUTE_ZOOM = SPACES + "ZoomSpaces/PositionGenericSpace"
RELATIVE_PAN_TILT = SPACES + "PanTiltSpaces/TranslationGenericSpace"
RELATIVE_ZOOM = SPACES + "ZoomSpaces/TranslationGenericSpace"
CONTINUOUS_PAN_TILT = SPACES + "PanTiltSpaces/VelocityGenericSpace"
CONTINUOUS_ZOOM = SPACES + "ZoomSpaces/VelocityGenericSpace"
SPEED_PAN_TILT = SPACES + "PanTiltSpaces/GenericSpeedSpace"
SPEED_ZOOM = SPACES + "ZoomSpaces/ZoomGenericSpeedSpace"
DEFAULT_PTZ_TIMEOUT = "PT10S"
BIT_RATE_RANGE = (64, 8000)  # kbit/s
GOP_RANGE = (1, 250)
QUALITY_RANGE = (0, 10)
QUALITY = 5
PROFILE_NAME = "Main"


def span(name: str, low: float, high: float) -> Element:
    """An element with Min and Max."""
    return node(name, node("tt:Min", low), node("tt:Max", high))


def space(name: str, uri: str, *ranges: tuple[float, float]) -> Element:
    """A PTZ space description with one or two axes."""
    axes = [span(axis, *bounds) for axis, bounds in zip(("tt:XRange", "tt:YRange"), ranges, strict=False)]
    return node(name, node("tt:URI", uri), *axes)


def resolution(name: str, width: int, height: int) -> Element:
    """A size in pixels."""
    return node(name, node("tt:Width", width), node("tt:Height", height))


def profile_of(camera: CameraState, token: str) -> Profile:
    """The profile a client named; raises the fault ter:NoProfile."""
    found = next((profile for profile in camera.profiles() if profile.token == token), None)
    if found is None:
        raise invalid_argument("ter:NoProfile", "There is no such profile.")
    return found


def encoder_of(camera: CameraState, token: str) -> Profile:
    """The profile whose encoder configuration a client named; raises ter:NoConfig."""
    found = next((profile for profile in camera.profiles() if profile.encoder == token), None)
    if found is None:
        raise invalid_argument("ter:NoConfig", "There is no such configuration.")
    return found


def expect(token: str, known: str, subcode: str) -> None:
    """Refuse a token other than the one that exists."""
    if token != known:
        raise invalid_argument(subcode, "There is no such thing on this device.")


def profiles_to_list(camera: CameraState, configuration: str, profile: str) -> list[Profile]:
    """Media2's filter: by configuration token, by profile token, or all."""
    if configuration:
        return [encoder_of(camera, configuration)]
    return [profile_of(camera, profile)] if profile else camera.profiles()


def video_source_configuration(camera: CameraState, name: str) -> Element:
    """The one video source configuration."""
    width, height = camera.size
    return node(
        name,
        node("tt:Name", "Video source"),
        node("tt:UseCount", len(camera.streams)),
        node("tt:SourceToken", VIDEO_SOURCE),
        node("tt:Bounds", x=0, y=0, width=width, height=height),
        token=VIDEO_SOURCE_CONFIGURATION,
    )


def multicast() -> Element:
    """Multicast is not served: an address of zeros."""
    address = node("tt:Address", node("tt:Type", "IPv4"), node("tt:IPv4Address", "0.0.0.0"))  # noqa: S104 - no binding
    return node("tt:Multicast", address, node("tt:Port", 0), node("tt:TTL", 0), node("tt:AutoStart", False))


def ptz_configuration(name: str) -> Element:
    """The one PTZ configuration."""
    speed = node(
        "tt:DefaultPTZSpeed",
        node("tt:PanTilt", x=1.0, y=1.0, space=SPEED_PAN_TILT),
        node("tt:Zoom", x=1.0, space=SPEED_ZOOM),
    )
    return node(
        name,
        node("tt:Name", "PTZ"),
        node("tt:UseCount", 2),
        node("tt:NodeToken", PTZ_NODE),
        node("tt:DefaultAbsolutePantTiltPositionSpace", ABSOLUTE_PAN_TILT),
        node("tt:DefaultAbsoluteZoomPositionSpace", ABSOLUTE_ZOOM),
        node("tt:DefaultRelativePanTiltTranslationSpace", RELATIVE_PAN_TILT),
        node("tt:DefaultRelativeZoomTranslationSpace", RELATIVE_ZOOM),
        node("tt:DefaultContinuousPanTiltVelocitySpace", CONTINUOUS_PAN_TILT),
        node("tt:DefaultContinuousZoomVelocitySpace", CONTINUOUS_ZOOM),
        speed,
        node("tt:DefaultPTZTimeout", DEFAULT_PTZ_TIMEOUT),
        node("tt:PanTiltLimits", space("tt:Range", ABSOLUTE_PAN_TILT, (-1, 1), (-1, 1))),
        node("tt:ZoomLimits", space("tt:Range", ABSOLUTE_ZOOM, (0, 1))),
        token=PTZ_CONFIGURATION,
    )


def stream_uri(camera: CameraState, profile: Profile, host: str) -> str:
    """The RTSP address, on the host name the client used."""
    return f"rtsp://{host}:{camera.ports.rtsp}{profile.stream.path}"


def without_ptz() -> SoapFaultError:
    """The fault of a fixed camera asked to turn."""
    return SoapFaultError("Receiver", ("ter:ActionNotSupported", "ter:PTZNotSupported"), "This camera cannot turn.")
