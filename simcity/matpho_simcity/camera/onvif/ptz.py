"""The PTZ service (ver20/ptz): moves that take time, presets, home."""

from __future__ import annotations

from matpho_simcity.camera.lens import LIMITS
from matpho_simcity.camera.onvif.durations import parse_duration
from matpho_simcity.camera.onvif.operations import Call, Operation, Service
from matpho_simcity.camera.onvif.schema import (
    ABSOLUTE_PAN_TILT,
    ABSOLUTE_ZOOM,
    CONTINUOUS_PAN_TILT,
    CONTINUOUS_ZOOM,
    RELATIVE_PAN_TILT,
    RELATIVE_ZOOM,
    SPEED_PAN_TILT,
    SPEED_ZOOM,
    expect,
    profile_of,
    ptz_configuration,
    space,
)
from matpho_simcity.camera.onvif.soap import SoapFaultError, invalid_argument
from matpho_simcity.camera.onvif.xml import Element, find, node
from matpho_simcity.camera.state import PTZ_CONFIGURATION, PTZ_NODE, CameraState, Preset
from matpho_simcity.video import PtzPosition

FULL, POSITIVE = (-1.0, 1.0), (0.0, 1.0)
MAX_NAME_CHARACTERS = 64
DEFAULT_MOVE_SECONDS = 10.0
MAX_MOVE_SECONDS = 60.0
FIELDS = {"pan": ("PanTilt", "x"), "tilt": ("PanTilt", "y"), "zoom": ("Zoom", "x")}
POSITION_SPACES = frozenset({"", ABSOLUTE_PAN_TILT, ABSOLUTE_ZOOM})
TRANSLATION_SPACES = frozenset({"", RELATIVE_PAN_TILT, RELATIVE_ZOOM})
VELOCITY_SPACES = frozenset({"", CONTINUOUS_PAN_TILT, CONTINUOUS_ZOOM})
SPEED_SPACES = frozenset({"", SPEED_PAN_TILT, SPEED_ZOOM})


def spaces(name: str) -> Element:
    """The generic spaces, which every client knows."""
    return node(
        name,
        space("tt:AbsolutePanTiltPositionSpace", ABSOLUTE_PAN_TILT, FULL, FULL),
        space("tt:AbsoluteZoomPositionSpace", ABSOLUTE_ZOOM, LIMITS["zoom"]),
        space("tt:RelativePanTiltTranslationSpace", RELATIVE_PAN_TILT, FULL, FULL),
        space("tt:RelativeZoomTranslationSpace", RELATIVE_ZOOM, FULL),
        space("tt:ContinuousPanTiltVelocitySpace", CONTINUOUS_PAN_TILT, FULL, FULL),
        space("tt:ContinuousZoomVelocitySpace", CONTINUOUS_ZOOM, FULL),
        space("tt:PanTiltSpeedSpace", SPEED_PAN_TILT, POSITIVE),
        space("tt:ZoomSpeedSpace", SPEED_ZOOM, POSITIVE),
    )


def describe_node(camera: CameraState) -> Element:
    """The one PTZ node."""
    return node(
        "tptz:PTZNode",
        node("tt:Name", "PTZ"),
        spaces("tt:SupportedPTZSpaces"),
        node("tt:MaximumNumberOfPresets", camera.settings.limits.presets),
        node("tt:HomeSupported", True),
        token=PTZ_NODE,
        FixedHomePosition=False,
    )


async def get_nodes(call: Call) -> Element:
    """The one node, in a list."""
    return node("tptz:GetNodesResponse", describe_node(call.camera))


async def get_node(call: Call) -> Element:
    """The one node."""
    expect(call.text("NodeToken"), PTZ_NODE, "ter:NoEntity")
    return node("tptz:GetNodeResponse", describe_node(call.camera))


async def get_configurations(call: Call) -> Element:
    """The one configuration, in a list."""
    return node("tptz:GetConfigurationsResponse", ptz_configuration("tptz:PTZConfiguration"))


async def get_configuration(call: Call) -> Element:
    """The one configuration."""
    expect(call.text("PTZConfigurationToken"), PTZ_CONFIGURATION, "ter:NoConfig")
    return node("tptz:GetConfigurationResponse", ptz_configuration("tptz:PTZConfiguration"))


async def get_configuration_options(call: Call) -> Element:
    """Spaces and the range of the move timeout."""
    expect(call.text("ConfigurationToken"), PTZ_CONFIGURATION, "ter:NoConfig")
    timeout = node("tt:PTZTimeout", node("tt:Min", "PT1S"), node("tt:Max", f"PT{MAX_MOVE_SECONDS:g}S"))
    options = node("tptz:PTZConfigurationOptions", spaces("tt:Spaces"), timeout)
    return node("tptz:GetConfigurationOptionsResponse", options)


