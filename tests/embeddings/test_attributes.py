"""What may be said of an event's objects: the certain, the possible, and how it is asked for."""

from __future__ import annotations

from tests.embeddings.test_retrieval import NOON, event

from matpho_contracts.events import SeenObject
from matpho_contracts.geometry import Box
from matpho_contracts.vocabulary import Colour
from matpho_embeddings.attributes import asked_attributes, attributes_of, sure_attributes


def seen(label: str, confidence: float, **told: object) -> SeenObject:
    return SeenObject.model_validate(
        {
            "class": label,
            "confidence": confidence,
            "track_id": 1,
            "box": Box(x1=0.1, y1=0.1, x2=0.5, y2=0.5),
            "first_seen": NOON,
            "last_seen": NOON,
            **told,
        }
    )


def told(*objects: SeenObject) -> tuple[dict[str, float], tuple[str, ...]]:
    made = event(0, "Xe tải", "A truck", seen="truck")
    made = made.model_copy(update={"data": made.data.model_copy(update={"objects": objects})})
    return attributes_of(made), sure_attributes(made)


def test_a_doubtful_colour_is_possible_and_only_the_likeliest_is_sure() -> None:
    attributes, sure = told(seen("truck", 0.9, colour="white", colours={"white": 0.6, "grey": 0.35}))
    assert attributes == {
        "truck": 0.9,
        ":white": 0.6,
        "truck:white": 0.6,
        ":grey": 0.4,
        "truck:grey": 0.4,
    }
    assert sure == ("truck", ":white", "truck:white")


def test_a_doubtful_class_takes_its_colours_along() -> None:
    attributes, sure = told(
        seen("person", 0.8, classes={"person": 0.7, "bicycle": 0.3}, colour="red", colours={"red": 0.9})
    )
    assert attributes == {"person": 0.6, "person:red": 0.6, "bicycle": 0.3, "bicycle:red": 0.3, ":red": 0.8}
    assert sure == ("person", ":red", "person:red")


def test_of_several_objects_the_likeliest_counts_and_pairs_are_of_one_object() -> None:
    attributes, _ = told(seen("car", 0.5, colour="red"), seen("car", 0.9, colour="blue"), seen("truck", 0.7))
    assert attributes == {
        "car": 0.9,
        "car:red": 0.5,
        "car:blue": 0.9,
        ":red": 0.5,
        ":blue": 0.9,
        "truck": 0.7,
    }


def test_next_to_nothing_is_nothing() -> None:
    attributes, _ = told(seen("car", 0.5, colour="red", colours={"red": 0.9, "brown": 0.06}))
    assert "car:brown" not in attributes


def test_a_question_for_classes_in_colours_is_for_pairs() -> None:
    assert asked_attributes(["car", "van"], [Colour.RED]) == ("car:red", "van:red")
    assert asked_attributes(["car"], []) == ("car",)
    assert asked_attributes([], [Colour.RED]) == (":red",)
    assert asked_attributes([], []) == ()
