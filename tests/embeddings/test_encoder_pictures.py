"""Pictures of any shape become the square that a model wants, with the right colours in the right places."""

import numpy as np
import pytest

from matpho_contracts.errors import BadInputError
from matpho_embeddings.encoder_pictures import PictureInput, as_input, fitted

GREY = PictureInput(32, (0.5, 0.25, 0.0), (0.5, 0.5, 0.5))


def plain(height: int, width: int, colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((height, width, 3), colour, dtype=np.uint8)


class TestFitted:
    @pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (32, 32), (720, 1280), (20, 7)])
    @pytest.mark.parametrize("fit", ["letterbox", "crop", "squash"])
    def test_any_shape_becomes_the_square(self, shape: tuple[int, int], fit: str) -> None:
        wanted = PictureInput(32, GREY.mean, GREY.std, fit)  # type: ignore[arg-type]  # each of its values
        assert fitted(plain(*shape, (1, 2, 3)), wanted).shape == (32, 32, 3)

    def test_letterbox_shows_all_on_the_mean_colour(self) -> None:
        square = fitted(plain(10, 20, (255, 0, 0)), GREY)
        assert square[16, 16].tolist() == [255, 0, 0]
        assert square[8:24].min(axis=(0, 1)).tolist() == [255, 0, 0]
        assert square[0, 0].tolist() == [0, 64, 128]  # BGR of the RGB mean

    def test_crop_keeps_the_middle(self) -> None:
        picture = np.concatenate(
            [plain(32, 32, (9, 9, 9)), plain(32, 32, (200, 200, 200)), plain(32, 32, (9, 9, 9))], 1
        )
        square = fitted(picture, PictureInput(32, GREY.mean, GREY.std, "crop"))
        assert (square == 200).all()

    @pytest.mark.parametrize(
        "bad",
        [
            np.zeros((4, 4), np.uint8),
            np.zeros((4, 4, 4), np.uint8),
            np.zeros((4, 4, 3), np.float32),
            np.zeros((0, 4, 3), np.uint8),
            np.zeros((1, 20_000, 3), np.uint8),
        ],
    )
    def test_what_is_no_picture_is_refused(self, bad: np.ndarray) -> None:
        with pytest.raises(BadInputError):
            fitted(bad, GREY)


class TestAsInput:
    def test_turns_bgr_into_normalised_rgb(self) -> None:
        found = as_input([plain(32, 32, (0, 127, 255))], GREY)
        assert found.shape == (1, 3, 32, 32)
        assert found.dtype == np.float32
        assert found[0, :, 0, 0] == pytest.approx([(1 - 0.5) / 0.5, (127 / 255 - 0.25) / 0.5, 0.0], abs=1e-5)
