"""Detectors: the real weights on the real clips, small made-up models for every output shape, wrong files."""

from __future__ import annotations

import importlib.util
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError, ConfigurationError, NotFoundError
from matpho_edge.detect import Detector, load_detector
from matpho_edge.detect_labels import COCO_TO_OURS, read_names
from matpho_edge.detect_onnx import OnnxDetector, suppress
from matpho_edge.detections import Detections
from matpho_embeddings.runtime import TensorInfo

SHARED = Path(os.environ.get("MATPHO_SHARED", Path(__file__).parents[2].parent / "shared")) / "data"
WEIGHTS = SHARED / "weights" / "yolo11n-dq8.onnx"
needs_data = pytest.mark.skipif(not WEIGHTS.is_file(), reason="the shared weights and clips are not here")


class Model:
    """A model in a few lines: whatever comes in, these arrays come out."""

    backend = "numpy"

    def __init__(self, output: NDArray[np.float32], metadata: dict[str, str], shape: tuple[int | None, ...]) -> None:
        self._output = output
        self.metadata = metadata
        self.inputs = (TensorInfo("images", shape, "float"),)
        self.outputs = (TensorInfo("output0", output.shape, "float"),)
        self.fed: list[tuple[int, ...]] = []

    def run(self, feeds: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        self.fed.append(feeds["images"].shape)
        return [self._output]


NAMES = {"names": "{0: 'person', 1: 'handbag'}", "task": "detect"}


def detector(
    output: NDArray[np.float32], shape: tuple[int | None, ...] = (1, 3, 640, 640), **meta: str
) -> OnnxDetector:
    model = Model(output, {**NAMES, **meta}, shape)
    return OnnxDetector(model, name="model", conf=0.3, iou=0.7, renamed=COCO_TO_OURS)


def raw(rows: list[tuple[float, ...]]) -> NDArray[np.float32]:
    return np.array(rows, np.float32).T[None]


PICTURE = np.zeros((360, 640, 3), np.uint8)


class TestOutputs:
    def test_raw_boxes_come_back_in_the_pictures_coordinates(self) -> None:
        # The picture lies in the middle of the square: 140 grey rows above it.
        (found,) = detector(raw([(320, 140 + 180, 64, 36, 0.1, 0.9), (10, 10, 5, 5, 0.1, 0.2)])).detect([PICTURE])
        assert found.labels == ("bag",)
        assert found.boxes[0] == pytest.approx([0.45, 0.45, 0.55, 0.55], abs=1e-5)
        assert found.scores[0] == pytest.approx(0.9)

    def test_doubles_of_one_class_go_and_of_two_classes_stay(self) -> None:
        rows = [(320, 320, 64, 64, 0.9, 0.1), (322, 320, 64, 64, 0.8, 0.1), (320, 320, 64, 64, 0.1, 0.7)]
        (found,) = detector(raw(rows)).detect([PICTURE])
        assert Counter(found.labels) == {"person": 1, "bag": 1}
        assert found.scores.max() == pytest.approx(0.9)

    def test_end_to_end_rows_need_no_suppression(self) -> None:
        output = np.array(
            [[[288, 302, 352, 338, 0.8, 0], [0, 0, 1, 1, 0.05, 1], [0, 140, 64, 176, 0.5, 7]]], np.float32
        )
        (found,) = detector(output).detect([PICTURE])
        assert found.labels == ("person",)
        assert found.boxes[0] == pytest.approx([0.45, 0.45, 0.55, 0.55], abs=1e-5)

    def test_a_model_of_open_size_gets_the_pictures_own_shape(self) -> None:
        model = Model(raw([(0, 0, 1, 1, 0, 0)]), {**NAMES, "imgsz": "[640, 640]"}, (None, 3, None, None))
        OnnxDetector(model, name="m", conf=0.3, iou=0.7, renamed={}).detect(
            [PICTURE, np.zeros((640, 480, 3), np.uint8)]
        )
        assert model.fed == [(1, 3, 384, 640), (1, 3, 640, 480)]

    def test_nothing_found_and_tiny_pictures(self) -> None:
        (found,) = detector(raw([(0, 0, 1, 1, 0, 0)])).detect([np.zeros((2, 3, 3), np.uint8)])
        assert len(found) == 0

    def test_suppression_agrees_with_the_plain_definition(self) -> None:
        rng = np.random.default_rng(0)
        low = rng.random((300, 2)) * 600
        corners = np.concatenate([low, low + 20 + rng.random((300, 2)) * 120], axis=1).astype(np.float32)
        scores, classes = rng.random(300).astype(np.float32), rng.integers(0, 3, 300)
        assert list(suppress(corners, scores, classes, 0.5)) == list(plain_suppression(corners, scores, classes, 0.5))


def plain_suppression(
    corners: NDArray[np.float32], scores: NDArray[np.float32], classes: NDArray[np.int64], limit: float
) -> Iterator[int]:
    kept: list[int] = []
    for index in np.argsort(-scores, kind="stable"):
        overlaps = []
        for other in kept:
            if classes[other] == classes[index]:
                a, b = corners[index].astype(float), corners[other].astype(float)
                shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
                union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
                overlaps.append(shared / union)
        if not overlaps or max(overlaps) <= limit:
            kept.append(int(index))
            yield int(index)


class TestWrongWeights:
    def test_a_model_for_another_task(self) -> None:
        with pytest.raises(BadInputError, match="for segment, not for detection"):
            detector(raw([(0, 0, 1, 1, 0, 0)]), task="segment")

    def test_a_model_with_another_output(self) -> None:
        with pytest.raises(BadInputError, match="a detector of 2 classes gives"):
            detector(np.zeros((1, 1000), np.float32))

    def test_a_model_without_names(self) -> None:
        with pytest.raises(BadInputError, match="which classes it knows"):
            detector(raw([(0, 0, 1, 1, 0, 0)]), names="")

    @pytest.mark.parametrize(
        "names", ["__import__('os').system('true')", "7", "{'a': 'b'}", "[" * 5000], ids=str.__len__
    )
    def test_hostile_names_are_data_and_nothing_else(self, names: str) -> None:
        with pytest.raises(BadInputError):
            read_names(names)

    def test_files_that_are_no_weights(self, tmp_path: Path) -> None:
        bad = tmp_path / "weights.onnx"
        bad.write_bytes(b"not a model" * 50)
        with pytest.raises(BadInputError):
            load_detector(bad)
        with pytest.raises(NotFoundError, match="no detector"):
            load_detector(tmp_path / "absent.onnx")
        with pytest.raises(BadInputError, match="between 0 and 1"):
            load_detector(bad, conf=1.5)

    @needs_data
    def test_the_pt_file_says_what_its_export_says(self) -> None:
        pytest.importorskip("ultralytics", reason="ultralytics is not installed: pip install 'matpho[train]'")
        loaded = [load_detector(WEIGHTS.with_suffix(suffix), threads=1) for suffix in (".pt", ".onnx")]
        with av.open(str(SHARED / "video" / "vtest.mp4")) as clip:
            picture = next(clip.decode(video=0)).to_ndarray(format="bgr24")
        pt, onnx = (detector.detect([picture])[0] for detector in loaded)
        assert len(pt) > 3
        assert abs(pt.count("person") - onnx.count("person")) <= 1
        assert loaded[0].labels == loaded[1].labels

    def test_a_pt_file_without_ultralytics_names_the_extra(self, tmp_path: Path) -> None:
        if importlib.util.find_spec("ultralytics") is not None:
            pytest.skip("ultralytics is installed here")
        weights = tmp_path / "yolo.pt"
        weights.write_bytes(b"x")
        with pytest.raises(ConfigurationError, match=r"matpho\[train\]"):
            load_detector(weights)

    def test_what_is_no_picture(self) -> None:
        with pytest.raises(BadInputError, match="no BGR picture"):
            detector(raw([(0, 0, 1, 1, 0, 0)])).detect([np.zeros((10, 10), np.uint8)])


class TestTwins:
    def test_one_vehicle_under_two_names_is_one(self) -> None:
        boxes = np.array([[0.1, 0.1, 0.3, 0.3], [0.1, 0.1, 0.3, 0.31], [0.1, 0.1, 0.3, 0.3]], np.float32)
        found = Detections(boxes, ("car", "truck", "person"), np.array([0.8, 0.6, 0.5], np.float32))
        assert found.without_twins().labels == ("car", "person")


def sampled(clip: str, fps: float, count: int, every: int) -> Iterator[NDArray[np.uint8]]:
    """Frame k of expected.json is frame number round(k * fps / 5); every n-th of those."""
    wanted = {round(k * fps / 5) for k in range(0, count, every)}
    with av.open(str(SHARED / "video" / clip)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number in wanted:
                yield np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)


def compare(clip: str, every: int, model: Detector) -> None:
    """Counts of the classes that are really there, within 20 % (or one half) of expected.json's medians.

    expected.json was made by ultralytics itself on the .pt of these weights: conf 0.3, 5 frames a second, imgsz 640.
    """
    expected = json.loads((SHARED / "video" / "expected.json").read_text())["clips"][clip]
    real = json.loads((SHARED / "video" / "by_eye.json").read_text())[clip]
    false_alarms = tuple(real.get("false_alarms", ()))
    seen = [model.detect([p])[0] for p in sampled(clip, expected["fps"], expected["sampled_frames"], every)]
    share = 1 / every
    for word, figures in expected["classes"].items():
        if (
            any(alarm.startswith(word) for alarm in false_alarms)
            or figures["frames_with"] < 0.2 * expected["sampled_frames"]
        ):
            continue
        counts = [found.count(COCO_TO_OURS.get(word, word)) for found in seen]
        present = [count for count in counts if count]
        assert len(present) == pytest.approx(figures["frames_with"] * share, rel=0.2, abs=4), (clip, word)
        when_present = figures["median_when_present"]
        assert abs(median(present) - when_present) <= max(0.2 * when_present, 0.5), (clip, word)
        if len(seen) > 50:
            assert abs(median(counts) - figures["median"]) <= max(0.2 * figures["median"], 0.5), (clip, word)


@pytest.fixture(scope="module")
def yolo() -> Detector:
    return load_detector(WEIGHTS, threads=2)


@needs_data
class TestRealClips:
    def test_the_names_are_coco_in_our_words(self, yolo: Detector) -> None:
        assert {"person", "car", "truck", "bag", "bottle"} <= set(yolo.labels)
        assert "backpack" not in yolo.labels

    def test_some_frames_of_two_clips(self, yolo: Detector) -> None:
        compare("street-vehicles.mp4", 4, yolo)
        compare("hikers.mp4", 6, yolo)

    def test_both_runtimes_agree(self, yolo: Detector) -> None:
        picture = next(sampled("street-vehicles.mp4", 24, 1, 1))
        first = load_detector(WEIGHTS, backend="onnxruntime").detect([picture])[0]
        second = yolo.detect([picture])[0]
        assert Counter(first.labels) == Counter(second.labels)
        assert np.sort(first.scores) == pytest.approx(np.sort(second.scores), abs=0.01)

    @pytest.mark.timeout(900)
    @pytest.mark.nightly
    @pytest.mark.parametrize(
        ("clip", "every"),
        [
            ("street-vehicles.mp4", 1),
            ("hikers.mp4", 1),
            ("bottles.mp4", 1),
            ("person-bicycle-car.mp4", 1),
            ("one-by-one-person.mp4", 3),
            ("vtest.mp4", 3),
        ],
    )
    def test_sampled_frames_of_every_clip(self, yolo: Detector, clip: str, every: int) -> None:
        compare(clip, every, yolo)
