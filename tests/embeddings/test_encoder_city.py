"""The shipped encoder on the simulated city: right words rank first, in both languages and without marks."""

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from matpho_contracts.errors import BadInputError
from matpho_contracts.text import fold
from matpho_contracts.vocabulary import COLOUR_NAMES, OBJECT_NAMES, Colour, ObjectClass
from matpho_embeddings.encoder import Encoder
from matpho_embeddings.encoder_onnx import unit
from matpho_embeddings.models import load_encoder
from matpho_embeddings.training.caption_rows import Row, read_rows
from matpho_simcity.dataset import make_captions

LEAST_COSINE = 0.999
SAYINGS = [("vi", "vi"), ("unmarked", "vi"), ("en", "en")]
Vectors = np.ndarray


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("city")


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """Crops of cameras, layouts and looks that no training set has: another seed."""
    folder = tmp_path_factory.mktemp("captions")
    make_captions(folder, 450, "never trained on")
    rows = read_rows(folder, "train") + read_rows(folder, "val")
    return [row for row in rows if row.kind == "object"]


@pytest.fixture(scope="module")
def vectors(encoder: Encoder, things: list[Row]) -> Vectors:
    return encoder.encode_images([picture(row.file) for row in things])


def picture(file: Path) -> np.ndarray:
    found = cv2.imread(str(file))
    assert found is not None
    return found.astype(np.uint8)


def share_right(encoder: Encoder, vectors: Vectors, sentences: list[str], wanted: list[int]) -> float:
    """How often a picture's own sentence is the nearest of all."""
    nearest = (vectors @ encoder.encode_texts(sentences).T).argmax(axis=1)
    return float((nearest == np.array(wanted)).mean())


class TestMeaning:
    @pytest.mark.parametrize(("way", "language"), SAYINGS)
    def test_the_right_class_ranks_first(
        self, encoder: Encoder, things: list[Row], vectors: Vectors, way: str, language: str
    ) -> None:
        classes = list(ObjectClass)
        names = [getattr(OBJECT_NAMES[each], language) for each in classes]
        names = [fold(name) for name in names] if way == "unmarked" else names
        wanted = [classes.index(ObjectClass(row.object_class)) for row in things]
        assert share_right(encoder, vectors, names, wanted) >= 0.75

    @pytest.mark.parametrize(("way", "language"), SAYINGS)
    def test_the_right_colour_ranks_first(
        self, encoder: Encoder, things: list[Row], vectors: Vectors, way: str, language: str
    ) -> None:
        cars = [place for place, row in enumerate(things) if row.object_class == "car"]
        colours = [each for each in Colour if any(things[place].colour == each.value for place in cars)]
        car = "ô tô {}" if language == "vi" else "{} car"
        said = [car.format(getattr(COLOUR_NAMES[each], language)) for each in colours]
        said = [fold(each) for each in said] if way == "unmarked" else said
        wanted = [colours.index(Colour(things[place].colour)) for place in cars]
        assert len(cars) >= 10
        assert share_right(encoder, vectors[cars], said, wanted) >= 0.6

    def test_marks_languages_and_requests_mean_the_same(self, encoder: Encoder) -> None:
        found = encoder.encode_texts(["xe tải trắng", "xe tai trang", "white truck", "tìm xe tải trắng", "đám cháy"])
        likeness = found @ found[0]
        assert likeness[1:4].min() > 0.7
        assert likeness[4] < 0.5

    def test_case_and_unicode_form_do_not_matter(self, encoder: Encoder) -> None:
        found = encoder.encode_texts(["xe tải trắng", "XE TẢI TRẮNG", "  xe ta\u0309i tra\u0306\u0301ng "])
        assert (found @ found[0]).min() > 0.9999


class TestVectors:
    def test_are_units_of_the_promised_size(self, encoder: Encoder, vectors: Vectors) -> None:
        assert vectors.dtype == np.float32
        assert vectors.shape[1] == encoder.dim
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)

    def test_nothing_in_gives_nothing_out(self, encoder: Encoder) -> None:
        assert encoder.encode_images([]).shape == encoder.encode_texts([]).shape == (0, encoder.dim)

    def test_do_not_depend_on_the_batch(self, encoder: Encoder, things: list[Row], vectors: Vectors) -> None:
        alone = np.concatenate([encoder.encode_images([picture(row.file)]) for row in things[:20]])
        assert (alone * vectors[:20]).sum(axis=1).min() > 0.9999

    @pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
    @pytest.mark.parametrize("precision", ["float32", "bfloat16"])
    def test_every_runtime_agrees(self, things: list[Row], vectors: Vectors, backend: str, precision: str) -> None:
        other = load_encoder("city", backend=backend, precision=precision)  # type: ignore[arg-type]  # its values
        found = other.encode_images([picture(row.file) for row in things[:40]])
        assert (found * vectors[:40]).sum(axis=1).min() >= LEAST_COSINE

    def test_odd_sentences_have_vectors_too(self, encoder: Encoder) -> None:
        found = encoder.encode_texts(["", " ", "x" * 100_000, "🚒🔥", "\x00\x01", "chữ " * 500])
        assert np.isfinite(found).all()

    def test_odd_pictures_have_vectors_too(self, encoder: Encoder) -> None:
        shapes = [(1, 1, 3), (1, 900, 3), (1080, 1920, 3)]
        found = encoder.encode_images([np.zeros(shape, np.uint8) for shape in shapes])
        assert np.isfinite(found).all()

    def test_what_is_no_picture_is_refused(self, encoder: Encoder) -> None:
        with pytest.raises(BadInputError):
            encoder.encode_images([np.zeros((4, 4), np.uint8)])

    def test_threads_may_share_it(self, encoder: Encoder, things: list[Row], vectors: Vectors) -> None:
        pictures = [picture(row.file) for row in things[:12]]
        worst: list[float] = []

        def work() -> None:
            worst.append(float((encoder.encode_images(pictures) * vectors[:12]).sum(axis=1).min()))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(worst) == 4
        assert min(worst) > 0.9999


class TestUnit:
    @pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
    def test_a_vector_without_direction_is_refused(self, bad: float) -> None:
        vectors = np.ones((2, 4), np.float32)
        vectors[1] = bad
        with pytest.raises(Exception, match="direction"):
            unit(vectors)
