"""From a rule's hit and the picture of the moment to a whole event: still, captions, colours, vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import structlog
from numpy.typing import NDArray

from matpho_contracts.errors import MatphoError
from matpho_contracts.events import (
    MAX_OBJECTS,
    TYPE_PREFIX,
    Event,
    EventData,
    Evidence,
    Quality,
    Rule,
    SeenObject,
    Vectors,
    pack_vector,
    source_urn,
)
from matpho_contracts.geometry import Box, Location
from matpho_contracts.ids import new_event_id
from matpho_contracts.times import unix_ms
from matpho_edge.compose_still import CROP_MARGIN, Still, crop, make_still, quality, shrink
from matpho_edge.compose_views import Views
from matpho_edge.compose_words import Scene, caption
from matpho_edge.rules import RuleHit, Zone
from matpho_edge.track import Track

if TYPE_CHECKING:
    from matpho_embeddings.encoder import Encoder

CLIP_BEFORE = timedelta(seconds=5)
CLIP_AFTER = timedelta(seconds=5)
"""How much of the recording around an event is its evidence."""
MAX_CLIP = timedelta(seconds=60)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Which camera, and where it stands."""

    edge_id: str
    camera_id: str
    area: str
    camera_name: str
    location: Location | None = None
    camera_name_en: str = ""
    """What English captions call it; `camera_name` where empty."""


@dataclass(frozen=True, slots=True)
class Composed:
    """An event ready to be kept, with the JPEG that its evidence names."""

    event: Event
    still: bytes | None


@dataclass(slots=True)
class ComposerCounts:
    """What became of composed events."""

    events: int = 0
    without_vectors: int = 0
    """The encoder failed or gave NaN: the event went without its vectors."""


class Composer:
    """Makes the events of one camera. Not thread-safe."""

    def __init__(
        self,
        place: Place,
        zones: Sequence[Zone] = (),
        encoder: Encoder | None = None,
        *,
        new_id: Callable[[RuleHit], str] | None = None,
    ) -> None:
        self.place = place
        self.views = Views()
        self.counts = ComposerCounts()
        self._zones = {zone.name: zone for zone in zones}
        self._encoder = encoder
        self._new_id = new_id or (lambda hit: new_event_id(unix_ms(hit.end)))

    def compose(self, hit: RuleHit, picture: NDArray[np.uint8] | None, luma: NDArray[np.uint8] | None) -> Composed:
        """The event of a hit; `picture` (height, width, 3) BGR and `luma` show the moment, None when there is none."""
        objects = self._objects(hit)
        still = None if picture is None else make_still(picture)
        data = EventData(
            camera_id=self.place.camera_id,
            area=self.place.area,
            start=min(hit.start, hit.end),
            end=hit.end,
            severity=hit.weight,
            location=self.place.location,
            zone=hit.zone,
            objects=objects,
            object_count=max(hit.count, len(hit.tracks), len(hit.found)),
            caption=caption(self._scene(hit, objects)),
            evidence=_evidence(hit, still),
            vectors=None if picture is None else self._vectors(hit, picture),
            rule=Rule(name=hit.rule, parameters=hit.parameters),
            quality=Quality() if luma is None else quality(luma),
        )
        event = Event(
            id=self._new_id(hit),
            source=source_urn(self.place.edge_id, self.place.camera_id),
            type=TYPE_PREFIX + hit.event_type,
            time=hit.end,
            data=data,
        )
        self.counts.events += 1
        return Composed(event, None if still is None else still.jpeg)

    def _objects(self, hit: RuleHit) -> tuple[SeenObject, ...]:
        followed = [self._followed(track) for track in hit.tracks[:MAX_OBJECTS]]
        room = MAX_OBJECTS - len(followed)
        found = [
            SeenObject.model_validate(
                {
                    "class": label,
                    "confidence": float(score),
                    "track_id": 0,
                    "box": _box(box),
                    "first_seen": hit.start,
                    "last_seen": hit.end,
                }
            )
            for label, score, box in zip(hit.found.labels, hit.found.scores, hit.found.boxes, strict=True)
        ]
        return (*followed, *found[:room])

    def _followed(self, track: Track) -> SeenObject:
        colours = self.views.colours(track)
        return SeenObject.model_validate(
            {
                "class": track.label,
                "colour": next(iter(colours), None),
                "colours": colours or None,
                "classes": track.likely_labels,
                "confidence": min(1.0, track.score),
                "track_id": track.id,
                "box": track.shape,
                "first_seen": track.first_seen,
                "last_seen": track.last_seen,
            }
        )

    def _scene(self, hit: RuleHit, objects: Sequence[SeenObject]) -> Scene:
        main = objects[0] if objects else None
        return Scene(
            event_type=hit.event_type,
            label=None if main is None else main.label,
            colour=None if main is None else main.colour,
            count=max(hit.count, len(objects)),
            zone=self._zones.get(hit.zone or ""),
            camera_name=self.place.camera_name,
            camera_name_en=self.place.camera_name_en or self.place.camera_name,
            start=hit.start,
            at=hit.end,
        )

    def _vectors(self, hit: RuleHit, picture: NDArray[np.uint8]) -> Vectors | None:
        """CLIP vectors of the whole picture and of the main object; a failing encoder costs the vectors alone."""
        if self._encoder is None:
            return None
        main = self._main_crop(hit, picture)
        pictures = [shrink(picture)] if main is None else [shrink(picture), main]
        try:
            made = self._encoder.encode_images(pictures)
            packed = [pack_vector(vector) for vector in made]
            return Vectors(
                encoder=self._encoder.name,
                version=self._encoder.version,
                dim=self._encoder.dim,
                scene=packed[0],
                main_object=packed[1] if main is not None else None,
            )
        except (MatphoError, ValueError, RuntimeError, IndexError) as error:
            self.counts.without_vectors += 1
            _log.warning("event without vectors", camera=self.place.camera_id, error=str(error)[:200])
            return None

    def _main_crop(self, hit: RuleHit, picture: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        if hit.tracks:
            track = hit.tracks[0]
            now = crop(picture, track.shape, CROP_MARGIN) if track.missed == 0 else None
            best = self.views.best_crop(track)
            return now if best is None else best
        if len(hit.found):
            largest = int(np.argmax((hit.found.boxes[:, 2:] - hit.found.boxes[:, :2]).prod(axis=1)))
            return crop(picture, _box(hit.found.boxes[largest]), CROP_MARGIN)
        return None


def _box(corners: NDArray[np.float32]) -> Box:
    x1, y1, x2, y2 = (float(v) for v in np.clip(corners, 0.0, 1.0))
    return Box(x1=min(x1, x2), y1=min(y1, y2), x2=max(x1, x2), y2=max(y1, y2))


def _evidence(hit: RuleHit, still: Still | None) -> Evidence:
    start: datetime = max(hit.start - CLIP_BEFORE, hit.end + CLIP_AFTER - MAX_CLIP)
    end = hit.end + CLIP_AFTER
    if still is None:
        return Evidence(clip_start=start, clip_end=end)
    return Evidence(
        thumbnail_sha256=still.sha256,
        thumbnail_width=still.width,
        thumbnail_height=still.height,
        clip_start=start,
        clip_end=end,
    )
