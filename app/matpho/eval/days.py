"""Held-out days: other seeds of the simulated city, filmed and judged by the box's own pipeline, the truth beside it.

Nothing is streamed or waited for: pictures are drawn one moment after another and judged as fast as the machine can,
with the times of the day they stand for. What comes out is what a box would send: composed, captioned, embedded events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho.city_zones import zones_of
from matpho_contracts.geometry import Box, Location
from matpho_contracts.vocabulary import EventType
from matpho_edge.compose import Composed, Place
from matpho_edge.detect import Detector
from matpho_edge.pipeline_analyst import Analyst, AnalystOptions
from matpho_embeddings.encoder import Encoder
from matpho_simcity.city_video import CityVideo, TruthBox
from matpho_simcity.sites import Site
from matpho_simcity.video import PtzPosition

EDGE_ID = "held-out"
LOOKS_PER_SECOND = 4.0
MATCH_OVERLAP = 0.5
_HOME = PtzPosition()


@dataclass(frozen=True, slots=True)
class Labelled:
    """An event as the box made it, and what was truly there: (class, colour) of each object it speaks of."""

    composed: Composed
    truth: frozenset[tuple[str, str]]
    main: tuple[str, str] | None
    """Class and colour of the event's first object; None where nothing real was under its box."""


class _Drawn:
    """A picture of the simulated city as a frame of the pipeline."""

    def __init__(self, camera_id: str, picture: NDArray[np.uint8], seconds: float, at: datetime) -> None:
        self.camera_id, self.captured_at, self.media_seconds = camera_id, at, seconds
        self._picture = picture
        self._luma: NDArray[np.uint8] = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)

    @property
    def size(self) -> tuple[int, int]:
        height, width = self._picture.shape[:2]
        return width, height

    def luma(self) -> NDArray[np.uint8]:
        return self._luma

    def bgr(self) -> NDArray[np.uint8]:
        return self._picture


class _Taken:
    """A sink that hands events on."""

    def __init__(self) -> None:
        self.composed: list[Composed] = []

    def put(self, composed: Composed, *, remember: bool = False) -> bool:
        self.composed.append(composed)
        return True


def film(
    site: Site, began: datetime, seconds: float, detector: Detector, encoder: Encoder | None
) -> Iterator[Labelled]:
    """The events of one camera between `began` (aware) and `seconds` later, each with its truth."""
    guide = site.guide
    location = Location(lat=guide.latitude, lon=guide.longitude)
    place = Place(EDGE_ID, guide.camera_id, guide.area_code, guide.name_vi, location)
    analyst = Analyst(place, detector, _Taken(), encoder=encoder, options=AnalystOptions(zones=zones_of(guide)))
    video = CityVideo(site)
    for step in range(int(seconds * LOOKS_PER_SECOND)):
        moment = step / LOOKS_PER_SECOND
        frame = _Drawn(guide.camera_id, video.frame(moment, _HOME), moment, began + timedelta(seconds=moment))
        if not analyst.open_for(frame).analyse:
            continue
        for composed in analyst.look(frame):
            shown = (composed.event.time - began).total_seconds()
            _, boxes = video.frame_with_truth(shown, _HOME)
            yield label(composed, boxes, frame.size)


def label(composed: Composed, boxes: list[TruthBox], size: tuple[int, int]) -> Labelled:
    """Which true object lies under each box of an event; one truth serves one box, the best overlap first."""
    found = [_under(seen.box, boxes, size) for seen in composed.event.data.objects]
    return Labelled(composed, frozenset(one for one in found if one), found[0] if found else None)


def _under(box: Box, boxes: list[TruthBox], size: tuple[int, int]) -> tuple[str, str] | None:
    width, height = size
    best, name = MATCH_OVERLAP, None
    for truth in boxes:
        x1, y1, x2, y2 = truth.box
        real = Box(x1=max(0.0, x1 / width), y1=max(0.0, y1 / height), x2=min(1.0, x2 / width), y2=min(1.0, y2 / height))
        overlap = box.intersection_over_union(real)
        if overlap >= best:
            best, name = overlap, (truth.object_class, truth.colour)
    return name


RULES = frozenset(
    {
        EventType.WRONG_WAY,
        EventType.INTRUSION,
        EventType.CROWD,
        EventType.STOPPED_VEHICLE,
        EventType.ILLEGAL_PARKING,
        EventType.FIRE,
        EventType.SMOKE,
        EventType.ILLEGAL_DUMPING,
        EventType.PEDESTRIAN_ON_ROAD,
    }
)
"""Event types whose truth the simulator writes down."""
