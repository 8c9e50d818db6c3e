"""Procedures of both formats: what is read, what is refused with file, line and field, and the way through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from matpho_contracts.errors import BadInputError, ConfigurationError
from matpho_contracts.vocabulary import EVENT_TYPES, EventGroup, EventType
from matpho_platform.incidents.flow import Mark, StepState, stands
from matpho_platform.incidents.procedure import DEFAULT_CHAIN, Procedure, StepKind
from matpho_platform.incidents.procedure_files import SHIPPED, read_procedure, read_procedures
from matpho_platform.incidents.rehearsal import Course, rehearse
from matpho_platform.incidents.schemas import Priority

OLD: dict[str, Any] = {
    "id": "QT-CU",
    "title": "Cũ",
    "steps": [
        {"name": "Một", "role": "officer", "within_minutes": 5},
        {"name": "Hai", "role": "officer", "within_minutes": 9},
    ],
}
NEW = """format: 2
id: QT-MOI
title: Mới
steps:
  - id: hoi
    name: Hỏi
    kind: question
    answers: {có: [a], không: [b]}
    within: {critical: 1m, low: 1h}
  - {id: a, name: A, within: 10m}
  - {id: b, name: B, within: 10m}
  - {id: c, name: C, within: 10m}
"""


def states(procedure: Procedure, **marks: Mark) -> list[str]:
    found = stands(procedure, marks, start_ms=0, priority=procedure.priority)
    return [stand.state.value for stand in found]


class TestFormats:
    def test_a_plain_list_is_as_before(self) -> None:
        procedure = Procedure.model_validate(OLD)
        assert not procedure.ordered
        assert procedure.escalation == DEFAULT_CHAIN
        assert [step.id for step in procedure.steps] == ["b1", "b2"]
        found = stands(procedure, {}, start_ms=1_000, priority=Priority.LOW)
        assert [(one.state, one.due_ms) for one in found] == [
            (StepState.READY, 301_000), (StepState.READY, 541_000),
        ]  # fmt: skip
        assert Procedure.model_validate_json(procedure.model_dump_json()) == procedure

    def test_format_2_goes_through_json_unchanged(self, tmp_path: Path) -> None:
        (tmp_path / "a.yaml").write_text(NEW, encoding="utf-8")
        procedure = read_procedure(tmp_path / "a.yaml")
        assert procedure.ordered
        assert Procedure.model_validate_json(procedure.model_dump_json()) == procedure
        assert [step.within_minutes for step in procedure.steps] == [1, 10, 10, 10]

    def test_a_priority_left_out_has_the_time_of_the_next_more_urgent(self, tmp_path: Path) -> None:
        (tmp_path / "a.yaml").write_text(NEW, encoding="utf-8")
        step = read_procedure(tmp_path / "a.yaml").steps[0]
        assert [step.seconds(priority) for priority in Priority] == [3600, 60, 60, 60]

    def test_an_answer_decides_and_order_holds(self, tmp_path: Path) -> None:
        (tmp_path / "a.yaml").write_text(NEW, encoding="utf-8")
        procedure = read_procedure(tmp_path / "a.yaml")
        assert states(procedure) == ["ready", "waiting", "waiting", "waiting"]
        yes = Mark(done_ms=5_000, answer="có")
        assert states(procedure, hoi=yes) == ["done", "ready", "not_needed", "waiting"]
        assert states(procedure, hoi=yes, a=Mark(done_ms=9_000)) == ["done", "done", "not_needed", "ready"]
        assert states(procedure, hoi=yes, a=Mark(skipped_ms=9_000))[3] == "ready"
        assert states(procedure, hoi=Mark(skipped_ms=1)) == ["skipped", "not_needed", "not_needed", "ready"]
        last = stands(procedure, {"hoi": yes, "a": Mark(done_ms=9_000)}, start_ms=0, priority=Priority.LOW)[3]
        assert (last.ready_ms, last.due_ms) == (9_000, 609_000)

    def test_what_waits_has_the_times_of_a_slow_course(self, tmp_path: Path) -> None:
        (tmp_path / "a.yaml").write_text(NEW, encoding="utf-8")
        procedure = read_procedure(tmp_path / "a.yaml")
        dues = [one.due_ms // 60_000 for one in stands(procedure, {}, start_ms=0, priority=Priority.MEDIUM)]
        assert dues == [1, 11, 21, 31]


class TestRefusals:
    @pytest.mark.parametrize(
        ("old", "new", "line", "said"),
        [
            ("within: {critical: 1m, low: 1h}", "within: {critical: 1x}", 9, r"steps\.0\.within"),
            ("within: {critical: 1m, low: 1h}", "within: {soon: 1m}", 9, "no priority soon"),
            ("name: A, within: 10m", "name: A", 10, "within"),
            ("kind: question", "kind: riddle", 7, r"steps\.0\.kind"),
            ("title: Mới", "tittle: Mới", 3, "tittle"),
            ("answers: {có: [a], không: [b]}", "answers: {có: [a]}", 5, "two at least"),
            ("answers: {có: [a], không: [b]}", "answers: {có: [z], không: [b]}", 8, "no step z"),
            ("answers: {có: [a], không: [b]}", "answers: {có: [hoi], không: [b]}", 8, "no step hoi stands"),
            ("{id: c, name: C, within: 10m}", "{id: a, name: C, within: 10m}", 1, "two steps are called a"),
            (
                "{id: c, name: C, within: 10m}",
                "{id: c, name: C, within: 10m, after: [d]}",
                12,
                "no step d stands before",
            ),
            ("{id: c, name: C, within: 10m}", "{id: c, name: C, within: 10m, units: [fire]}", 12, "kind dispatch"),
            ("title: Mới", "title: Mới\nescalation: [{to: team, after: 5m}, {to: user, after: 1m}]", 1, "must rise"),
        ],
    )
    def test_file_line_and_field_are_named(self, tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
        assert old in NEW
        (tmp_path / "sai.yaml").write_text(NEW.replace(old, new), encoding="utf-8")
        with pytest.raises(ConfigurationError, match=rf"^sai\.yaml, line {line}: .*{said}") as error:
            read_procedure(tmp_path / "sai.yaml")
        assert "\n" not in error.value.message

    def test_what_is_no_yaml_says_where(self, tmp_path: Path) -> None:
        (tmp_path / "sai.yaml").write_text("id: QT\ntitle: [\nx: 1", encoding="utf-8")
        with pytest.raises(ConfigurationError, match=r"^sai\.yaml, line 3 is no YAML"):
            read_procedure(tmp_path / "sai.yaml")

    @pytest.mark.parametrize("step", [{"name": "x", "wait": "5m", "within": "1m"}, {"name": "x", "kind": "notify"}])
    def test_a_step_fits_its_kind(self, step: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            Procedure.model_validate(OLD | {"steps": [step]})


class TestShipped:
    def test_ten_for_every_event_type_of_the_six_groups(self) -> None:
        found = read_procedures(SHIPPED)
        assert len(found) == 10
        covered = [kind for one in found for kind in one.event_types]
        assert set(covered) == set(EventType) - {EventType.OBJECT_SEEN}
        assert len(covered) == len(set(covered))
        assert {EVENT_TYPES[kind][0] for kind in covered} == set(EventGroup)

    @pytest.mark.parametrize("procedure", read_procedures(SHIPPED), ids=lambda one: one.id)
    def test_each_can_be_walked_to_its_end_by_every_answer(self, procedure: Procedure) -> None:
        assert procedure.text
        assert procedure.title_en
        assert all(step.name_en for step in procedure.steps)
        questions = {step.id: step.answers for step in procedure.steps if step.kind is StepKind.QUESTION}
        done: set[str] = set()
        for number in range(max(map(len, questions.values()))):
            answers = {name: options[number % len(options)].name for name, options in questions.items()}
            way = rehearse(procedure, Course(procedure.priority, answers, {}, acknowledged_s=20.0))
            assert not [one for one in way if one.what in ("overdue", "asks")]
            done |= {one.step for one in way if one.what == "done"}
        assert done == {step.id for step in procedure.steps}


class TestRehearsal:
    def test_a_wrong_answer_and_a_wrong_step_are_named(self) -> None:
        procedure = read_procedures(SHIPPED)[0]
        with pytest.raises(BadInputError, match="no answer"):
            rehearse(procedure, Course(Priority.HIGH, {"xac-minh": "có lẽ"}, {}, None))
        with pytest.raises(BadInputError, match="no step"):
            rehearse(procedure, Course(Priority.HIGH, {}, {"x": 1.0}, None))

    def test_late_people_and_silence_show(self) -> None:
        procedure = Procedure.model_validate(OLD)
        way = rehearse(procedure, Course(Priority.HIGH, {}, {"b1": 600.0}, None))
        assert [(one.at_s, one.what, one.step) for one in way] == [
            (0.0, "told", ""), (60.0, "told", ""), (180.0, "told", ""), (300.0, "overdue", "b1"), (540.0, "done", "b2"),
            (600.0, "done", "b1"), (600.0, "told", ""),
        ]  # fmt: skip
