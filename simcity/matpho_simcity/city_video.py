"""What one camera of the simulated city films, as a video source with a lens that turns."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from matpho_simcity.drawing.background import Painter, light_up
from matpho_simcity.drawing.renderer import Renderer, Sighting
from matpho_simcity.drawing.sensor import Sensor
from matpho_simcity.sites import Site
from matpho_simcity.video import PtzPosition
from matpho_simcity.world.traffic import bulbs

KEPT_BACKGROUNDS = 6
"""Lens positions whose background is kept (3 to 30 MB each, by size)."""


@dataclass(frozen=True, slots=True)
class TruthBox:
    """One object in one frame: `box` (x0, y0, x1, y1) pixels after occlusion; metres, radians from +y, m/s."""

    id: str
    object_class: str
    colour: str
    plate: str
    box: tuple[int, int, int, int]
    visible: float
    ignore: bool
    x: float
    y: float
    heading: float
    speed: float


class CityVideo:
    """The picture of `site` at `size` (width, height); may be called from several threads, one frame at a time.

    >>> from matpho_simcity.sites import city
    >>> CityVideo(city(1)[0], size=(320, 180)).frame(5.0, PtzPosition()).shape
    (180, 320, 3)
    """

    def __init__(self, site: Site, *, size: tuple[int, int] = (640, 360), frames_per_second: float = 12.0) -> None:
        self.site = site
        self._size, self._rate = size, frames_per_second
        self._lock = Lock()
        self._renderers: OrderedDict[tuple[float, float, float], Renderer] = OrderedDict()
        self._sensor = Sensor(size, site.air, 1)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self._size

    @property
    def frames_per_second(self) -> float:
        """Nominal frame rate."""
        return self._rate

    @property
    def has_ptz(self) -> bool:
        """Whether the lens can turn."""
        return self.site.has_ptz

    def frame(self, seconds: float, position: PtzPosition) -> NDArray[np.uint8]:
        """The (height, width, 3) BGR picture `seconds` after the script began; a fixed camera ignores `position`."""
        image, _ = self._shoot(seconds, position, truth=False)
        return image

    def frame_with_truth(self, seconds: float, position: PtzPosition) -> tuple[NDArray[np.uint8], list[TruthBox]]:
        """The picture and what can be seen in it."""
        image, sightings = self._shoot(seconds, position, truth=True)
        return image, [_truth(sighting) for sighting in sightings]

    def _shoot(self, seconds: float, position: PtzPosition, *, truth: bool) -> tuple[NDArray[np.uint8], list[Sighting]]:
        with self._lock:
            movers = self.site.script.at(seconds)
            renderer = self._renderer(position if self.has_ptz else PtzPosition())
            floods = self.site.script.floods(seconds)
            image, drawn = renderer.draw(movers, seconds, bulbs(self.site.scene, seconds), floods, truth=truth)
            sightings = renderer.sightings(image, drawn) if truth else []
            return self._sensor.expose(image, int(seconds * self._rate)), sightings

    def _renderer(self, position: PtzPosition) -> Renderer:
        key = (round(position.pan, 4), round(position.tilt, 4), round(position.zoom, 4))
        renderer = self._renderers.get(key)
        if renderer is None:
            site = self.site
            camera = site.mount.camera(self._size, PtzPosition(*key))
            painted = Painter(camera).paint(site.scene)
            lit = light_up(painted, camera, site.scene, site.air)
            renderer = Renderer(camera, site.air, painted, lit, site.scene.lamps)
            self._renderers[key] = renderer
            while len(self._renderers) > KEPT_BACKGROUNDS:
                self._renderers.popitem(last=False)
        self._renderers.move_to_end(key)
        return renderer


def _truth(sighting: Sighting) -> TruthBox:
    placed, look = sighting.placed, sighting.placed.look
    return TruthBox(
        placed.id, look.object_class.value, look.colour.value, look.plate, sighting.box, round(sighting.visible, 3),
        sighting.ignore, placed.x, placed.y, placed.heading, placed.speed,
    )  # fmt: skip
