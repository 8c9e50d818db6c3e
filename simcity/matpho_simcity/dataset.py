"""Training pictures from the simulated city: `python -m matpho_simcity.dataset detection|captions OUT --images N`."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random

import cv2

from matpho_contracts.vocabulary import ObjectClass
from matpho_simcity.drawing.atmosphere import Light, Weather, atmosphere
from matpho_simcity.drawing.background import Painter, light_up
from matpho_simcity.drawing.geometry import Mount, Picture
from matpho_simcity.drawing.renderer import Renderer, Sensor, Sighting
from matpho_simcity.placing import PLACES, Scatter
from matpho_simcity.world.layouts import build_scene
from matpho_simcity.world.scene import Place, Scene

VALIDATION_SHARE = 0.1
PICTURES_PER_CAMERA = 8
PICTURES_PER_LIGHT = 4
CLASS_NUMBERS = {object_class: number for number, object_class in enumerate(ObjectClass)}


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture and what is in it; `image` (H, W, 3) BGR."""

    image: Picture
    sightings: list[Sighting]
    place: Place
    light: Light
    weather: Weather


def _mount(scene: Scene, split: str, rng: Random) -> Mount:
    """A camera somewhere near where one would hang. Training and validation draw heights and views from different bands."""
    heights, views = ((4.2, 6.2), (7.0, 9.5)), ((36.0, 52.0), (58.0, 76.0))
    if split != "train":
        heights, views = ((6.2, 7.0), (3.6, 4.2)), ((52.0, 58.0), (32.0, 36.0))
    height, view = rng.uniform(*rng.choice(heights)), rng.uniform(*rng.choice(views))
    x, y = scene.eye[0] + rng.uniform(-2.2, 0.8), scene.eye[1] + rng.uniform(-4, 6)
    if scene.place is Place.ALLEY:
        x = scene.eye[0] * rng.uniform(-1, 1)
    elif rng.random() < 0.35:
        x = -scene.eye[0] + rng.uniform(-0.6, 3.0)
    gaze_x, gaze_y = scene.gaze[0] + rng.uniform(-3, 4), max(y + 7, scene.gaze[1] + rng.uniform(-9, 10))
    heading = math.degrees(math.atan2(gaze_x - x, gaze_y - y))
    tilt = math.degrees(math.atan2(height, math.hypot(gaze_x - x, gaze_y - y))) + rng.uniform(-3, 3)
    return Mount(x, y, height, heading, tilt, view)


def shots(
    split: str, seed: str, camera_number: int, size: tuple[int, int], count: int = PICTURES_PER_CAMERA
) -> Iterator[Shot]:
    """`count` independent pictures of one random camera of `split` ("train" or "val"); the same arguments give the same pictures.

    Splits share no scene: the layouts, house fronts, heights and fields of view come from seeds and ranges of their own.
    """
    rng = Random(f"{split}:{seed}:{camera_number}")  # noqa: S311
    place = PLACES[(camera_number + rng.randint(0, 2)) % len(PLACES)]
    scene = build_scene(place, f"{split}:{seed}:{camera_number}")
    camera = _mount(scene, split, rng).camera(size)
    painted = Painter(camera).paint(scene)
    for start in range(0, count, PICTURES_PER_LIGHT):
        light = rng.choices(list(Light), (5, 2, 3))[0]
        weather = rng.choices(list(Weather), (6, 3, 1.5))[0]
        air = atmosphere(light, weather, rng)
        renderer = Renderer(camera, air, painted, light_up(painted, camera, scene, air), scene.lamps)
        sensor = Sensor(size, air, rng.randint(0, 1 << 30))
        for tick in range(start, min(start + PICTURES_PER_LIGHT, count)):
            movers = Scatter(scene, camera, weather, rng, f"{camera_number}-{tick}-").everything()
            image, sightings = renderer.render(movers, rng.uniform(0, 60))
            yield Shot(sensor.expose(image, tick), sightings, place, light, weather)


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


@dataclass(frozen=True, slots=True)
class _Job:
    out: Path
    split: str
    seed: str
    camera: int
    size: tuple[int, int]
    count: int


def _detection_job(job: _Job) -> int:
    cv2.setNumThreads(1)
    rng = Random(f"jpeg:{job.split}:{job.seed}:{job.camera}")  # noqa: S311
    for number, shot in enumerate(shots(job.split, job.seed, job.camera, job.size, job.count)):
        stem = f"{job.camera:06d}_{number}"
        quality = rng.randint(55, 95)
        cv2.imwrite(
            str(job.out / "images" / job.split / f"{stem}.jpg"), shot.image, [cv2.IMWRITE_JPEG_QUALITY, quality]
        )
        lines = yolo_lines(shot.sightings, job.size)
        (job.out / "labels" / job.split / f"{stem}.txt").write_text("\n".join(lines) + ("\n" if lines else ""))
    return job.count


def _jobs(out: Path, split: str, seed: str, size: tuple[int, int], images: int) -> list[_Job]:
    jobs = []
    for camera, start in enumerate(range(0, images, PICTURES_PER_CAMERA)):
        jobs.append(_Job(out, split, seed, camera, size, min(PICTURES_PER_CAMERA, images - start)))
    return jobs


def make_detection(out: Path, images: int, seed: str, size: tuple[int, int], workers: int) -> dict[str, int]:
    """Write a detection set in ultralytics' YOLO layout under `out`; gives the number of pictures per split."""
    held_out = max(1, round(images * VALIDATION_SHARE))
    counts = {"train": max(1, images - held_out), "val": held_out}
    jobs: list[_Job] = []
    for split, number in counts.items():
        (out / "images" / split).mkdir(parents=True, exist_ok=True)
        (out / "labels" / split).mkdir(parents=True, exist_ok=True)
        jobs += _jobs(out, split, seed, size, number)
    names = "\n".join(f"  {number}: {object_class.value}" for object_class, number in CLASS_NUMBERS.items())
    (out / "data.yaml").write_text(f"path: {out.resolve()}\ntrain: images/train\nval: images/val\nnames:\n{names}\n")
    _work(_detection_job, jobs, workers)
    return counts


def _work(function, jobs, workers: int) -> None:  # type: ignore[no-untyped-def]
    done, total = 0, sum(job.count for job in jobs)
    if workers <= 1:
        for job in jobs:
            done += function(job)
            _progress(done, total)
        return
    with get_context("spawn").Pool(workers) as pool:
        for count in pool.imap_unordered(function, jobs, chunksize=4):
            done += count
            _progress(done, total)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty() or done == total or done % 2000 < PICTURES_PER_CAMERA:
        sys.stderr.write(f"\r{done}/{total} pictures" + ("\n" if done == total else ""))
        sys.stderr.flush()


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 when the set was written."""
    parser = argparse.ArgumentParser(prog="python -m matpho_simcity.dataset", description=__doc__)
    parser.add_argument("kind", choices=("detection", "captions"))
    parser.add_argument("out", type=Path)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args(arguments)
    width, height = (int(part) for part in options.size.split("x"))
    counts = make_detection(options.out, options.images, options.seed, (width, height), options.workers)
    print(counts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
