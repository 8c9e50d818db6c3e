"""Events as they are composed: colours, captions in both languages, stills, vectors, and what a bad encoder costs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matpho_contracts.events import parse_event, unpack_vector
from matpho_contracts.geometry import Location
from matpho_contracts.vocabulary import Colour, EventType, Severity
from matpho_edge.compose import Composed, Composer, Place
from matpho_edge.compose_still import MAX_STILL_BYTES, make_still, quality
from matpho_edge.compose_words import Scene, caption
from matpho_edge.detections import Detections
from matpho_edge.rules import RuleHit, Zone
from matpho_edge.track import Track, Tracker

START = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
PLACE = Place("box-1", "cam-1", "kim-ma", "Ngã tư Kim Mã", Location(lat=21.03, lon=105.81))
LANE = Zone.model_validate(
    {"name": "lane", "kind": "carriageway", "polygon": [(0, 0), (1, 0), (1, 1), (0, 1)], "direction": (1, 0)}
)
Picture = NDArray[np.uint8]


def vehicle(paint: tuple[int, int, int], width: int = 160, height: int = 100) -> Picture:
    """A car from the side on asphalt: body, dark windows, dark tyres."""
    picture = np.full((height, width, 3), 105, np.uint8)
    cv2.rectangle(picture, (8, 35), (width - 8, 82), paint, -1)
    cv2.rectangle(picture, (40, 8), (width - 40, 38), paint, -1)
    cv2.rectangle(picture, (46, 14), (width - 46, 36), (60, 50, 45), -1)
    for x in (40, width - 40):
        cv2.circle(picture, (x, 84), 13, (20, 20, 20), -1)
    noise = np.random.default_rng(0).normal(0, 5, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


class Encoder:
    """Unit vectors out of mean colours; or whatever `spoil` makes of them."""

    name, version, dim = "colours", "1", 3

    def __init__(self, spoil: float | None = None, error: Exception | None = None) -> None:
        self.spoil, self.error = spoil, error
        self.seen: list[tuple[int, ...]] = []

    def encode_images(self, images: Sequence[Picture]) -> NDArray[np.float32]:
        if self.error is not None:
            raise self.error
        self.seen += [image.shape for image in images]
        made = np.array([image.reshape(-1, 3).mean(axis=0) + 1 for image in images], np.float32)
        if self.spoil is not None:
            made[0, 0] = self.spoil
        return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.ones((len(texts), 3), np.float32)


def street(paint: tuple[int, int, int] = (235, 236, 238)) -> Picture:
    picture = np.full((720, 1280, 3), 105, np.uint8)
    picture[300:400, 500:660] = vehicle(paint)
    return picture


def followed(picture: Picture, label: str = "truck") -> tuple[Track, Composer, Encoder]:
    """A composer that has seen one parked thing three times."""
    tracker, encoder = Tracker(), Encoder()
    composer = Composer(PLACE, [LANE], encoder)
    box = np.array([[500 / 1280, 300 / 720, 660 / 1280, 400 / 720]], np.float32)
    found = Detections(box, (label,), np.array([0.9], np.float32))
    luma = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    tracks: list[Track] = []
    for look in range(3):
        tracks = tracker.update(found, START + timedelta(seconds=look))
        composer.views.look(tracks, picture, luma)
    return tracks[0], composer, encoder


def compose(picture: Picture, **changes: object) -> tuple[Composed, Composer, Encoder]:
    track, composer, encoder = followed(picture)
    hit = RuleHit("wrong_way", EventType.WRONG_WAY, START, START + timedelta(seconds=2), "lane", (track,), **changes)  # type: ignore[arg-type]  # by name
    luma = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    return composer.compose(hit, picture, luma), composer, encoder


def said(event_type: EventType, **changes: object) -> tuple[str, str]:
    values: dict[str, object] = {
        "event_type": event_type,
        "label": "truck",
        "colour": Colour.WHITE,
        "count": 1,
        "zone": LANE,
        "camera_name": "Ngã tư Kim Mã",
        "start": START,
        "at": START,
        **changes,
    }
    made = caption(Scene(**values))  # type: ignore[arg-type]  # by name
    return made.vi, made.en


class TestColours:
    """What is told of a colour over many looks."""

    def test_the_large_looks_count_and_what_else_it_may_be_is_told(self) -> None:
        composer, tracker = Composer(PLACE), Tracker()
        tracks: list[Track] = []
        for look in range(20):
            scale = 0.2 + 0.06 * look
            paint = (235, 236, 238) if look > 9 else (40, 40, 200)
            picture = np.full((720, 1280, 3), 105, np.uint8)
            car = cv2.resize(vehicle(paint), None, fx=scale, fy=scale)
            picture[300 : 300 + car.shape[0], 500 : 500 + car.shape[1]] = car
            corners = (500 / 1280, 300 / 720, (500 + car.shape[1]) / 1280, (300 + car.shape[0]) / 720)
            found = Detections(np.array([corners], np.float32), ("car",), np.array([0.9], np.float32))
            tracks = tracker.update(found, START + timedelta(seconds=look / 4))
            luma = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
            composer.views.look(tracks, picture, luma)
        colours = composer.views.colours(tracks[0])
        assert next(iter(colours)) is Colour.WHITE
        assert Colour.RED not in colours
        assert list(colours.values()) == sorted(colours.values(), reverse=True)
        assert 0.8 < sum(colours.values()) <= 1.01

    def test_the_event_says_how_likely_each_name_is(self) -> None:
        seen = compose(street())[0].event.data.objects[0]
        assert seen.colour is Colour.WHITE
        assert seen.colours is not None
        assert max(seen.colours, key=seen.colours.__getitem__) is Colour.WHITE
        assert seen.classes is None


class TestCaptions:
    def test_a_white_truck(self) -> None:
        assert said(EventType.WRONG_WAY) == (
            "Xe tải trắng đi ngược chiều trên lòng đường tại Ngã tư Kim Mã lúc 14:30 chiều.",
            "A white truck drives the wrong way on the carriageway at Ngã tư Kim Mã at 14:30 in the afternoon.",
        )

    def test_people_wear_their_colour_and_articles_fit(self) -> None:
        vi, en = said(EventType.PEDESTRIAN_ON_ROAD, label="person", colour=Colour.RED)
        assert vi.startswith("Người mặc đồ đỏ đi bộ dưới lòng đường tại")
        assert en.startswith("A person in red walks on the carriageway at")
        assert said(EventType.OBJECT_SEEN, colour=Colour.ORANGE)[1].startswith("An orange truck appears")
        assert said(EventType.OBJECT_SEEN, label="ambulance", colour=None)[1].startswith("An ambulance")

    def test_a_crowd_is_counted_and_a_duration_told(self) -> None:
        assert said(EventType.CROWD, count=23)[0].startswith("Đám đông 23 người tụ tập tại")
        vi, en = said(EventType.STOPPED_VEHICLE, at=START + timedelta(seconds=35))
        assert "dừng lại 35 giây trên lòng đường" in vi
        assert "has been standing for 35 seconds on the carriageway" in en

    def test_a_zone_with_a_name_is_called_by_it(self) -> None:
        named = LANE.model_copy(update={"name_vi": "làn xe buýt", "name_en": "the bus lane"})
        vi, en = said(EventType.WRONG_WAY, zone=named)
        assert "ở làn xe buýt tại Ngã tư Kim Mã" in vi
        assert "at the bus lane at" in en

    def test_a_detectors_own_word_is_translated_where_known(self) -> None:
        assert said(EventType.OBJECT_SEEN, label="bottle", colour=Colour.GREEN, zone=None) == (
            "Chai xanh lá xuất hiện tại Ngã tư Kim Mã lúc 14:30 chiều.",
            "A green bottle appears at Ngã tư Kim Mã at 14:30 in the afternoon.",
        )

    def test_the_hour_is_vietnams_whatever_the_zone_of_the_time(self) -> None:
        assert "lúc 00:30 đêm" in said(EventType.SMOKE, at=datetime(2026, 11, 21, 17, 30, tzinfo=UTC), zone=None)[0]

    @pytest.mark.parametrize("event_type", list(EventType))
    @pytest.mark.parametrize("label", ["truck", None])
    def test_every_type_has_a_sentence(self, event_type: EventType, label: str | None) -> None:
        for sentence in said(event_type, label=label, zone=None):
            assert sentence[0].isupper()
            assert sentence.endswith(".")
            assert "  " not in sentence
            assert "Kim Mã" in sentence


class TestStills:
    def test_a_still_is_small_whatever_the_picture(self) -> None:
        noise = np.random.default_rng(0).integers(0, 255, (1080, 1920, 3), dtype=np.uint8)
        still = make_still(noise)
        assert len(still.jpeg) <= MAX_STILL_BYTES
        assert max(still.width, still.height) <= 960
        assert still.sha256 == hashlib.sha256(still.jpeg).hexdigest()
        decoded = cv2.imdecode(np.frombuffer(still.jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None
        assert decoded.shape[:2] == (still.height, still.width)

    def test_quality_tells_sharp_from_blurred_and_dark_from_bright(self) -> None:
        luma = np.asarray(cv2.cvtColor(street(), cv2.COLOR_BGR2GRAY), np.uint8)
        blurred = np.asarray(cv2.GaussianBlur(luma, (0, 0), 6), np.uint8)
        assert quality(luma).sharpness > 5 * quality(blurred).sharpness
        assert quality(luma).brightness > 3 * quality((luma * 0.2).astype(np.uint8)).brightness


class TestEvents:
    def test_the_whole_event(self) -> None:
        made, composer, encoder = compose(street())
        event = parse_event(made.event.canonical())
        assert event == made.event
        assert event.type == "vn.matpho.wrong_way"
        assert event.source == "urn:matpho:edge:box-1:cam-1"
        assert event.data.severity is Severity.HIGH
        assert event.data.location == PLACE.location
        (seen,) = event.data.objects
        assert (seen.label, seen.colour, seen.track_id) == ("truck", Colour.WHITE, 1)
        assert made.still is not None
        assert event.data.evidence.thumbnail_sha256 == hashlib.sha256(made.still).hexdigest()
        assert event.data.evidence.clip_start == START - timedelta(seconds=5)
        assert event.data.vectors is not None
        assert event.data.vectors.main_object is not None
        assert unpack_vector(event.data.vectors.scene).shape == (3,)
        # The scene goes in as the still is; the object with 15 % around it.
        assert encoder.seen[0] == (540, 960, 3)
        assert encoder.seen[1][1] == pytest.approx(160 * 1.3, abs=2)
        assert composer.counts.events == 1

    @pytest.mark.parametrize(
        "encoder", [Encoder(spoil=float("nan")), Encoder(spoil=float("inf")), Encoder(error=RuntimeError("no memory"))]
    )
    def test_a_broken_encoder_costs_the_vectors_and_never_the_event(self, encoder: Encoder) -> None:
        track, _, _ = followed(street())
        broken = Composer(PLACE, [LANE], encoder)
        with np.errstate(invalid="ignore"):
            made = broken.compose(
                RuleHit("wrong_way", EventType.WRONG_WAY, START, START, "lane", (track,)), street(), None
            )
        assert made.event.data.vectors is None
        assert made.still is not None
        assert broken.counts.without_vectors == 1

    def test_fire_has_boxes_and_no_track(self) -> None:
        found = Detections(np.array([[0.4, 0.4, 0.5, 0.6]], np.float32), ("fire",), np.array([0.7], np.float32))
        composer = Composer(PLACE, [], Encoder())
        made = composer.compose(RuleHit("fire", EventType.FIRE, START, START, found=found), street(), None)
        assert [(seen.label, seen.colour) for seen in made.event.data.objects] == [("fire", None)]
        assert made.event.data.severity is Severity.CRITICAL
        assert made.event.data.vectors is not None
        assert made.event.data.vectors.main_object is not None

    def test_an_offline_camera_has_no_picture(self) -> None:
        hit = RuleHit("camera_offline", EventType.CAMERA_OFFLINE, START, START + timedelta(seconds=15))
        made = Composer(PLACE, [], Encoder()).compose(hit, None, None)
        assert made.still is None
        assert made.event.data.vectors is None
        assert made.event.data.caption.vi == "Camera Ngã tư Kim Mã mất tín hiệu từ 14:30."

    def test_a_crowd_of_hundreds_fits_one_event(self) -> None:
        tracker = Tracker()
        grid = [(x / 26, y / 12) for x in range(25) for y in range(10)]
        boxes = np.array([(x, y, x + 0.02, y + 0.06) for x, y in grid], np.float32)
        people = Detections(boxes, ("person",) * 250, np.full(250, 0.8, np.float32))
        tracker.update(people, START)
        tracks = tuple(tracker.update(people, START + timedelta(seconds=1)))
        hit = RuleHit("crowd", EventType.CROWD, START, START, None, tracks, count=250)
        made = Composer(PLACE).compose(hit, street(), None)
        assert made.event.data.object_count == 250
        assert len(made.event.data.objects) == 64
        assert parse_event(made.event.canonical()) == made.event
