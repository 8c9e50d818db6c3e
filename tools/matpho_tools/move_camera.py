"""`move_camera`: turns a PTZ camera's lens, by a preset, by degrees from where it is, or home."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from matpho_contracts.edge_api import MoveArguments
from matpho_contracts.ids import ShortId
from matpho_contracts.text import fold
from matpho_platform.cameras.schemas import Camera
from matpho_tools.contract import Arguments, Call, MissingError, Named, Prepared, Produced, Row, Tool


class MoveCameraArguments(Arguments):
    """Which camera and where to: exactly one of `preset`, `home`, or a relative `pan`/`tilt`/`zoom`.

    Pan and tilt are degrees from where the lens is (pan + right, tilt + up); zoom is a share of the whole range, in
    [-1, 1], positive is closer.
    """

    camera_id: ShortId
    preset: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] | None = None
    pan: Annotated[float, Field(ge=-360, le=360, allow_inf_nan=False)] | None = None
    tilt: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None = None
    zoom: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)] | None = None
    home: bool = False

    def move(self) -> MoveArguments:
        """As the box takes it."""
        if self.home:
            return MoveArguments(home=True)
        if self.preset is not None:
            return MoveArguments(preset=self.preset)
        return MoveArguments(pan=self.pan or 0.0, tilt=self.tilt or 0.0, zoom=self.zoom or 0.0)


async def _prepare(call: Call[MoveCameraArguments]) -> Prepared[MoveCameraArguments]:
    """1 the camera must be there, turnable and free; 2 one way to turn must be given; 3 a preset by its own name."""
    wanted = call.arguments
    status = await call.center.lenses.turnable(call.principal, call.scope, wanted.camera_id, call.now)
    camera = status.camera
    turns = any(value for value in (wanted.pan, wanted.tilt, wanted.zoom))
    ways = [wanted.home, wanted.preset is not None, turns]
    if sum(ways) != 1:
        reason = "say where to: a preset, degrees, or home" if not any(ways) else "only one of preset, degrees, home"
        raise MissingError("pan", reason, camera.presets)
    if wanted.preset is not None:
        wanted = wanted.model_copy(update={"preset": _preset(camera, wanted.preset)})
    return Prepared(wanted, (_camera_row(camera), *_rows(wanted)), (camera.id,))


def _preset(camera: Camera, said: str) -> str:
    """The preset's own name for what was said, without regard to marks and case; raises MissingError with them all."""
    if not camera.presets:
        raise MissingError("pan", f"camera {camera.id} remembers no positions; say degrees or home")
    found = next((name for name in camera.presets if fold(name) == fold(said)), None)
    if found is None:
        raise MissingError("preset", f"camera {camera.id} has no such position", camera.presets)
    return found


def _camera_row(camera: Camera) -> Row:
    shown = f"{camera.name} ({camera.id})"
    return Row("camera_id", "Camera", "Camera", shown, shown)


def _rows(wanted: MoveCameraArguments) -> tuple[Row, ...]:
    if wanted.home:
        return (Row("home", "Hướng", "Direction", "về vị trí gốc", "home position"),)
    if wanted.preset is not None:
        return (Row("preset", "Vị trí đặt trước", "Preset", wanted.preset, wanted.preset),)
    rows: list[Row] = []
    if wanted.pan:
        vi, en = ("phải", "right") if wanted.pan > 0 else ("trái", "left")
        size = f"{abs(wanted.pan):g}°"
        rows.append(Row("pan", "Xoay ngang", "Pan", f"sang {vi} {size}", f"{size} to the {en}"))
    if wanted.tilt:
        vi, en = ("lên", "up") if wanted.tilt > 0 else ("xuống", "down")
        size = f"{abs(wanted.tilt):g}°"
        rows.append(Row("tilt", "Xoay dọc", "Tilt", f"{vi} {size}", f"{size} {en}"))
    if wanted.zoom:
        vi, en = ("phóng to", "closer") if wanted.zoom > 0 else ("thu nhỏ", "wider")
        size = f"{abs(wanted.zoom) * 100:g}%"
        rows.append(Row("zoom", "Thu phóng", "Zoom", f"{vi} {size}", f"{size} {en}"))
    return tuple(rows)


async def _run(call: Call[MoveCameraArguments]) -> Produced:
    wanted = call.arguments
    turned = await call.center.lenses.turn(
        call.principal, call.scope, wanted.camera_id, wanted.move(), at=call.now, key=call.key
    )
    return Produced(turned, (wanted.camera_id,))


TOOL = Tool(
    name="move_camera",
    summary="Turn a PTZ camera: to a named preset, by degrees (pan + right, tilt + up) and zoom, or home.",
    arguments=MoveCameraArguments,
    action="move_camera",
    run=_run,
    part_vi="camera hoặc hộp biên của nó",
    part_en="the camera or its edge box",
    names=lambda arguments: Named(camera_ids=(arguments.camera_id,)),
    free_text=lambda arguments: (arguments.preset or "",),
    prepare=_prepare,
    deadline_s=30.0,
)
