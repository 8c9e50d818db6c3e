"""The evaluations run as typed, score against the truth, and ask only what the truth can answer."""

import json
from datetime import datetime

import pytest
from typer.testing import CliRunner

from matpho.bench import agent_calls
from matpho.eval.days import Labelled, label
from matpho.eval.rules import Reported, matched, unacted
from matpho.eval.search import questions
from matpho.main import build
from matpho_contracts.events import Caption, Event, EventData, Rule, SeenObject, source_urn
from matpho_contracts.geometry import Box
from matpho_contracts.ids import new_event_id
from matpho_contracts.times import VIETNAM
from matpho_contracts.vocabulary import EventType
from matpho_edge.compose import Composed
from matpho_simcity.city_video import TruthBox
from matpho_simcity.world.incidents import ExpectedEvent

RUNNER = CliRunner()
AT = datetime(2026, 3, 1, 6, 30, tzinfo=VIETNAM)


def composed(box: Box) -> Composed:
    seen = SeenObject.model_validate(
        {"class": "truck", "confidence": 0.9, "track_id": 1, "box": box, "first_seen": AT, "last_seen": AT}
    )
    data = EventData.model_validate(
        {
            "camera_id": "c1",
            "area": "a1",
            "start": AT,
            "end": AT,
            "severity": "info",
            "objects": (seen,),
            "caption": Caption(vi="Xe tải", en="Truck"),
            "rule": Rule(name="object_seen"),
        }
    )
    event = Event(id=new_event_id(), source=source_urn("b1", "c1"), type="vn.matpho.object_seen", time=AT, data=data)
    return Composed(event, None)


def truth(box: tuple[int, int, int, int], name: str = "truck", colour: str = "white") -> TruthBox:
    return TruthBox("t1", name, colour, "", box, 1.0, False, 0.0, 0.0, 0.0, 0.0)


class TestTruth:
    def test_an_event_is_what_lies_under_its_box(self) -> None:
        made = composed(Box(x1=0.1, y1=0.1, x2=0.3, y2=0.3))
        found = label(made, [truth((64, 36, 192, 108)), truth((0, 0, 64, 36), "car", "red")], (640, 360))
        assert found.main == ("truck", "white")
        assert found.truth == {("truck", "white")}

    def test_a_box_over_nothing_is_nothing(self) -> None:
        made = composed(Box(x1=0.1, y1=0.1, x2=0.3, y2=0.3))
        assert label(made, [truth((300, 200, 400, 300))], (640, 360)).main is None


class TestQuestions:
    def test_the_right_answers_are_the_true_ones_in_both_languages(self) -> None:
        made = [
            Labelled(composed(Box(x1=0, y1=0, x2=0.1, y2=0.1)), frozenset({("truck", "white")}), ("truck", "white"))
            for _ in range(4)
        ]
        asked = questions(made, {"c1": "Phố Một"}, "seed")
        simple = {question.lang: question for question in asked if question.family == "object"}
        assert simple["vi"].text == "xe tải màu trắng"
        assert simple["en"].text == "white truck"
        assert simple["vi"].right == {one.composed.event.id for one in made}
        full = next(question for question in asked if question.family != "object" and question.lang == "vi")
        assert full.text == "xe tải màu trắng ở Phố Một sáng ngày 1/3"


class TestCommand:
    def test_vision_is_scored_on_as_many_pictures_as_asked(self) -> None:
        result = RUNNER.invoke(build("eval"), ["eval", "vision", "--size", "16", "--json"])
        report = json.loads(result.stdout)
        assert report["pictures"] == 16
        assert 0.3 < report["map50"] <= 1

    @pytest.mark.parametrize("command", ["eval", "bench"])
    def test_an_unknown_area_ends_with_2_and_the_choices(self, command: str) -> None:
        result = RUNNER.invoke(build(command), [command, "weather"])
        assert result.exit_code == 2
        assert "search" in result.output


class TestBenches:
    def test_a_turn_is_measured_beside_the_loop_by_hand(self) -> None:
        result = RUNNER.invoke(build("bench"), ["bench", "agent", "--quick", "--json"])
        assert result.exit_code == 0, result.output
        report = json.loads(result.stdout)
        rows = report["rows"]
        assert {(row["engine"], row["turn"]) for row in rows if "turn" in row} == {
            (engine, turn) for engine in ("matpho graph", "loop by hand", "graph less loop") for turn in (1, 60)
        }
        assert {row["engine"]: row["n"] for row in rows if "turn" not in row} == dict.fromkeys(agent_calls.ROWS, 100)
        assert all(row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"] and row["n"] > 1 for row in rows)
        assert report["gateway_over_commits"] > 0


class TestRules:
    @staticmethod
    def acted(kind: EventType, start: float, end: float) -> ExpectedEvent:
        return ExpectedEvent(kind, start, end, (), 0.0, 0.0, "")

    def test_a_report_counts_when_its_kind_was_acted_then(self) -> None:
        fire, parking = self.acted(EventType.FIRE, 10, 40), self.acted(EventType.ILLEGAL_PARKING, 50, 80)
        reported = [Reported("fire", 15.0), Reported("fire", 30.0), Reported("illegal_parking", 20.0)]
        assert list(matched([fire, parking], reported)) == [0]
        assert unacted([fire, parking], reported) == [reported[2]]

    def test_the_command_scores_every_kind_that_was_acted(self) -> None:
        result = RUNNER.invoke(build(), ["eval", "rules", "--size", "40", "--cameras", "2", "--json"])
        assert result.exit_code == 0, result.output
        report = json.loads(result.stdout)
        assert report["cameras"] == 2
        assert report["acted"] == sum(row["acted"] for row in report["rows"])
        assert report["acted"] > 0
        assert all(0 <= row["found"] <= row["acted"] for row in report["rows"])
