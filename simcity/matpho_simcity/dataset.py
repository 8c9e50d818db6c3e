"""Training pictures from the simulated city: `python -m matpho_simcity.dataset detection|captions OUT --images N`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import cv2

from matpho_contracts.errors import BadInputError
from matpho_simcity import caption_set, detection_set
from matpho_simcity.detection_set import Job, camera_jobs

MOST_PIXELS = 4096
CAPTIONED_PER_CAMERA = 36
"""About what eight pictures of a camera yield: up to four crops and the whole picture each."""


def make_detection(
    out: Path, images: int, seed: str = "1", size: tuple[int, int] = (640, 360), workers: int = 1
) -> int:
    """Write `images` labelled pictures in ultralytics' YOLO layout under `out`; gives how many."""
    detection_set.prepare(out)
    return _work(detection_set.write_camera, camera_jobs(out, seed, size, images), workers)


def make_captions(out: Path, images: int, seed: str = "1", size: tuple[int, int] = (640, 360), workers: int = 1) -> int:
    """Write about `images` captioned crops and pictures and captions.jsonl under `out`; gives how many."""
    caption_set.prepare(out)
    _work(caption_set.write_camera, camera_jobs(out, seed, size, images, CAPTIONED_PER_CAMERA), workers)
    return caption_set.gather(out)


def _single_thread() -> None:
    cv2.setNumThreads(1)


def _work(write: Callable[[Job], int], jobs: list[Job], workers: int) -> int:
    done, total = 0, sum(job.count for job in jobs)
    if workers <= 1:
        for job in jobs:
            done += write(job)
            _progress(done, total)
        return done
    with get_context("spawn").Pool(workers, initializer=_single_thread) as pool:
        for count in pool.imap_unordered(write, jobs, chunksize=2):
            done += count
            _progress(done, total)
    return done


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done}/{total} pictures" + ("\n" if done >= total else ""))
        sys.stderr.flush()


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (
        width.isdigit() and height.isdigit() and 32 <= int(width) <= MOST_PIXELS and 32 <= int(height) <= MOST_PIXELS
    ):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no picture size; write e.g. 640x360 (32 to {MOST_PIXELS} a side)"
        )
    return int(width), int(height)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 up")
    return int(text)


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 when the set was written, 2 when it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m matpho_simcity.dataset", description=__doc__)
    parser.add_argument("kind", choices=("detection", "captions"))
    parser.add_argument("out", type=Path)
    parser.add_argument("--images", type=_positive, default=1000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--size", type=_size, default=(640, 360))
    parser.add_argument("--workers", type=_positive, default=1)
    options = parser.parse_args(arguments)
    make = make_detection if options.kind == "detection" else make_captions
    try:
        if options.out.exists() and any(options.out.iterdir()):
            raise BadInputError(f"{options.out} is not empty.", action="Give an empty or new folder.")
        written = make(options.out, options.images, options.seed, options.size, options.workers)
    except (BadInputError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{written} pictures in {options.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
