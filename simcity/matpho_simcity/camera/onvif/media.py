"""The media service (ver10/media): profiles, stream and snapshot addresses, configurations."""

from __future__ import annotations

from dataclasses import replace

from matpho_simcity.camera.onvif.operations import Call, Operation, Service
from matpho_simcity.camera.onvif.schema import (
    BIT_RATE_RANGE,
    GOP_RANGE,
    PROFILE_NAME,
    QUALITY,
    QUALITY_RANGE,
    encoder_of,
    expect,
    multicast,
    profile_of,
    ptz_configuration,
    resolution,
    span,
    stream_uri,
    video_source_configuration,
)
from matpho_simcity.camera.onvif.soap import invalid_argument
from matpho_simcity.camera.onvif.xml import Element, node
from matpho_simcity.camera.state import VIDEO_SOURCE, VIDEO_SOURCE_CONFIGURATION, CameraState, Profile

SNAPSHOT_PATH = "/onvif/snapshot/"
SESSION_TIMEOUT = "PT60S"
TRANSPORTS = frozenset({"UDP", "RTSP", "TCP"})


def encoder_configuration(profile: Profile, name: str) -> Element:
    """A VideoEncoderConfiguration."""
    stream = profile.stream.format
    rate = node(
        "tt:RateControl",
        node("tt:FrameRateLimit", round(stream.frames_per_second)),
        node("tt:EncodingInterval", 1),
        node("tt:BitrateLimit", stream.bit_rate // 1000),
    )
    return node(
        name,
        node("tt:Name", profile.encoder),
        node("tt:UseCount", 1),
        node("tt:Encoding", "H264"),
        resolution("tt:Resolution", stream.width, stream.height),
        node("tt:Quality", QUALITY),
        rate,
        node("tt:H264", node("tt:GovLength", stream.key_frame_distance), node("tt:H264Profile", PROFILE_NAME)),
        multicast(),
        node("tt:SessionTimeout", SESSION_TIMEOUT),
        token=profile.encoder,
    )


def describe_profile(camera: CameraState, profile: Profile, name: str) -> Element:
    """A whole profile."""
    return node(
        name,
        node("tt:Name", profile.name),
        video_source_configuration(camera, "tt:VideoSourceConfiguration"),
        encoder_configuration(profile, "tt:VideoEncoderConfiguration"),
        ptz_configuration("tt:PTZConfiguration") if camera.has_ptz else None,
        token=profile.token,
        fixed=True,
    )


async def get_profiles(call: Call) -> Element:
    """All profiles."""
    camera = call.camera
    profiles = (describe_profile(camera, profile, "trt:Profiles") for profile in camera.profiles())
    return node("trt:GetProfilesResponse", *profiles)


async def get_profile(call: Call) -> Element:
    """One profile."""
    profile = profile_of(call.camera, call.text("ProfileToken"))
    return node("trt:GetProfileResponse", describe_profile(call.camera, profile, "trt:Profile"))


def media_uri(name: str, uri: str) -> Element:
    """A MediaUri that stays valid."""
    return node(
        name,
        node("tt:Uri", uri),
        node("tt:InvalidAfterConnect", False),
        node("tt:InvalidAfterReboot", False),
        node("tt:Timeout", "PT0S"),
    )


async def get_stream_uri(call: Call) -> Element:
    """Where the stream is; unicast over UDP or the RTSP connection."""
    profile = profile_of(call.camera, call.text("ProfileToken"))
    stream, transport = call.text("StreamSetup/Stream"), call.text("StreamSetup/Transport/Protocol")
    if stream not in ("", "RTP-Unicast") or transport not in TRANSPORTS | {""}:
        raise invalid_argument("ter:InvalidStreamSetup", "Only RTP unicast over UDP or RTSP is served.")
    uri = stream_uri(call.camera, profile, call.host)
    return node("trt:GetStreamUriResponse", media_uri("trt:MediaUri", uri))


async def get_snapshot_uri(call: Call) -> Element:
    """Where the still is."""
    profile = profile_of(call.camera, call.text("ProfileToken"))
    return node("trt:GetSnapshotUriResponse", media_uri("trt:MediaUri", call.base + SNAPSHOT_PATH + profile.token))


async def get_video_sources(call: Call) -> Element:
    """The one sensor."""
    camera = call.camera
    source = node(
        "trt:VideoSources",
        node("tt:Framerate", camera.frames_per_second),
        resolution("tt:Resolution", *camera.size),
        token=VIDEO_SOURCE,
    )
    return node("trt:GetVideoSourcesResponse", source)


async def get_video_source_configurations(call: Call) -> Element:
    """The one video source configuration, in a list."""
    found = video_source_configuration(call.camera, "trt:Configurations")
    return node("trt:GetVideoSourceConfigurationsResponse", found)


async def get_video_source_configuration(call: Call) -> Element:
    """The one video source configuration."""
    expect(call.text("ConfigurationToken"), VIDEO_SOURCE_CONFIGURATION, "ter:NoConfig")
    found = video_source_configuration(call.camera, "trt:Configuration")
    return node("trt:GetVideoSourceConfigurationResponse", found)


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
    options = node("trt:Options", bounds, node("tt:VideoSourceTokensAvailable", VIDEO_SOURCE))
    return node("trt:GetVideoSourceConfigurationOptionsResponse", options)


async def get_video_encoder_configurations(call: Call) -> Element:
    """All encoder configurations."""
    found = (encoder_configuration(profile, "trt:Configurations") for profile in call.camera.profiles())
    return node("trt:GetVideoEncoderConfigurationsResponse", *found)


async def get_video_encoder_configuration(call: Call) -> Element:
    """One encoder configuration."""
    profile = encoder_of(call.camera, call.text("ConfigurationToken"))
    found = encoder_configuration(profile, "trt:Configuration")
    return node("trt:GetVideoEncoderConfigurationResponse", found)


async def get_video_encoder_configuration_options(call: Call) -> Element:
    """What an encoder can be set to: its bit rate and key frame distance; size and frame rate are fixed."""
    camera = call.camera
    if token := call.text("ConfigurationToken"):
        profile = encoder_of(camera, token)
    else:
        profile = profile_of(camera, call.text("ProfileToken") or camera.profiles()[0].token)
    stream = profile.stream.format
    rate = round(stream.frames_per_second)
    h264 = [
        resolution("tt:ResolutionsAvailable", stream.width, stream.height),
        span("tt:GovLengthRange", *GOP_RANGE),
        span("tt:FrameRateRange", rate, rate),
        span("tt:EncodingIntervalRange", 1, 1),
        node("tt:H264ProfilesSupported", PROFILE_NAME),
    ]
    with_bit_rate = [
        resolution("tt:ResolutionsAvailable", stream.width, stream.height),
        span("tt:GovLengthRange", *GOP_RANGE),
        span("tt:FrameRateRange", rate, rate),
        span("tt:EncodingIntervalRange", 1, 1),
        node("tt:H264ProfilesSupported", PROFILE_NAME),
        span("tt:BitrateRange", *BIT_RATE_RANGE),
    ]
    options = node(
        "trt:Options",
        span("tt:QualityRange", *QUALITY_RANGE),
        node("tt:H264", *h264),
        node("tt:Extension", node("tt:H264", *with_bit_rate)),
    )
    return node("trt:GetVideoEncoderConfigurationOptionsResponse", options)


def reconfigure(call: Call, gop: float | None) -> None:
    """Set bit rate and key frame distance as the request's Configuration says; refuse any other change."""
    token = next((part.get("token", "") for part in call.body if part.tag.endswith("}Configuration")), "")
    stream = encoder_of(call.camera, token).stream
    old = stream.format
    size = (call.number("Configuration/Resolution/Width"), call.number("Configuration/Resolution/Height"))
    frames = call.number("Configuration/RateControl/FrameRateLimit")
    encoding = call.text("Configuration/Encoding")
    if size != (old.width, old.height) or encoding != "H264":
        raise invalid_argument("ter:ConfigModify", "Size and encoding are fixed.")
    if frames is not None and round(frames) != round(old.frames_per_second):
        raise invalid_argument("ter:ConfigModify", "The frame rate is fixed.")
    rate = call.number("Configuration/RateControl/BitrateLimit") or old.bit_rate / 1000
    distance = gop or old.key_frame_distance
    if not (BIT_RATE_RANGE[0] <= rate <= BIT_RATE_RANGE[1] and GOP_RANGE[0] <= distance <= GOP_RANGE[1]):
        raise invalid_argument("ter:ConfigModify", "A value is outside its range.")
    stream.reformat(replace(old, bit_rate=round(rate * 1000), key_frame_seconds=distance / old.frames_per_second))


async def set_video_encoder_configuration(call: Call) -> Element:
    """Change bit rate and key frame distance; running streams follow at once."""
    reconfigure(call, call.number("Configuration/H264/GovLength"))
    return node("trt:SetVideoEncoderConfigurationResponse")


async def get_guaranteed_instances(call: Call) -> Element:
    """One encoder a stream, always available."""
    count = len(call.camera.streams)
    total = node("trt:TotalNumber", count)
    return node("trt:GetGuaranteedNumberOfVideoEncoderInstancesResponse", total, node("trt:H264", count))


async def set_synchronization_point(call: Call) -> Element:
    """Make the next picture a key frame."""
    profile_of(call.camera, call.text("ProfileToken")).stream.want_key_frame()
    return node("trt:SetSynchronizationPointResponse")


def capabilities(camera: CameraState) -> Element:
    """What the media service can do."""
    profiles = node("trt:ProfileCapabilities", MaximumNumberOfProfiles=len(camera.streams))
    streaming = node("trt:StreamingCapabilities", RTPMulticast=False, RTP_TCP=True, RTP_RTSP_TCP=True)
    return node("trt:Capabilities", profiles, streaming, SnapshotUri=True, Rotation=False)


async def get_service_capabilities(call: Call) -> Element:
    """What the media service can do."""
    return node("trt:GetServiceCapabilitiesResponse", capabilities(call.camera))


def empty_list(name: str) -> Operation:
    """An operation whose answer is an empty list: this camera has no such thing."""

    async def answer(call: Call) -> Element:
        return node(name)

    return Operation(answer)


OPERATIONS = {
    "GetServiceCapabilities": Operation(get_service_capabilities, pre_auth=True),
    "GetProfiles": Operation(get_profiles),
    "GetProfile": Operation(get_profile),
    "GetStreamUri": Operation(get_stream_uri),
    "GetSnapshotUri": Operation(get_snapshot_uri),
    "GetVideoSources": Operation(get_video_sources),
    "GetVideoSourceConfigurations": Operation(get_video_source_configurations),
    "GetVideoSourceConfiguration": Operation(get_video_source_configuration),
    "GetVideoSourceConfigurationOptions": Operation(get_video_source_configuration_options),
    "GetVideoEncoderConfigurations": Operation(get_video_encoder_configurations),
    "GetVideoEncoderConfiguration": Operation(get_video_encoder_configuration),
    "GetVideoEncoderConfigurationOptions": Operation(get_video_encoder_configuration_options),
    "SetVideoEncoderConfiguration": Operation(set_video_encoder_configuration),
    "GetGuaranteedNumberOfVideoEncoderInstances": Operation(get_guaranteed_instances),
    "SetSynchronizationPoint": Operation(set_synchronization_point),
    "GetAudioSources": empty_list("trt:GetAudioSourcesResponse"),
    "GetAudioSourceConfigurations": empty_list("trt:GetAudioSourceConfigurationsResponse"),
    "GetAudioEncoderConfigurations": empty_list("trt:GetAudioEncoderConfigurationsResponse"),
    "GetMetadataConfigurations": empty_list("trt:GetMetadataConfigurationsResponse"),
    "GetVideoAnalyticsConfigurations": empty_list("trt:GetVideoAnalyticsConfigurationsResponse"),
}
SERVICE = Service("trt", "/onvif/media_service", (2, 60), OPERATIONS, capabilities)
