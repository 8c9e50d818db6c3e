"""Writes crops and whole pictures with captions in Vietnamese and English: JPEGs and captions.jsonl per split."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np

from matpho_contracts.vocabulary import ObjectClass
from matpho_simcity.captions import Setting, Thing, describe_object, describe_scene
from matpho_simcity.detection_set import Job
from matpho_simcity.drawing.geometry import Picture
from matpho_simcity.drawing.renderer import Sighting
from matpho_simcity.shots import Shot, shots
from matpho_simcity.world.scene import Scene, ZoneKind

OBJECT_SIDE = 160
SCENE_SIDE = 256
"""Longest side in pixels of crops and of whole pictures; smaller ones stay as they are."""
CROPS_PER_SHOT = 4
_LEAST_SIDE, _LEAST_VISIBLE = 13, 0.5
_RARITY = {
    ObjectClass.PERSON: 0.8,
    ObjectClass.MOTORCYCLE: 0.8,
    ObjectClass.CAR: 1.0,
    ObjectClass.BICYCLE: 1.5,
    ObjectClass.BUS: 1.6,
}
_GROUND = {ZoneKind.CARRIAGEWAY: "road", ZoneKind.PAVEMENT: "pavement", ZoneKind.RESTRICTED: "restricted"}


def ground_under(scene: Scene, x: float, y: float) -> str:
    """ "road", "pavement", "restricted" or "" for what the operator's zones say of (x, y) metres."""
    for zone in scene.zones:
        name = _GROUND.get(zone.kind)
        if name and cv2.pointPolygonTest(zone.ring.astype(np.float32), (x, y), False) >= 0:
            return name
    return ""


def thing_of(sighting: Sighting, scene: Scene) -> Thing:
    """What a caption may tell of a sighting."""
    placed, look = sighting.placed, sighting.placed.look
    ground = ground_under(scene, placed.x, placed.y)
    return Thing(look.object_class, look.colour, ground, placed.speed < 0.1, look.riders, look.helmets, look.child)


def crop(image: Picture, box: tuple[int, int, int, int], margin: float) -> Picture:
    """The picture inside `box` widened by `margin` of its size on each side, clipped."""
    x0, y0, x1, y1 = box
    dx, dy = (x1 - x0) * margin, (y1 - y0) * margin
    height, width = image.shape[:2]
    return image[
        max(0, int(y0 - dy)) : min(height, int(y1 + dy) + 1), max(0, int(x0 - dx)) : min(width, int(x1 + dx) + 1)
    ]


def _limited(image: Picture, side: int) -> Picture:
    longest = max(image.shape[:2])
    if longest <= side:
        return image
    size = (max(1, round(image.shape[1] * side / longest)), max(1, round(image.shape[0] * side / longest)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _chosen(shot: Shot, rng: Random) -> list[Sighting]:
    """Up to CROPS_PER_SHOT clear sightings, rare classes first."""
    clear = [
        s for s in shot.sightings
        if not s.ignore and s.visible >= _LEAST_VISIBLE and min(s.box[2] - s.box[0], s.box[3] - s.box[1]) >= _LEAST_SIDE
    ]  # fmt: skip
    keyed = sorted(clear, key=lambda s: -(rng.random() ** (1 / _RARITY.get(s.placed.look.object_class, 4.0))))
    return keyed[:CROPS_PER_SHOT]


def _row(kind: str, file: str, setting: Setting, vi: list[str], en: list[str], extra: dict[str, Any]) -> dict[str, Any]:
    where = {"place": setting.place.value, "light": setting.light.value, "weather": setting.weather.value}
    return {"file": file, "kind": kind, **extra, **where, "vi": vi, "en": en}


def _object_row(thing: Thing, setting: Setting, file: str, rng: Random) -> dict[str, Any]:
    vi, en = describe_object(thing, setting, rng)
    extra = {
        "class": thing.object_class.value, "colour": thing.colour.value, "ground": thing.ground,
        "action": "standing" if thing.standing else "moving", "riders": thing.riders, "child": thing.child, "count": 1,
    }  # fmt: skip
    return _row("object", file, setting, vi, en, extra)


def _scene_row(things: list[Thing], setting: Setting, file: str, rng: Random) -> dict[str, Any]:
    vi, en = describe_scene(things, setting, rng)
    objects = [{"class": thing.object_class.value, "colour": thing.colour.value} for thing in things]
    main = objects[0] if objects else {"class": "", "colour": ""}
    return _row("scene", file, setting, vi, en, {**main, "objects": objects, "count": len(objects)})


def prepare(out: Path) -> None:
    """Make the folders."""
    for split in ("train", "val"):
        (out / "images" / split).mkdir(parents=True, exist_ok=True)
        (out / "rows" / split).mkdir(parents=True, exist_ok=True)


def write_camera(job: Job) -> int:
    """Write pictures of one camera until `job.count` are there; gives how many."""
    rng = Random(f"captions:{job.split}:{job.seed}:{job.camera}")
    rows: list[dict[str, Any]] = []
    for number, shot in enumerate(shots(job.split, "captions:" + job.seed, job.camera, job.size)):
        setting = Setting(shot.scene.place, shot.light, shot.weather)
        pictures: list[tuple[dict[str, Any], Picture]] = []
        for index, sighting in enumerate(_chosen(shot, rng)):
            file = f"images/{job.split}/{job.camera:06d}_{number}_{index}.jpg"
            part = _limited(crop(shot.image, sighting.box, rng.uniform(0.1, 0.25)), OBJECT_SIDE)
            pictures.append((_object_row(thing_of(sighting, shot.scene), setting, file, rng), part))
        seen = sorted(
            (s for s in shot.sightings if not s.ignore), key=lambda s: -(s.box[2] - s.box[0]) * (s.box[3] - s.box[1])
        )
        file = f"images/{job.split}/{job.camera:06d}_{number}_s.jpg"
        row = _scene_row([thing_of(s, shot.scene) for s in seen], setting, file, rng)
        pictures.append((row, _limited(shot.image, SCENE_SIDE)))
        for row, picture in pictures[: max(0, job.count - len(rows))]:
            cv2.imwrite(str(job.out / row["file"]), picture, [cv2.IMWRITE_JPEG_QUALITY, rng.randint(60, 95)])
            rows.append(row)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (job.out / "rows" / job.split / f"{job.camera:06d}.jsonl").write_text(text, encoding="utf-8")
    return len(rows)


def gather(out: Path) -> int:
    """Join the rows of all cameras into OUT/captions.jsonl (with a `split` each); gives how many."""
    total = 0
    with (out / "captions.jsonl").open("w", encoding="utf-8") as file:
        for split in ("train", "val"):
            for part in sorted((out / "rows" / split).glob("*.jsonl")):
                for line in part.read_text(encoding="utf-8").splitlines():
                    row = json.loads(line)
                    file.write(json.dumps({"file": row.pop("file"), "split": split, **row}, ensure_ascii=False) + "\n")
                    total += 1
                part.unlink()
            (out / "rows" / split).rmdir()
    (out / "rows").rmdir()
    return total
