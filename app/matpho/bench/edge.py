"""Streams per core: our reader against an ffmpeg pipe, the same clip, the same five pictures a second, turn by turn."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from matpho.tables import machine
from matpho_edge.streams import open_source
from matpho_edge.streams.decoding import DecoderOptions
from matpho_edge.streams.live import LiveOptions

FPS = 25
ANALYSED_FPS = 5.0
GATE_SIZE = (640, 360)
"""What both sides hand on: the peer scales in ffmpeg, we take the brightness plane and scale that."""

KEY_FRAME_EVERY = 50
SIZES = {"720p 2 Mb/s": ((1280, 720), 2_000_000), "1080p 4 Mb/s": ((1920, 1080), 4_000_000)}
FOOTAGE = "MATPHO_BENCH_CLIP"
"""Environment variable naming a video to re-encode; without it a noisy scene is drawn."""

PEER_TIMEOUT_S = 300


@dataclass(frozen=True, slots=True)
class _Contender:
    name: str
    seconds: Callable[[Path], float]
    """CPU seconds, user and system, all threads, to read a whole clip."""


def run(*, quick: bool = False, footage: Path | None = None) -> dict[str, Any]:
    """Measure all contenders, interleaved, and return `machine`, `rows` and what to know about them.

    Each row: `streams_per_core` = stream seconds of 25 fps video read for one CPU second (median of the repeats),
    `spread_percent` over the repeats, `against_ffmpeg` = ratio to the plain pipe on the same clip.
    """
    repeats, seconds = (2, 6) if quick else (5, 16)
    source = footage or (Path(os.environ[FOOTAGE]) if os.environ.get(FOOTAGE) else None)
    contenders = [
        _Contender("matpho reader", lambda clip: _reader(clip, skip_loop_filter=True)),
        _Contender("matpho reader, whole decoding", lambda clip: _reader(clip, skip_loop_filter=False)),
    ]
    report: dict[str, Any] = {"machine": machine(), "rows": []}
    if shutil.which("ffmpeg"):
        contenders += [
            _Contender(PEER, lambda clip: _pipe(clip)),
            _Contender("ffmpeg pipe (1 thread), no loop filter", lambda clip: _pipe(clip, "-skip_loop_filter", "all")),
        ]
    else:
        report["ffmpeg"] = "not installed, so no peer was measured; install it (apt-get install ffmpeg) and run again"
    with tempfile.TemporaryDirectory(prefix="matpho-bench-") as folder:
        for name, (size, bit_rate) in SIZES.items():
            clip = write_clip(Path(folder) / f"{size[1]}.mp4", size, bit_rate, seconds, source)
            report["rows"] += _measure(name, clip, seconds, contenders, repeats)
    report["footage"] = source.name if source else "a drawn scene with sensor noise"
    report["analysed_fps"] = ANALYSED_FPS
    return report


PEER = "ffmpeg pipe (1 thread)"


def _measure(
    name: str, clip: Path, seconds: int, contenders: list[_Contender], repeats: int
) -> list[dict[str, str | float]]:
    spent: dict[str, list[float]] = {one.name: [] for one in contenders}
    for _ in range(repeats):
        for one in contenders:
            spent[one.name].append(one.seconds(clip))
    rows: list[dict[str, str | float]] = []
    peer = statistics.median(spent[PEER]) if PEER in spent else None
    for one in contenders:
        middle = statistics.median(spent[one.name])
        row: dict[str, str | float] = {
            "clip": name,
            "engine": one.name,
            "n": repeats,
            "streams_per_core": round(seconds / middle, 2),
            "spread_percent": round(100 * (max(spent[one.name]) - min(spent[one.name])) / middle, 1),
        }
        if peer is not None:
            row["against_ffmpeg"] = round(peer / middle, 3)
        rows.append(row)
    return rows


def _reader(clip: Path, *, skip_loop_filter: bool) -> float:
    """Our way from file to gate input, with its thread, its queue and the event loop that takes the pictures."""
    options = LiveOptions(decoder=DecoderOptions(skip_loop_filter=skip_loop_filter))

    async def read() -> None:
        source = open_source(str(clip), camera_id="bench", fps=ANALYSED_FPS, options=options)
        async for frame in source.frames():
            cv2.resize(frame.luma(), GATE_SIZE, interpolation=cv2.INTER_AREA)
        await source.close()

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    began = time.process_time()
    try:
        asyncio.run(read())
        return time.process_time() - began
    finally:
        cv2.setNumThreads(threads)


def _pipe(clip: Path, *decoder: str) -> float:
    """The usual way: an ffmpeg child that scales and writes raw pictures; only the child's own time is counted."""
    width, height = GATE_SIZE
    command = [
        "ffmpeg", "-v", "error", "-nostdin", "-threads", "1", *decoder, "-i", str(clip), "-an",
        "-vf", f"fps={ANALYSED_FPS:g},scale={width}:{height}", "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1",
    ]  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=PEER_TIMEOUT_S, check=True)  # noqa: S603 -- fixed
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if len(done.stdout) < width * height:
        raise RuntimeError("ffmpeg wrote no picture")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def write_clip(path: Path, size: tuple[int, int], bit_rate: int, seconds: int, footage: Path | None) -> Path:
    """An H.264 clip as a camera would send it: 25 fps, constant rate, a key frame every two seconds, no B pictures."""
    pictures = _footage(footage, size) if footage else _drawn(size)
    options = {
        "preset": "veryfast",
        "x264-params": f"nal-hrd=cbr:vbv-maxrate={bit_rate // 1000}:vbv-bufsize={bit_rate // 1000}:"
        f"keyint={KEY_FRAME_EVERY}:scenecut=0:bframes=0",
    }
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = *size, "yuv420p", bit_rate
        for number in range(seconds * FPS):
            frame = next(pictures)
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _footage(path: Path, size: tuple[int, int]) -> Iterator[av.VideoFrame]:
    """A video's pictures in the wanted size, over and over."""
    while True:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                yield frame.reformat(*size, "yuv420p")


def _drawn(size: tuple[int, int]) -> Iterator[av.VideoFrame]:
    """A still street of random texture, blocks that move, and noise in every picture, as a sensor has it."""
    width, height = size
    random = np.random.default_rng(7)
    coarse = random.integers(40, 200, (height // 8, width // 8), np.uint8)
    ground = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    noise: list[NDArray[np.int16]] = [random.normal(0, 4, (height, width)).astype(np.int16) for _ in range(7)]
    side, number = height // 6, 0
    while True:
        picture = ground.copy()
        for block in range(4):
            left = (number * (3 + block) * width // 640 + block * width // 4) % (width - side)
            top = (block + 1) * height // 6
            picture[top : top + side, left : left + side] = 60 + 40 * block
        noisy = (picture.astype(np.int16) + noise[number % 7]).clip(0, 255).astype(np.uint8)
        yield av.VideoFrame.from_ndarray(noisy, format="gray").reformat(format="yuv420p")
        number += 1
