"""Crops with true colours out of the simulated city, kept and read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from matpho.colour_examples import draw_examples
from matpho.main import build
from matpho_contracts.errors import BadInputError
from matpho_contracts.vocabulary import Colour, ObjectClass
from matpho_edge.colours import SHIPPED, SIDE
from matpho_embeddings.models import model_path, open_folder
from matpho_embeddings.training.colours import ColourExamples, evaluate_colours


@pytest.fixture(scope="module")
def drawn() -> ColourExamples:
    return draw_examples("val", "a seed of the tests", 24, workers=2)


def test_every_example_is_a_crop_of_something_that_has_a_colour(drawn: ColourExamples) -> None:
    assert len(drawn) > 1000
    assert drawn.pictures.shape == (len(drawn), SIDE, SIDE, 3)
    assert set(np.unique(drawn.colours)) == set(range(len(Colour)))
    without = [list(ObjectClass).index(label) for label in (ObjectClass.FIRE, ObjectClass.SMOKE, ObjectClass.RUBBISH)]
    assert not np.isin(drawn.classes, without).any()
    assert np.isfinite(drawn.surroundings).all()


def test_the_same_seed_draws_the_same(drawn: ColourExamples) -> None:
    again = draw_examples("val", "a seed of the tests", 2, workers=1)
    assert (again.pictures == drawn.pictures[: len(again)]).all()


def test_the_shipped_network_names_them(drawn: ColourExamples) -> None:
    """Ten names; one look each, small and hidden things included."""
    found = evaluate_colours(open_folder(model_path(SHIPPED)).files["colours"], drawn)
    assert found["right"] > 0.7
    assert found["among_two"] > 0.85
    assert found["by_class"]["car"] > 0.85


def test_they_are_kept_and_read_again(drawn: ColourExamples, tmp_path: Path) -> None:
    drawn.save(tmp_path / "val.npz")
    again = ColourExamples.load(tmp_path / "val.npz")
    assert (again.pictures == drawn.pictures).all()
    assert (again.colours == drawn.colours).all()


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 broken"])
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "train.npz").write_bytes(content)
    with pytest.raises(BadInputError):
        ColourExamples.load(tmp_path / "train.npz")


def test_a_file_of_unequal_parts_is_refused(drawn: ColourExamples, tmp_path: Path) -> None:
    ColourExamples(drawn.pictures, drawn.surroundings, drawn.classes[:-1], drawn.colours).save(tmp_path / "x.npz")
    with pytest.raises(BadInputError, match="damaged"):
        ColourExamples.load(tmp_path / "x.npz")


def test_the_command_draws_both_parts_and_refuses_a_full_folder(tmp_path: Path) -> None:
    arguments = ["models", "data", "colours", str(tmp_path / "set"), "--images", "16", "--workers", "1"]
    assert CliRunner().invoke(build(), arguments).exit_code == 0
    assert {file.name for file in (tmp_path / "set").iterdir()} == {"train.npz", "val.npz"}
    second = CliRunner().invoke(build(), arguments)
    assert second.exit_code != 0
