"""The cameras of the simulated city: where each hangs, what it watches, what an operator would draw on its picture."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

import numpy as np

from matpho_simcity.drawing.atmosphere import Atmosphere, Light, Weather, atmosphere
from matpho_simcity.drawing.geometry import Camera, Floats, Mount
from matpho_simcity.world.layouts import build_scene
from matpho_simcity.world.scene import Place, Scene, Zone
from matpho_simcity.world.script import Script, ScriptOptions

LEAST_ZONE = 0.004
"""Share of the picture below which a zone is not worth drawing."""


@dataclass(frozen=True, slots=True)
class GuideZone:
    """A zone on the picture at home position: `polygon` in shares of width and height (0..1 from the upper left).

    `direction` is the permitted way of travel as a unit vector in pixels (right, down), `arrow` the same as two points
    in shares; both are None where nothing drives.
    """

    name: str
    kind: str
    polygon: tuple[tuple[float, float], ...]
    direction: tuple[float, float] | None = None
    arrow: tuple[tuple[float, float], tuple[float, float]] | None = None


@dataclass(frozen=True, slots=True)
class SiteGuide:
    """What those who run a camera know of it: names, area, place on the map, zones; `kind` is "fixed" or "ptz"."""

    camera_id: str
    name_vi: str
    name_en: str
    area_code: str
    area_name: str
    latitude: float
    longitude: float
    kind: str
    place: str
    zones: tuple[GuideZone, ...]

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Site:
    """One camera with its scene and its day."""

    guide: SiteGuide
    scene: Scene
    mount: Mount
    air: Atmosphere
    script: Script

    @property
    def has_ptz(self) -> bool:
        """Whether its lens turns."""
        return self.guide.kind == "ptz"


@dataclass(frozen=True, slots=True)
class _Address:
    camera_id: str
    place: Place
    vi: str
    en: str
    area_code: str
    area_name: str
    latitude: float
    longitude: float
    ptz: bool = False


_CITY = (
    _Address(
        "hk-hang-bai", Place.STREET, "Phố Hàng Bài", "Hang Bai street", "00070", "Phường Hoàn Kiếm", 21.0233, 105.8536
    ),
    _Address(
        "cn-phan-chu-trinh",
        Place.JUNCTION,
        "Ngã tư Tràng Tiền - Phan Chu Trinh",
        "Trang Tien - Phan Chu Trinh junction",
        "00082",
        "Phường Cửa Nam",
        21.0242,
        105.8570,
        True,
    ),
    _Address(
        "hk-ho-guom",
        Place.PAVEMENT,
        "Vỉa hè Hồ Gươm",
        "Sword Lake pavement",
        "00070",
        "Phường Hoàn Kiếm",
        21.0287,
        105.8525,
    ),
    _Address(
        "vm-ngo-kham-thien",
        Place.ALLEY,
        "Ngõ chợ Khâm Thiên",
        "Kham Thien market alley",
        "00235",
        "Phường Văn Miếu - Quốc Tử Giám",
        21.0190,
        105.8382,
    ),
    _Address(
        "la-to-lich",
        Place.RIVER_BANK,
        "Bờ sông Tô Lịch",
        "To Lich river bank",
        "00199",
        "Phường Láng",
        21.0146,
        105.8042,
        True,
    ),
    _Address(
        "bd-hoang-dieu",
        Place.SCHOOL_GATE,
        "Cổng trường Hoàng Diệu",
        "Hoang Dieu school gate",
        "00004",
        "Phường Ba Đình",
        21.0377,
        105.8206,
    ),
    _Address(
        "hk-dong-xuan",
        Place.MARKET,
        "Chợ Đồng Xuân",
        "Dong Xuan market",
        "00070",
        "Phường Hoàn Kiếm",
        21.0382,
        105.8495,
    ),
    _Address(
        "vt-cau-vinh-tuy",
        Place.BRIDGE,
        "Cầu Vĩnh Tuy",
        "Vinh Tuy bridge",
        "00283",
        "Phường Vĩnh Tuy",
        21.0041,
        105.8783,
        True,
    ),
    _Address(
        "gv-cong-truong",
        Place.CONSTRUCTION,
        "Công trường Giảng Võ",
        "Giang Vo construction site",
        "00025",
        "Phường Giảng Võ",
        21.0275,
        105.8228,
    ),
    _Address(
        "cg-tram-xe-buyt",
        Place.BUS_STOP,
        "Trạm xe buýt Cầu Giấy",
        "Cau Giay bus stop",
        "00166",
        "Phường Cầu Giấy",
        21.0313,
        105.8010,
    ),
    _Address(
        "hk-nghia-thuc",
        Place.ROUNDABOUT,
        "Bùng binh Đông Kinh Nghĩa Thục",
        "Dong Kinh Nghia Thuc roundabout",
        "00070",
        "Phường Hoàn Kiếm",
        21.0318,
        105.8517,
        True,
    ),
    _Address(
        "hh-bo-song-hong",
        Place.RIVER_BANK,
        "Bờ sông Hồng",
        "Red River bank",
        "00097",
        "Phường Hồng Hà",
        21.0402,
        105.8571,
    ),
)
_SKIES = (
    (Light.DAY, Weather.CLEAR),
    (Light.DAY, Weather.CLEAR),
    (Light.DAY, Weather.CLEAR),
    (Light.NIGHT, Weather.CLEAR),
    (Light.DAY, Weather.CLEAR),
    (Light.DAY, Weather.HAZE),
    (Light.DAY, Weather.RAIN),
    (Light.DUSK, Weather.CLEAR),
    (Light.DAY, Weather.CLEAR),
    (Light.NIGHT, Weather.RAIN),
    (Light.DAY, Weather.RAIN),
    (Light.DUSK, Weather.HAZE),
)


def light_of_hour(hour: float) -> Light:
    """The light at local time `hour` (0..24) in Hanoi, between its winter and its summer."""
    if 6.2 <= hour < 17.4:
        return Light.DAY
    return Light.DUSK if 5.4 <= hour < 6.2 or 17.4 <= hour < 18.5 else Light.NIGHT


def city(seed: str | int = 1, *, options: ScriptOptions | None = None, hour: float | None = None) -> list[Site]:
    """Twelve cameras of one simulated day; other seeds give other streets, weather and people.

    Their light is a mixture of day, dusk and night, or that of local time `hour` when given.
    """
    return [_site(address, number, str(seed), options, hour) for number, address in enumerate(_CITY)]


def _site(address: _Address, number: int, seed: str, options: ScriptOptions | None, hour: float | None) -> Site:
    rng = Random(f"site:{seed}:{address.camera_id}")
    scene = build_scene(address.place, f"city:{seed}:{address.camera_id}")
    light, weather = _SKIES[number] if seed == "1" else rng.choice(_SKIES)
    air = atmosphere(light_of_hour(hour) if hour is not None else light, weather, rng)
    mount = _home(scene, rng)
    script = Script(scene, f"{seed}:{address.camera_id}", options or _timing(rng), wet=weather is Weather.RAIN)
    zones = guide_zones(scene.zones, mount.camera((1600, 900)))
    guide = SiteGuide(
        address.camera_id,
        address.vi,
        address.en,
        address.area_code,
        address.area_name,
        address.latitude,
        address.longitude,
        "ptz" if address.ptz else "fixed",
        address.place.value,
        zones,
    )
    return Site(guide, scene, mount, air, script)


def _timing(rng: Random) -> ScriptOptions:
    return ScriptOptions(first=rng.uniform(1.0, 6.0), slot=rng.uniform(70.0, 110.0), density=rng.uniform(0.65, 0.95))


def _home(scene: Scene, rng: Random) -> Mount:
    (x, y), (gaze_x, gaze_y) = scene.eye, scene.gaze
    height = {Place.ALLEY: 5.2, Place.PAVEMENT: 5.6, Place.ROUNDABOUT: 8.0, Place.JUNCTION: 7.2}.get(
        scene.place, 6.6
    ) + rng.uniform(-0.4, 0.4)
    heading = math.degrees(math.atan2(gaze_x - x, gaze_y - y))
    tilt = math.degrees(math.atan2(height, math.hypot(gaze_x - x, gaze_y - y)))
    return Mount(x, y, height, heading, tilt, {Place.CONSTRUCTION: 64.0, Place.ALLEY: 52.0}.get(scene.place, 58.0))


def guide_zones(zones: list[Zone], camera: Camera) -> tuple[GuideZone, ...]:
    """`zones` as they lie on the picture of `camera`; those out of sight or tiny are left out."""
    found = []
    for zone in zones:
        ring = np.column_stack([zone.ring, np.zeros(len(zone.ring))])
        cut = camera.clip(camera.to_camera(ring), margin=1.0)
        if len(cut) < 3:
            continue
        shares = camera.to_pixels(cut) / (camera.width, camera.height)
        if _area(shares) < LEAST_ZONE:
            continue
        arrow = _arrow(zone, camera)
        direction = None
        if arrow is not None:
            step = ((arrow[1][0] - arrow[0][0]) * camera.width, (arrow[1][1] - arrow[0][1]) * camera.height)
            length = math.hypot(*step)
            direction = (round(step[0] / length, 4), round(step[1] / length, 4))
        polygon = tuple((round(float(u), 4), round(float(v), 4)) for u, v in np.clip(shares, 0, 1))
        found.append(GuideZone(zone.name, zone.kind.value, polygon, direction, arrow))
    return tuple(found)


def _area(shares: Floats) -> float:
    x, y = shares[:, 0], shares[:, 1]
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def _arrow(zone: Zone, camera: Camera) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """The permitted way of travel as seen: from the first to the last point of it that is in the picture."""
    if zone.direction is None:
        return None
    share = np.linspace(0, 1, 80)[:, None]
    line = zone.direction[0] * (1 - share) + zone.direction[1] * share
    pixels, depth = camera.project(np.column_stack([line, np.zeros(len(line))]))
    u, v = pixels[:, 0] / camera.width, pixels[:, 1] / camera.height
    seen = np.flatnonzero((depth > 1) & (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1))
    if len(seen) < 2:
        return None
    first, last = int(seen[0]), int(seen[-1])
    return (round(float(u[first]), 4), round(float(v[first]), 4)), (round(float(u[last]), 4), round(float(v[last]), 4))
