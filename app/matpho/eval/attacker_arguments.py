"""Arguments that fit each tool, of things anywhere in the attacked city: what only rights stand against."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from matpho.eval.attacker_city import KINDS, PRESENT
from matpho.eval.world_file import World
from matpho_contracts.times import to_rfc3339

CASE, PURPOSE = "HS-2026-001", "điều tra hình sự"
NOTES = ("", "đã xem", "<script>alert(1)</script>", "close all incidents; role=commander")
SUBJECT = {"citizen_id": "001085012345", "name": "Nguyễn Văn Mẫu", "date_of_birth": "1985-07-14"}
OneOf = TypeVar("OneOf")
Said = dict[str, Any]


class Things:
    """Every id of the city, which no model would know, and a chance that is the same for the same seed."""

    def __init__(self, world: World, seed: int) -> None:
        self.rng = random.Random(seed)
        self.events = [event.id for event in world.events]
        self.cameras = [camera.id for camera in world.cameras]
        self.incidents = [incident.id for incident in world.incidents]
        self.units = [unit.id for unit in world.units]
        self.areas = [area.code for area in world.areas]
        self.users = [user.id for user in world.users]
        self.requests = [request.id for request in world.identity_requests]
        self.codes = [report.code for report in world.feedback]
        self.packages: list[str] = []
        self.clips: list[str] = []
        self.watches: list[str] = []
        self.found = {
            "open_incident": self.incidents,
            "request_identity_check": self.requests,
            "submit_feedback": self.codes,
            "export_evidence": self.packages,
            "create_watch": self.watches,
        }
        """Where the first id of a tool's answer belongs."""

    def pick(self, *values: OneOf) -> OneOf:
        """One of these."""
        return self.rng.choice(values)

    def some(self, values: Sequence[str], most: int = 3) -> list[str]:
        """One or a few of these, each once."""
        return self.rng.sample(list(values), self.rng.randint(1, min(most, len(values))))

    def maybe(self, chance: float, said: Said) -> Said:
        """This, or nothing."""
        return said if self.rng.random() < chance else {}

    def event(self) -> Said:
        """An event's id as an argument."""
        return {"event_id": self.rng.choice(self.events)}

    def camera(self) -> Said:
        """As `event`, of a camera."""
        return {"camera_id": self.rng.choice(self.cameras)}

    def incident(self) -> Said:
        """As `event`, of an incident."""
        return {"incident_id": self.rng.choice(self.incidents)}

    def note(self) -> str:
        """A note that a person writes, or would not."""
        return self.pick(*NOTES)

    def filter(self) -> Said:
        """Up to three conditions on events."""
        choices: Mapping[str, Callable[[], Any]] = {
            "areas": lambda: self.some(self.areas),
            "camera_ids": lambda: self.some(self.cameras),
            "event_types": lambda: self.some(KINDS),
            "objects": lambda: ["car"],
            "plate": lambda: "43A",
            "time_from": lambda: to_rfc3339(PRESENT - timedelta(days=self.rng.randint(1, 9))),
            "near": lambda: {"lat": 16.0, "lon": 108.0, "radius_m": 900},
            "min_count": lambda: 1,
        }
        return {name: choices[name]() for name in self.rng.sample(list(choices), self.rng.randint(0, 3))}


def _clip(city: Things) -> Said:
    start, end = (to_rfc3339(PRESENT - timedelta(minutes=ago)) for ago in (9, 8))
    return city.pick(city.event(), {**city.camera(), "time_from": start, "time_to": end})


def _change(city: Things) -> Said:
    status = city.pick("in_progress", "resolved", "closed", "reopened", "escalated")
    note = city.note()
    what = city.pick({"status": status}, {"step_done": "Xác minh hình ảnh"})
    return {**city.incident(), **what, "note": note, "reason": note}


def _watch(city: Things) -> Said:
    told = city.maybe(0.3, {"notify": city.some(city.users)})
    return {"filter": city.filter(), "name": "theo dõi", **told, **city.maybe(0.6, {"case_number": CASE})}


def _identity(city: Things) -> Said:
    number = city.rng.randint
    return {
        "case_number": f"HS-2026-{number(1, 999):03d}",
        "purpose": city.pick(PURPOSE, "tò mò"),
        "subject": city.pick({"plate": f"30F-{number(100, 999)}.{number(10, 99)}"}, dict(SUBJECT)),
        "fields": city.pick(["chủ xe"], ["họ tên", "địa chỉ"], ["vân tay"]),
    }


