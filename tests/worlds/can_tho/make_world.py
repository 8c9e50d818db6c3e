"""Writes world.json: the hand-written parts of by_hand.json and a reproducible background of ordinary events."""

from __future__ import annotations

import hashlib
import json
import random
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SEED = 92
DAYS = 10
BACKGROUND_EVENTS = 270
Json = dict[str, Any]

COLOURS = {
    "red": ("đỏ", "Red"),
    "white": ("trắng", "White"),
    "black": ("đen", "Black"),
    "blue": ("xanh dương", "Blue"),
    "grey": ("xám", "Grey"),
    "yellow": ("vàng", "Yellow"),
}
VEHICLES = {
    "motorcycle": ("Xe máy", "motorcycle"),
    "car": ("Ô tô", "car"),
    "truck": ("Xe tải", "truck"),
    "van": ("Xe van", "van"),
}
VEHICLE_SCENES = {
    "red_light": ("medium", "vượt đèn đỏ", "ran the light"),
    "no_helmet": ("low", "có người lái không đội nón bảo hiểm", "had a rider without a helmet"),
    "illegal_parking": ("low", "đậu sai chỗ", "parked illegally"),
    "lane_encroachment": ("low", "lấn làn", "strayed out of its lane"),
    "stopped_vehicle": ("medium", "dừng giữa đường", "stopped on the carriageway"),
    "wrong_way": ("high", "chạy ngược chiều", "drove against traffic"),
    "collision": ("high", "bị va quẹt", "was in a collision"),
    "illegal_dumping": ("medium", "bỏ rác bậy", "left rubbish"),
    "material_spill": ("medium", "làm rơi vãi vật liệu", "spilled its load"),
    "sidewalk_encroachment": ("low", "chiếm lề đường", "took the pavement"),
}
PEOPLE_SCENES = {
    "pedestrian_on_road": ("low", 1, "Người đi bộ dưới lòng đường", "Pedestrian on the carriageway"),
    "loitering": ("low", 1, "Có người lảng vảng", "Somebody loitering"),
    "gate_crowding": ("medium", 9, "Đông người ở cổng", "Crowded gate"),
    "crowd": ("medium", 8, "Tụ tập đông người", "Crowd"),
}
STREET, MARKET, SCHOOL, INDUSTRY = "street", "market", "school", "industry"
USUAL = {
    STREET: ["red_light", "no_helmet", "lane_encroachment", "stopped_vehicle", "wrong_way", "collision", "congestion"],
    MARKET: ["illegal_parking", "sidewalk_encroachment", "loitering", "crowd", "pedestrian_on_road"],
    SCHOOL: ["gate_crowding", "illegal_parking", "pedestrian_on_road"],
    INDUSTRY: ["illegal_dumping", "material_spill", "loitering", "illegal_parking"],
}