def describe_position(name: str, position: PtzPosition) -> Element:
    """A PTZVector in the generic position spaces."""
    return node(
        name,
        node("tt:PanTilt", x=position.pan, y=position.tilt, space=ABSOLUTE_PAN_TILT),
        node("tt:Zoom", x=position.zoom, space=ABSOLUTE_ZOOM),
    )


async def get_status(call: Call) -> Element:
    """Where the lens points and whether it moves."""
    profile_of(call.camera, call.text("ProfileToken"))
    pan_tilt, zoom = ("MOVING" if moving else "IDLE" for moving in call.camera.lens.moving)
    status = node(
        "tptz:PTZStatus",
        describe_position("tt:Position", call.camera.lens.position),
        node("tt:MoveStatus", node("tt:PanTilt", pan_tilt), node("tt:Zoom", zoom)),
        node("tt:UtcTime", f"{call.camera.clock.now():%Y-%m-%dT%H:%M:%SZ}"),
    )
    return node("tptz:GetStatusResponse", status)


def read_vector(
    call: Call, name: str, allowed_spaces: frozenset[str], bounds: tuple[float, float] = FULL
) -> dict[str, float]:
    """The axes a client named, checked against space and bounds."""
    values: dict[str, float] = {}
    for axis, (part, attribute) in FIELDS.items():
        element = find(call.body, f"{name}/{part}")
        if element is None:
            continue
        if element.get("space", "") not in allowed_spaces:
            raise invalid_argument("ter:SpaceNotSupported", "Only the generic spaces are known.")
        try:
            value = float(element.get(attribute, ""))
        except ValueError as error:
            raise invalid_argument("ter:InvalidPosition", f"{name} holds no number.") from error
        if not bounds[0] <= value <= bounds[1]:
            raise invalid_argument("ter:InvalidPosition", f"{name} is outside its range.")
        values[axis] = value
    return values


def read_speed(call: Call) -> dict[str, float]:
    """Speeds in [0, 1] by axis; 0 and left out mean the default, which is full speed."""
    return read_vector(call, "Speed", SPEED_SPACES, POSITIVE)


async def absolute_move(call: Call) -> Element:
    """Turn to a position."""
    profile_of(call.camera, call.text("ProfileToken"))
    goals = read_vector(call, "Position", POSITION_SPACES)
    if not goals or any(not LIMITS[axis][0] <= value <= LIMITS[axis][1] for axis, value in goals.items()):
        raise invalid_argument("ter:InvalidPosition", "The position is missing or cannot be reached.")
    call.camera.lens.move_to(goals, read_speed(call))
    return node("tptz:AbsoluteMoveResponse")


async def relative_move(call: Call) -> Element:
    """Turn by a translation; the lens stops at its limits."""
    profile_of(call.camera, call.text("ProfileToken"))
    steps = read_vector(call, "Translation", TRANSLATION_SPACES)
    if not steps:
        raise invalid_argument("ter:InvalidTranslation", "The translation is missing.")
    call.camera.lens.move_by(steps, read_speed(call))
    return node("tptz:RelativeMoveResponse")


async def continuous_move(call: Call) -> Element:
    """Turn with a velocity until Stop, a limit, or the timeout."""
    profile_of(call.camera, call.text("ProfileToken"))
    velocities = read_vector(call, "Velocity", VELOCITY_SPACES)
    if not velocities:
        raise invalid_argument("ter:InvalidVelocity", "The velocity is missing.")
    timeout = call.text("Timeout")
    seconds = parse_duration(timeout) if timeout else DEFAULT_MOVE_SECONDS
    if seconds is None or not 0 < seconds <= MAX_MOVE_SECONDS:
        raise invalid_argument("ter:TimeoutNotSupported", "The timeout is outside its range.")
    call.camera.lens.run(velocities, seconds)
    return node("tptz:ContinuousMoveResponse")


async def stop(call: Call) -> Element:
    """Stand still; without arguments on all axes."""
    profile_of(call.camera, call.text("ProfileToken"))
    wanted = {
        axes: call.text(name) not in ("false", "0")
        for name, axes in (("PanTilt", ("pan", "tilt")), ("Zoom", ("zoom",)))
    }
    call.camera.lens.stop(tuple(axis for axes, stopped in wanted.items() if stopped for axis in axes))
    return node("tptz:StopResponse")


def _preset(call: Call) -> Preset:
    preset = call.camera.presets.get(call.text("PresetToken"))
    if preset is None:
        raise invalid_argument("ter:NoToken", "There is no such preset.")
    return preset