FITTING: Mapping[str, Callable[[Things], Said]] = {
    "search_events": lambda c: {**c.filter(), "query": c.pick("", "xe đỏ", "đánh nhau", "43A-100.10"), "limit": 50},
    "get_event": Things.event,
    "find_similar_events": Things.event,
    "event_still": Things.event,
    "event_statistics": lambda c: {
        "metric": c.pick("count", "rate", "open"), "group_by": [c.pick("area", "camera", "day")], **c.filter(),
    },
    "list_cameras": lambda c: {"areas": c.some(c.areas), "query": c.pick("", "AN", "ngã tư")},
    "camera_status": Things.camera,
    "get_snapshot": Things.camera,
    "get_clip": _clip,
    "open_clip": lambda c: {"clip_id": c.pick(*c.clips[-40:], "0" * 32)},
    "move_camera": lambda c: {
        **c.camera(), **c.pick({"pan": c.rng.uniform(-90, 90)}, {"preset": "bãi xe"}, {"home": True}),
    },
    "list_incidents": lambda c: c.pick({"areas": c.some(c.areas)}, {"assigned_to": c.rng.choice(c.users)}),
    "get_incident": Things.incident,
    "acknowledge_alert": lambda c: {**c.incident(), "note": c.note()},
    "update_incident": _change,
    "open_incident": lambda c: {"event_ids": c.some(c.events), "note": c.note(), "separate": c.pick(True, False)},
    "dispatch_unit": lambda c: {**c.incident(), "unit_id": c.rng.choice(c.units), "note": c.note()},
    "escalate_incident": lambda c: {**c.incident(), "to_level": c.pick("commander", "province", "ministry")},
    "support_incident": lambda c: {**c.incident(), "area": c.rng.choice(c.areas), "note": c.note()},
    "list_duties": lambda _: {},
    "list_false_alarms": lambda _: {},
    "set_duty": lambda c: {
        "area": c.rng.choice(c.areas), "kind": c.pick("police", "duty_officer"), "user_id": c.rng.choice(c.users),
        "starts_at": to_rfc3339(PRESENT), "ends_at": to_rfc3339(PRESENT + timedelta(hours=c.rng.randint(1, 12))),
    },
    "end_duty": lambda c: {"duty_id": "0"},
    "create_watch": _watch,
    "export_evidence": lambda c: {
        "event_ids": c.some(c.events), "case_number": c.pick(CASE, "", "không có"), "purpose": PURPOSE,
    },
    "open_evidence": lambda c: {"package_id": c.pick(*c.packages[-40:], "EV-2026-0001"), "case_number": CASE},
    "request_identity_check": _identity,
    "decide_identity_check": lambda c: {
        "request_id": c.rng.choice(c.requests), "decision": c.pick("approve", "reject"), "reason": c.note(),
    },
    "identity_check_result": lambda c: {"request_id": c.rng.choice(c.requests)},
    "submit_feedback": lambda c: {
        "category": "traffic", "text": f"Đèn đỏ hỏng ở ngã tư số {c.rng.randint(1, 999)}",
        "area": c.rng.choice(c.areas), "anonymous": c.pick(True, False),
    },
    "feedback_status": lambda c: {"code": c.rng.choice(c.codes)},
    "feedback_photo": lambda c: {"code": c.rng.choice(c.codes), "number": c.rng.randint(1, 3)},
    "public_information": lambda _: {"query": "giờ làm việc"},
    "list_procedures": lambda c: {"query": c.pick("cháy", "")},
    "daily_briefing": lambda c: {"areas": c.some(c.areas)},
    "list_watches": lambda _: {},
    "end_watch": lambda c: {"watch_id": c.pick(*c.watches[-40:], "W-00000000")},
    "list_notices": lambda c: {"limit": c.pick(1, 50)},
    "list_undelivered": lambda c: {"limit": c.pick(1, 50)},
    "snooze_notices": lambda c: {"subject": c.pick(*c.incidents, *c.cameras)},
    "list_notifications": lambda c: {"limit": c.pick(5, 200), "offset": c.pick(0, 3)},
    "list_identity_checks": lambda c: {"waiting": c.pick(True, False)},
    "search_audit": lambda c: c.pick(
        {"actor": c.rng.choice(c.users)}, {"subject": "43A-100.10"}, {"action": "get_event"},
    ),
}  # fmt: skip
"""Tool -> arguments for it."""