def main() -> int:
    """Writes world.json beside this script, or where the first argument says; 0 when done."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "world.json"
    by_hand: Json = json.loads((HERE / "by_hand.json").read_text(encoding="utf-8"))
    scenes = by_hand.pop("scenes")
    events = {scene["key"]: _event(scene) for scene in scenes}
    quiet = _background(by_hand["cameras"], datetime.fromisoformat(by_hand["now"]))
    area_of = {camera["id"]: camera["area"] for camera in by_hand["cameras"]}
    world = {key: by_hand[key] for key in ("name", "now", "areas", "cameras", "units", "users", "procedures")}
    world["events"] = sorted([*events.values(), *quiet], key=lambda event: str(event["id"]))
    world["incidents"] = [_incident(incident, events, area_of) for incident in by_hand["incidents"]]
    for key in ("feedback", "identity_grant", "identity_requests"):
        world[key] = by_hand[key]
    target.write_text(_lines(world), encoding="utf-8")
    return 0


def uuid7(moment: datetime, salt: str) -> str:
    """A version 7 UUID of a moment (to the millisecond) whose random bits follow from `salt`."""
    millis = int(moment.timestamp() * 1000)
    noise = int.from_bytes(hashlib.sha256(salt.encode()).digest()[:10], "big")
    value = (millis << 80) | (0x7 << 76) | ((noise >> 62 & 0xFFF) << 64) | (0b10 << 62) | (noise & ((1 << 62) - 1))
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _event(scene: Json) -> Json:
    moment = datetime.fromisoformat(scene["time"])
    body = {key: value for key, value in scene.items() if key != "key"}
    return {"id": uuid7(moment, scene["key"]), **body}


def _incident(incident: Json, events: dict[str, Json], area_of: dict[str, str]) -> Json:
    members = [events[key] for key in incident["scenes"]]
    opened = datetime.fromisoformat(members[-1]["time"]) + timedelta(seconds=95)
    after = incident["acknowledged_after"]
    return {
        "id": incident["id"],
        "event_ids": [event["id"] for event in members],
        "procedure": incident["procedure"],
        "priority": incident["priority"],
        "status": incident["status"],
        "area": area_of[members[0]["camera_id"]],
        "opened_at": opened.isoformat(),
        "acknowledged_at": None if after is None else (opened + timedelta(minutes=after)).isoformat(),
        "assigned_to": incident["assigned_to"],
    }


def _background(cameras: list[Json], now: datetime) -> list[Json]:
    """Ordinary events over the ten days before `now`, none in the last half hour."""
    dice = random.Random(SEED)
    watching = [camera for camera in cameras if camera["status"] != "offline"]
    made = []
    for number in range(BACKGROUND_EVENTS):
        camera = dice.choice(watching)
        moment = now - timedelta(seconds=dice.randrange(1800, DAYS * 86400))
        kind = dice.choice(USUAL[_surroundings(camera)])
        made.append({"id": uuid7(moment, f"quiet-{number}"), **_ordinary(dice, kind, camera, moment)})
    return made


def _surroundings(camera: Json) -> str:
    name = str(camera["name"])
    if "Trường" in name or "Y tế" in name or "Bệnh viện" in name:
        return SCHOOL
    if "Chợ" in name or "Bến" in name or "hồ" in name or "Nhà cổ" in name:
        return MARKET
    return INDUSTRY if any(word in name for word in ("kho", "công nghiệp", "bãi đất")) else STREET


def _ordinary(dice: random.Random, kind: str, camera: Json, moment: datetime) -> Json:
    place = camera["name"]
    if kind == "congestion":
        severity, objects = "medium", [_thing("car"), _thing("car"), _thing("motorcycle"), _thing("motorcycle")]
        vi, en = f"Kẹt xe, {place}", f"Traffic jam, {place}"
    elif kind in PEOPLE_SCENES:
        severity, count, vi, en = PEOPLE_SCENES[kind]
        objects, vi, en = [_thing("person")] * count, f"{vi}, {place}", f"{en}, {place}"
    else:
        severity, vi, en = VEHICLE_SCENES[kind]
        label, colour = _vehicle(dice, kind), dice.choice(list(COLOURS))
        objects = [_thing(label, colour, _plate(dice, label))]
        vi = f"{VEHICLES[label][0]} {COLOURS[colour][0]} {vi}, {place}"
        en = f"{COLOURS[colour][1]} {VEHICLES[label][1]} {en}, {place}"
    return {
        "type": kind,
        "camera_id": camera["id"],
        "time": moment.isoformat(),
        "severity": severity,
        "objects": objects,
        "caption_vi": vi,
        "caption_en": en,
    }


def _vehicle(dice: random.Random, kind: str) -> str:
    if kind in ("no_helmet", "sidewalk_encroachment"):
        return "motorcycle"
    heavy = kind in ("illegal_dumping", "material_spill")
    return dice.choice(["truck", "van"] if heavy else list(VEHICLES))


def _plate(dice: random.Random, label: str) -> str | None:
    if dice.random() < 0.3:
        return None
    tail = f"{dice.randrange(1000):03d}.{dice.randrange(100):02d}"
    if label == "motorcycle":
        return f"65-{dice.choice('BCFH')}{dice.randrange(1, 3)} {tail}"
    return f"65{({'car': 'A', 'truck': 'C', 'van': 'D'})[label]}-{tail}"


def _thing(label: str, colour: str | None = None, plate: str | None = None) -> Json:
    return {"class": label, "color": colour, "plate": plate}


def _lines(world: Json) -> str:
    """The world as JSON with one record a line, so that a change reads as one."""
    parts = []
    for key, value in world.items():
        if isinstance(value, list):
            rows = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in value)
            parts.append(f" {json.dumps(key)}: [\n{rows}\n ]")
        else:
            parts.append(f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    sys.exit(main())
