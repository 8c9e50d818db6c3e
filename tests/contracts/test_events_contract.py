"""The event contract: what is an event, what is not, and that its bytes are stable."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from matpho_contracts.errors import BadInputError
from matpho_contracts.events import (
    MAX_EVENT_BYTES,
    Caption,
    Event,
    EventData,
    Plate,
    Rule,
    SeenObject,
    Vectors,
    pack_vector,
    parse_event,
    source_urn,
    unpack_vector,
)
from matpho_contracts.geometry import Box
from matpho_contracts.ids import is_event_id, new_event_id
from matpho_contracts.vocabulary import EVENT_TYPES, Colour, EventType, Severity

AT = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)


def seen(**told: object) -> SeenObject:
    fields: dict[str, object] = {
        "class": "truck",
        "colour": Colour.WHITE,
        "confidence": 0.9,
        "track_id": 7,
        "box": Box(x1=0.1, y1=0.2, x2=0.3, y2=0.4),
        "first_seen": AT,
        "last_seen": AT,
        "plate": Plate.read("30A-123.45", 0.8),
    }
    return SeenObject.model_validate(fields | told)


def make_event(**data: object) -> Event:
    fields: dict[str, object] = {
        "camera_id": "cam-1",
        "area": "HN-HK",
        "start": AT,
        "end": AT + timedelta(seconds=4),
        "severity": Severity.HIGH,
        "caption": Caption(vi="Xe tải trắng đi ngược chiều", en="White truck driving the wrong way"),
        "rule": Rule(name="wrong_way", parameters={"min_distance": 0.2}),
        "objects": (seen(),),
    } | data
    return Event(
        id=new_event_id(),
        source=source_urn("box-1", "cam-1"),
        type="vn.matpho.wrong_way",
        time=AT,
        data=EventData.model_validate(fields),
    )


class TestEnvelope:
    def test_canonical_bytes_read_back_to_the_same_event_and_bytes(self) -> None:
        event = make_event()
        again = parse_event(event.canonical())
        assert again == event
        assert again.canonical() == event.canonical()
        assert b"\n" not in event.canonical()

    def test_it_is_a_cloud_event(self) -> None:
        assert b'"specversion":"1.0"' in make_event().canonical()
        assert make_event().event_type is EventType.WRONG_WAY

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b"vn.matpho.wrong_way", b"vn.matpho.face_match"),
            (b"2026-11-21T07:30:00.000Z", b"2026-11-21T07:30:00.000"),
            (b'"camera_id":"cam-1"', b'"camera_id":"../../etc"'),
            (b'"confidence":0.9', b'"confidence":9'),
            (b'"confidence":0.9', b'"confidence":NaN'),
            (b'"severity":"high"', b'"severity":"huge"'),
            (b'"specversion":"1.0"', b'"specversion":"1.0","extra":1'),
            (b'"x2":0.3', b'"x2":0.05'),
        ],
    )
    def test_what_is_not_an_event_is_refused_with_the_place(self, old: bytes, new: bytes) -> None:
        raw = make_event().canonical()
        assert old in raw
        with pytest.raises(BadInputError, match="Not an event"):
            parse_event(raw.replace(old, new))

    def test_an_event_that_ends_before_it_starts_is_refused(self) -> None:
        raw = make_event().canonical().replace(b"07:30:04.000Z", b"07:29:04.000Z")
        with pytest.raises(BadInputError, match="ends before"):
            parse_event(raw)

    def test_an_absurdly_large_event_is_refused_unread(self) -> None:
        with pytest.raises(BadInputError, match="over the limit"):
            parse_event(b" " * (MAX_EVENT_BYTES + 1))

    def test_every_type_has_a_group_a_severity_and_two_names(self) -> None:
        assert set(EVENT_TYPES) == set(EventType)
        assert all(name.vi and name.en for _, _, name in EVENT_TYPES.values())


class TestVectors:
    def test_a_packed_vector_keeps_its_direction(self) -> None:
        vector = np.random.default_rng(1).normal(size=256)
        back = unpack_vector(pack_vector(vector))
        assert back.shape == (256,)
        assert float(back @ (vector / np.linalg.norm(vector))) > 0.9999

    @pytest.mark.parametrize("bad", [np.full(8, np.nan), np.zeros(8), np.full(8, np.inf), np.ones(5000), np.empty(0)])
    def test_what_is_no_embedding_is_refused(self, bad: np.ndarray) -> None:
        with pytest.raises(BadInputError):
            pack_vector(bad)

    @pytest.mark.parametrize("bad", ["", "????", "AAAA", "//8AfAB8", "AHwAfAB8"])
    def test_a_packed_vector_of_nan_infinity_or_rubbish_is_refused(self, bad: str) -> None:
        with pytest.raises(BadInputError):
            unpack_vector(bad)

    def test_a_dimension_that_is_not_the_encoders_is_refused(self) -> None:
        with pytest.raises(ValueError, match="must have 512"):
            Vectors(encoder="city", version="1", dim=512, scene=pack_vector(np.ones(256)))


class TestIds:
    def test_ids_sort_by_time(self) -> None:
        early, late = new_event_id(1_000), new_event_id(2_000)
        assert early < late
        assert is_event_id(early)

    def test_plates_meet_however_they_are_written(self) -> None:
        assert Plate.read("29-G1 234.56", 0.5).normalised == Plate.read("29g1-23456", 0.5).normalised


class TestDoubt:
    """An object says how likely each of its names is."""

    def test_it_travels_and_comes_back(self) -> None:
        told = seen(colours={"white": 0.62, "grey": 0.31}, classes={"truck": 0.8, "van": 0.2})
        event = make_event(objects=(told,))
        back = parse_event(event.canonical())
        assert back.data.objects == (told,)
        assert back.canonical() == event.canonical()

    def test_who_cannot_tell_says_nothing_of_it(self) -> None:
        raw = make_event(objects=(seen(),)).canonical()
        assert b"colours" not in raw
        assert b"classes" not in raw

    @pytest.mark.parametrize(
        "told",
        [
            {"colours": {"white": 0.3, "grey": 0.6}},
            {"colours": {"grey": 0.6}},
            {"colour": None, "colours": {"white": 0.6}},
            {"classes": {"truck": 0.4, "van": 0.6}},
            {"colours": {}},
            {"colours": {"white": 1.5}},
            {"colours": {"pink": 0.5, "white": 0.9}},
            {"classes": {f"class-{number}": 0.1 for number in range(8)} | {"truck": 0.9}},
        ],
        ids=["another likelier", "not among them", "no name", "class", "none", "over 1", "unknown", "too many"],
    )
    def test_the_name_is_the_likeliest(self, told: dict[str, object]) -> None:
        with pytest.raises(ValueError, match=r"likeliest|1 item|less than|Input should be|at most 8"):
            seen(**told)
