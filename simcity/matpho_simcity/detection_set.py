"""Writes shots as an ultralytics YOLO set: a JPEG and a label file each, and data.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random

import cv2

from matpho_contracts.vocabulary import ObjectClass
from matpho_simcity.drawing.renderer import Sighting
from matpho_simcity.shots import PICTURES_PER_CAMERA, shots

VALIDATION_SHARE = 0.1
CLASS_NUMBERS = {object_class: number for number, object_class in enumerate(ObjectClass)}


@dataclass(frozen=True, slots=True)
class Job:
    """The pictures of one camera."""

    out: Path
    split: str
    seed: str
    camera: int
    size: tuple[int, int]
    count: int


def split_counts(images: int) -> dict[str, int]:
    """How many of `images` pictures go to each split; validation gets a tenth, each split at least one."""
    held_out = max(1, round(images * VALIDATION_SHARE))
    return {"train": max(1, images - held_out), "val": held_out}


def camera_jobs(
    out: Path, seed: str, size: tuple[int, int], images: int, per_camera: int = PICTURES_PER_CAMERA
) -> list[Job]:
    """One job per camera, both splits, together `images` pictures."""
    jobs: list[Job] = []
    for split, number in split_counts(images).items():
        starts = range(0, number, per_camera)
        jobs += [
            Job(out, split, seed, camera, size, min(per_camera, number - start)) for camera, start in enumerate(starts)
        ]
    return jobs


def yolo_lines(sightings: list[Sighting], size: tuple[int, int]) -> list[str]:
    """One `class x y w h` line (centre and size as shares of the picture) per object that is not ignored."""
    width, height = size
    lines = []
    for sighting in sightings:
        if sighting.ignore:
            continue
        x0, y0, x1, y1 = sighting.box
        number = CLASS_NUMBERS[sighting.placed.look.object_class]
        middle_x, middle_y = (x0 + x1) / 2 / width, (y0 + y1) / 2 / height
        lines.append(f"{number} {middle_x:.6f} {middle_y:.6f} {(x1 - x0) / width:.6f} {(y1 - y0) / height:.6f}")
    return lines


def prepare(out: Path) -> None:
    """Make the folders and data.yaml."""
    for split in ("train", "val"):
        (out / "images" / split).mkdir(parents=True, exist_ok=True)
        (out / "labels" / split).mkdir(parents=True, exist_ok=True)
    names = "\n".join(f"  {number}: {object_class.value}" for object_class, number in CLASS_NUMBERS.items())
    (out / "data.yaml").write_text(f"path: {out.resolve()}\ntrain: images/train\nval: images/val\nnames:\n{names}\n")


def write_camera(job: Job) -> int:
    """Write the pictures of one camera; gives how many."""
    rng = Random(f"jpeg:{job.split}:{job.seed}:{job.camera}")
    for number, shot in enumerate(shots(job.split, job.seed, job.camera, job.size, job.count)):
        stem = f"{job.camera:06d}_{number}"
        quality = rng.randint(55, 95)
        cv2.imwrite(
            str(job.out / "images" / job.split / f"{stem}.jpg"), shot.image, [cv2.IMWRITE_JPEG_QUALITY, quality]
        )
        lines = yolo_lines(shot.sightings, job.size)
        (job.out / "labels" / job.split / f"{stem}.txt").write_text("\n".join(lines) + ("\n" if lines else ""))
    return job.count
