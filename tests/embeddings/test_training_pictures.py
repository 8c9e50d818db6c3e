"""Training windows keep boxes on their objects, and a missing torch is said plainly."""

import importlib.util
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest

from matpho_contracts.errors import BadInputError, ConfigurationError
from matpho_embeddings.training.detector import DetectorRecipe, train_detector
from matpho_embeddings.training.export_detector import export_detector
from matpho_embeddings.training.extra import need
from matpho_embeddings.training.street_pictures import cut, read_labelled, repeat_weights, tint

WITHOUT_TORCH = importlib.util.find_spec("torch") is None


def street() -> tuple[np.ndarray, np.ndarray]:
    """A black 640x360 picture with a white block at (160..240, 90..130)."""
    picture = np.zeros((360, 640, 3), np.uint8)
    picture[90:130, 160:240] = 255
    box = np.array([[3, 200 / 640, 110 / 360, 80 / 640, 40 / 360]], np.float32)
    return picture, box


class TestCut:
    @pytest.mark.parametrize("seed", range(40))
    def test_the_box_stays_on_its_object(self, seed: int) -> None:
        part, boxes = cut(*street(), (288, 512), (224, 384), Random(seed))
        assert part.shape == (224, 384, 3)
        white = (part > 200).all(axis=2)
        for _, x, y, w, h in boxes * [1, 384, 224, 384, 224]:
            inside = white[round(y - h / 2 + 2) : round(y + h / 2 - 2), round(x - w / 2 + 2) : round(x + w / 2 - 2)]
            assert inside.mean() > 0.95
            assert white.sum() <= inside.size * 1.4 + 400

    def test_most_windows_show_an_object(self) -> None:
        shown = [len(cut(*street(), (288, 512), (224, 384), Random(seed))[1]) for seed in range(100)]
        assert sum(shown) > 50

    def test_what_is_mostly_cut_off_loses_its_label(self) -> None:
        picture, _ = street()
        edge = np.array([[3, 0.0, 0.5, 0.001, 0.001]], np.float32)
        assert len(cut(picture, edge, (288, 512), (288, 512), Random(1))[1]) == 0

    def test_tint_keeps_shape_and_kind(self) -> None:
        for seed in range(20):
            tinted = tint(street()[0], Random(seed))
            assert tinted.shape == (360, 640, 3)
            assert tinted.dtype == np.uint8


class TestRead:
    def test_reads_pictures_with_and_without_boxes(self, tmp_path: Path) -> None:
        write_set(tmp_path, "0 0.5 0.5 0.1 0.1\n")
        first, second = read_labelled(tmp_path, "train")
        assert first.boxes.tolist() == [pytest.approx([0, 0.5, 0.5, 0.1, 0.1])]
        assert second.boxes.shape == (0, 5)

    def test_a_label_file_of_another_kind_is_refused(self, tmp_path: Path) -> None:
        write_set(tmp_path, "0 0.5 0.5\n")
        with pytest.raises(BadInputError, match="label"):
            read_labelled(tmp_path, "train")

    def test_no_pictures_says_how_to_make_some(self, tmp_path: Path) -> None:
        with pytest.raises(BadInputError, match="matpho_simcity"):
            read_labelled(tmp_path, "train")

    def test_rare_classes_are_drawn_more_often(self, tmp_path: Path) -> None:
        write_set(tmp_path, "0 0.5 0.5 0.1 0.1\n", count=50)
        (tmp_path / "labels" / "train" / "a0.txt").write_text("12 0.5 0.5 0.1 0.1\n")
        weights = repeat_weights(read_labelled(tmp_path, "train"), 13)
        assert weights.sum() == pytest.approx(1)
        assert weights.max() > 3 * np.median(weights)


class TestRefusals:
    def test_a_size_that_the_network_cannot_have(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="32"):
            train_detector(tmp_path, tmp_path / "out", DetectorRecipe(size=(300, 512)))

    def test_a_folder_that_is_no_set(self, tmp_path: Path) -> None:
        with pytest.raises(BadInputError, match=r"data\.yaml"):
            train_detector(tmp_path, tmp_path / "out")

    def test_weights_of_another_kind(self, tmp_path: Path) -> None:
        (tmp_path / "a.onnx").write_bytes(b"x")
        with pytest.raises(BadInputError, match=r"\.pt"):
            export_detector(tmp_path / "a.onnx", tmp_path / "out")

    @pytest.mark.skipif(not WITHOUT_TORCH, reason="torch is installed: nothing is missing")
    def test_a_missing_extra_says_what_to_install(self, tmp_path: Path) -> None:
        write_set(tmp_path, "")
        (tmp_path / "data.yaml").write_text("")
        with pytest.raises(ConfigurationError, match=r"matpho\[train\]"):
            train_detector(tmp_path, tmp_path / "out")

    def test_any_missing_module_is_named(self) -> None:
        with pytest.raises(ConfigurationError, match="no_such_module"):
            need("no_such_module.part")


def write_set(folder: Path, labels: str, count: int = 2) -> None:
    for part in ("images", "labels"):
        (folder / part / "train").mkdir(parents=True)
    for number in range(count):
        cv2.imwrite(str(folder / "images" / "train" / f"a{number}.jpg"), street()[0])
        if number != 1:
            (folder / "labels" / "train" / f"a{number}.txt").write_text(labels)
