"""The imaging service (ver20/imaging): brightness, contrast and colour saturation, which change the picture."""

from __future__ import annotations

from dataclasses import replace

from matpho_simcity.camera.onvif.operations import Call, Operation, Service
from matpho_simcity.camera.onvif.schema import expect, span
from matpho_simcity.camera.onvif.soap import invalid_argument
from matpho_simcity.camera.onvif.xml import Element, node
from matpho_simcity.camera.state import VIDEO_SOURCE, CameraState
from matpho_simcity.camera.video.picture import KNOB_RANGE

# In the order of tt:ImagingSettings20.
KNOBS = {"Brightness": "brightness", "ColorSaturation": "saturation", "Contrast": "contrast"}


def _source(call: Call) -> None:
    expect(call.text("VideoSourceToken"), VIDEO_SOURCE, "ter:NoSource")


async def get_imaging_settings(call: Call) -> Element:
    """The knobs as they stand."""
    _source(call)
    values = (node(f"tt:{name}", float(getattr(call.camera.worker.imaging, knob))) for name, knob in KNOBS.items())
    return node("timg:GetImagingSettingsResponse", node("timg:ImagingSettings", *values))


async def get_options(call: Call) -> Element:
    """The knobs' ranges."""
    _source(call)
    ranges = (span(f"tt:{name}", *KNOB_RANGE) for name in KNOBS)
    return node("timg:GetOptionsResponse", node("timg:ImagingOptions", *ranges))


async def set_imaging_settings(call: Call) -> Element:
    """Turn the knobs that are given; the next picture shows it."""
    _source(call)
    wanted = {knob: call.number(f"ImagingSettings/{name}") for name, knob in KNOBS.items()}
    values = {knob: value for knob, value in wanted.items() if value is not None}
    if any(not KNOB_RANGE[0] <= value <= KNOB_RANGE[1] for value in values.values()):
        raise invalid_argument("ter:SettingsInvalid", "A value is outside its range.")
    call.camera.worker.imaging = replace(call.camera.worker.imaging, **values)
    return node("timg:SetImagingSettingsResponse")


async def get_move_options(call: Call) -> Element:
    """The focus is fixed: no options."""
    _source(call)
    return node("timg:GetMoveOptionsResponse", node("timg:MoveOptions"))


async def get_status(call: Call) -> Element:
    """Nothing to report beside the settings."""
    _source(call)
    return node("timg:GetStatusResponse", node("timg:Status"))


def capabilities(camera: CameraState) -> Element:
    """What the imaging service can do."""
    return node("timg:Capabilities", ImageStabilization=False)


async def get_service_capabilities(call: Call) -> Element:
    """What the imaging service can do."""
    return node("timg:GetServiceCapabilitiesResponse", capabilities(call.camera))


OPERATIONS = {
    "GetServiceCapabilities": Operation(get_service_capabilities, pre_auth=True),
    "GetImagingSettings": Operation(get_imaging_settings),
    "GetOptions": Operation(get_options),
    "SetImagingSettings": Operation(set_imaging_settings),
    "GetMoveOptions": Operation(get_move_options),
    "GetStatus": Operation(get_status),
}
SERVICE = Service("timg", "/onvif/imaging_service", (2, 20), OPERATIONS, capabilities)
