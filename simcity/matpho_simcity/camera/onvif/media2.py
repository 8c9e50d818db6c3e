"""The media2 service (ver20/media), the one Profile T clients use."""

from __future__ import annotations

from collections.abc import Callable

from matpho_simcity.camera.onvif.media import SNAPSHOT_PATH, reconfigure
from matpho_simcity.camera.onvif.operations import Call, Operation, Service
from matpho_simcity.camera.onvif.schema import (
    BIT_RATE_RANGE,
    GOP_RANGE,
    PROFILE_NAME,
    QUALITY,
    QUALITY_RANGE,
    profile_of,
    profiles_to_list,
    ptz_configuration,
    resolution,
    span,
    stream_uri,
    video_source_configuration,
)
from matpho_simcity.camera.onvif.soap import invalid_argument
from matpho_simcity.camera.onvif.xml import Element, node
from matpho_simcity.camera.state import VIDEO_SOURCE, CameraState, Profile

PROTOCOLS = frozenset({"RtspUnicast", "RTSP"})


def encoder_configuration(profile: Profile, name: str) -> Element:
    """A VideoEncoder2Configuration."""
    stream = profile.stream.format
    rate = node(
        "tt:RateControl",
        node("tt:FrameRateLimit", stream.frames_per_second),
        node("tt:BitrateLimit", stream.bit_rate // 1000),
        ConstantBitRate=False,
    )
    return node(
        name,
        node("tt:Name", profile.encoder),
        node("tt:UseCount", 1),
        node("tt:Encoding", "H264"),
        resolution("tt:Resolution", stream.width, stream.height),
        rate,
        node("tt:Quality", QUALITY),
        token=profile.encoder,
        GovLength=stream.key_frame_distance,
        Profile=PROFILE_NAME,
    )


def describe_profile(call: Call, profile: Profile) -> Element:
    """A profile with the configurations of the types the client asked for."""
    types = {part.text for part in call.body if part.tag.endswith("}Type")}
    camera = call.camera
    parts: dict[str, Callable[[], Element | None]] = {
        "VideoSource": lambda: video_source_configuration(camera, "tr2:VideoSource"),
        "VideoEncoder": lambda: encoder_configuration(profile, "tr2:VideoEncoder"),
        "PTZ": lambda: ptz_configuration("tr2:PTZ") if camera.has_ptz else None,
    }
    chosen = [build() for name, build in parts.items() if types & {name, "All"}]
    configurations = node("tr2:Configurations", *chosen) if chosen else None
    return node("tr2:Profiles", node("tr2:Name", profile.name), configurations, token=profile.token, fixed=True)


async def get_profiles(call: Call) -> Element:
    """All profiles, or the one named."""
    token = call.text("Token")
    profiles = [profile_of(call.camera, token)] if token else call.camera.profiles()
    return node("tr2:GetProfilesResponse", *(describe_profile(call, profile) for profile in profiles))


async def get_stream_uri(call: Call) -> Element:
    """Where the stream is."""
    profile = profile_of(call.camera, call.text("ProfileToken"))
    if call.text("Protocol") not in PROTOCOLS:
        raise invalid_argument("ter:InvalidStreamSetup", "Served protocols are RtspUnicast and RTSP.")
    return node("tr2:GetStreamUriResponse", node("tr2:Uri", stream_uri(call.camera, profile, call.host)))


async def get_snapshot_uri(call: Call) -> Element:
    """Where the still is."""
    profile = profile_of(call.camera, call.text("ProfileToken"))
    return node("tr2:GetSnapshotUriResponse", node("tr2:Uri", call.base + SNAPSHOT_PATH + profile.token))


def _chosen(call: Call) -> list[Profile]:
    return profiles_to_list(call.camera, call.text("ConfigurationToken"), call.text("ProfileToken"))


async def get_video_encoder_configurations(call: Call) -> Element:
    """Encoder configurations, all or those named."""
    found = (encoder_configuration(profile, "tr2:Configurations") for profile in _chosen(call))
    return node("tr2:GetVideoEncoderConfigurationsResponse", *found)


async def get_video_encoder_configuration_options(call: Call) -> Element:
    """What the encoders can be set to."""
    options = [
        node(
            "tr2:Options",
            node("tt:Encoding", "H264"),
            span("tt:QualityRange", *QUALITY_RANGE),
            resolution("tt:ResolutionsAvailable", stream.width, stream.height),
            span("tt:BitrateRange", *BIT_RATE_RANGE),
            GovLengthRange=f"{GOP_RANGE[0]} {GOP_RANGE[1]}",
            FrameRatesSupported=f"{stream.frames_per_second:g}",
            ProfilesSupported=PROFILE_NAME,
            ConstantBitRateSupported=False,
        )
        for stream in (profile.stream.format for profile in _chosen(call))
    ]
    return node("tr2:GetVideoEncoderConfigurationOptionsResponse", *options)


async def set_video_encoder_configuration(call: Call) -> Element:
    """Change bit rate and key frame distance."""
    configuration = next((part for part in call.body if part.tag.endswith("}Configuration")), None)
    gop = configuration.get("GovLength") if configuration is not None else None
    if gop is not None and not (gop.isascii() and gop.isdigit() and len(gop) < 6):
        raise invalid_argument("ter:ConfigModify", "GovLength is not a number.")
    reconfigure(call, float(gop) if gop else None)
    return node("tr2:SetVideoEncoderConfigurationResponse")


async def get_video_encoder_instances(call: Call) -> Element:
    """How many encoders run at once."""
    count = len(call.camera.streams)
    codec = node("tr2:Codec", node("tr2:Encoding", "H264"), node("tr2:Number", count))
    return node("tr2:GetVideoEncoderInstancesResponse", node("tr2:Info", codec, node("tr2:Total", count)))


async def get_video_source_configurations(call: Call) -> Element:
    """The one video source configuration."""
    found = video_source_configuration(call.camera, "tr2:Configurations")
    return node("tr2:GetVideoSourceConfigurationsResponse", found)


async def get_video_source_configuration_options(call: Call) -> Element:
    """The picture's bounds are fixed."""
    width, height = call.camera.size
    bounds = node(
        "tt:BoundsRange",
        span("tt:XRange", 0, 0),
        span("tt:YRange", 0, 0),
        span("tt:WidthRange", width, width),
        span("tt:HeightRange", height, height),
    )
    options = node("tr2:Options", bounds, node("tt:VideoSourceTokensAvailable", VIDEO_SOURCE))
    return node("tr2:GetVideoSourceConfigurationOptionsResponse", options)


async def set_synchronization_point(call: Call) -> Element:
    """Make the next picture a key frame."""
    profile_of(call.camera, call.text("ProfileToken")).stream.want_key_frame()
    return node("tr2:SetSynchronizationPointResponse")


def capabilities(camera: CameraState) -> Element:
    """What the media2 service can do."""
    profiles = node(
        "tr2:ProfileCapabilities",
        MaximumNumberOfProfiles=len(camera.streams),
        ConfigurationsSupported="VideoSource VideoEncoder" + (" PTZ" if camera.has_ptz else ""),
    )
    streaming = node("tr2:StreamingCapabilities", RTSPStreaming=True, RTPMulticast=False, RTP_RTSP_TCP=True)
    return node("tr2:Capabilities", profiles, streaming, SnapshotUri=True, Rotation=False)


async def get_service_capabilities(call: Call) -> Element:
    """What the media2 service can do."""
    return node("tr2:GetServiceCapabilitiesResponse", capabilities(call.camera))


OPERATIONS = {
    "GetServiceCapabilities": Operation(get_service_capabilities, pre_auth=True),
    "GetProfiles": Operation(get_profiles),
    "GetStreamUri": Operation(get_stream_uri),
    "GetSnapshotUri": Operation(get_snapshot_uri),
    "GetVideoEncoderConfigurations": Operation(get_video_encoder_configurations),
    "GetVideoEncoderConfigurationOptions": Operation(get_video_encoder_configuration_options),
    "SetVideoEncoderConfiguration": Operation(set_video_encoder_configuration),
    "GetVideoEncoderInstances": Operation(get_video_encoder_instances),
    "GetVideoSourceConfigurations": Operation(get_video_source_configurations),
    "GetVideoSourceConfigurationOptions": Operation(get_video_source_configuration_options),
    "SetSynchronizationPoint": Operation(set_synchronization_point),
}
SERVICE = Service("tr2", "/onvif/media2_service", (2, 0), OPERATIONS, capabilities)