async def get_presets(call: Call) -> Element:
    """All presets."""
    profile_of(call.camera, call.text("ProfileToken"))
    presets = (
        node(
            "tptz:Preset",
            node("tt:Name", preset.name),
            describe_position("tt:PTZPosition", preset.position),
            token=token,
        )
        for token, preset in call.camera.presets.items()
    )
    return node("tptz:GetPresetsResponse", *presets)


async def set_preset(call: Call) -> Element:
    """Remember the present position under a new or an existing token."""
    camera = call.camera
    profile_of(camera, call.text("ProfileToken"))
    token, name = call.text("PresetToken"), call.text("PresetName")
    if len(name) > MAX_NAME_CHARACTERS:
        raise invalid_argument("ter:InvalidPresetName", "The name is too long.")
    if any(camera.lens.moving):
        raise SoapFaultError("Receiver", ("ter:Action", "ter:MovingPTZ"), "The lens is moving.")
    if token:
        old = _preset(call)
        camera.presets[token] = Preset(name or old.name, camera.lens.position)
        return node("tptz:SetPresetResponse", node("tptz:PresetToken", token))
    if any(preset.name == name for preset in camera.presets.values() if name):
        raise invalid_argument("ter:PresetExist", "There is a preset of that name.")
    if len(camera.presets) >= camera.settings.limits.presets:
        raise SoapFaultError("Receiver", ("ter:Action", "ter:TooManyPresets"), "All presets are in use.")
    camera.preset_counter += 1
    token = f"preset_{camera.preset_counter}"
    camera.presets[token] = Preset(name or token, camera.lens.position)
    return node("tptz:SetPresetResponse", node("tptz:PresetToken", token))


def go(call: Call, position: PtzPosition) -> None:
    """Turn to a remembered position."""
    goals = {"pan": position.pan, "tilt": position.tilt, "zoom": position.zoom}
    call.camera.lens.move_to(goals, read_speed(call))


async def goto_preset(call: Call) -> Element:
    """Turn to a preset."""
    profile_of(call.camera, call.text("ProfileToken"))
    go(call, _preset(call).position)
    return node("tptz:GotoPresetResponse")


async def remove_preset(call: Call) -> Element:
    """Forget a preset."""
    profile_of(call.camera, call.text("ProfileToken"))
    _preset(call)
    del call.camera.presets[call.text("PresetToken")]
    return node("tptz:RemovePresetResponse")


async def goto_home_position(call: Call) -> Element:
    """Turn home."""
    profile_of(call.camera, call.text("ProfileToken"))
    go(call, call.camera.home)
    return node("tptz:GotoHomePositionResponse")


async def set_home_position(call: Call) -> Element:
    """Make the present position home."""
    profile_of(call.camera, call.text("ProfileToken"))
    call.camera.home = call.camera.lens.position
    return node("tptz:SetHomePositionResponse")


async def get_compatible_configurations(call: Call) -> Element:
    """The one configuration fits every profile."""
    profile_of(call.camera, call.text("ProfileToken"))
    return node("tptz:GetCompatibleConfigurationsResponse", ptz_configuration("tptz:PTZConfiguration"))


def capabilities(camera: CameraState) -> Element:
    """What the PTZ service can do."""
    return node("tptz:Capabilities", EFlip=False, Reverse=False, MoveStatus=True, StatusPosition=True)


async def get_service_capabilities(call: Call) -> Element:
    """What the PTZ service can do."""
    return node("tptz:GetServiceCapabilitiesResponse", capabilities(call.camera))


OPERATIONS = {
    "GetServiceCapabilities": Operation(get_service_capabilities, pre_auth=True),
    "GetNodes": Operation(get_nodes),
    "GetNode": Operation(get_node),
    "GetConfigurations": Operation(get_configurations),
    "GetConfiguration": Operation(get_configuration),
    "GetConfigurationOptions": Operation(get_configuration_options),
    "GetCompatibleConfigurations": Operation(get_compatible_configurations),
    "GetStatus": Operation(get_status),
    "AbsoluteMove": Operation(absolute_move),
    "RelativeMove": Operation(relative_move),
    "ContinuousMove": Operation(continuous_move),
    "Stop": Operation(stop),
    "GetPresets": Operation(get_presets),
    "SetPreset": Operation(set_preset),
    "GotoPreset": Operation(goto_preset),
    "RemovePreset": Operation(remove_preset),
    "GotoHomePosition": Operation(goto_home_position),
    "SetHomePosition": Operation(set_home_position),
}
SERVICE = Service("tptz", "/onvif/ptz_service", (2, 50), OPERATIONS, capabilities)
