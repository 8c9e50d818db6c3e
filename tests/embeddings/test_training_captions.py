"""Which sentences are true of which pictures is learnt from the captions, and the tokenizer knows every letter."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from matpho_contracts.errors import BadInputError
from matpho_contracts.text import fold
from matpho_embeddings.encoder_words import Words
from matpho_embeddings.training.caption_batches import CaptionBatches
from matpho_embeddings.training.caption_rows import Claims, Row, holds, phrases, read_rows
from matpho_embeddings.training.encoder_figures import scores
from matpho_embeddings.training.tokenizer import train_tokenizer

CONFIG = {
    "model_cfg": {"vision_cfg": {"image_size": 16}, "text_cfg": {"context_length": 12}},
    "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "fit": "letterbox"},
}
COLOURS = {
    "red": ("đỏ", (0, 0, 255)),
    "white": ("trắng", (255, 255, 255)),
    "blue": ("xanh", (255, 0, 0)),
    "green": ("xanh", (0, 255, 0)),
}
CLASSES = {"truck": "xe tải", "bus": "xe buýt"}
LIGHTS = {"night": "ban đêm", "day": "ban ngày"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A captions set in the simulated city's format: plain pictures of two classes in four colours, day and night."""
    out = tmp_path_factory.mktemp("captions")
    rows = []
    for number in range(320):
        kind, colour = list(CLASSES)[number % 2], list(COLOURS)[number // 2 % 4]
        light = list(LIGHTS)[number // 8 % 2]
        word, bgr = COLOURS[colour]
        cv2.imwrite(str(out / f"{number}.png"), np.full((8 + number % 5, 12, 3), bgr, np.uint8))
        short = f"{CLASSES[kind]} {word}"
        rows.append(
            {
                "file": f"{number}.png",
                "split": "train" if number < 280 else "val",
                "kind": "object",
                "class": kind,
                "colour": colour,
                "light": light,
                "vi": [short, f"{short} {LIGHTS[light]}", CLASSES[kind]],
                "en": [f"{colour} {kind}", f"{colour} {kind} by {light}"],
            }
        )
    (out / "captions.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return out


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[Row]:
    return read_rows(folder, "train")


@pytest.fixture(scope="module")
def tokenizer(rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    train_tokenizer([sentence for row in rows for sentence in row.vi + row.en], out, context=12)
    return out


def true_of(rows: list[Row], sentence: str) -> set[tuple[str, str, str]]:
    claims = Claims(rows)
    found = holds(*claims.of([sentence]), claims.traits(rows))[0]
    lights = ["night" if "light=night" in row.traits else "day" for row in rows]
    return {(row.object_class, row.colour, light) for row, light, each in zip(rows, lights, found, strict=True) if each}


class TestClaims:
    @pytest.mark.parametrize("sentence", ["xe tải trắng", "xe tai trang", "white truck"])
    def test_class_and_colour_hold_at_any_hour(self, rows: list[Row], sentence: str) -> None:
        assert true_of(rows, sentence) == {("truck", "white", "night"), ("truck", "white", "day")}

    def test_the_hour_counts_when_told(self, rows: list[Row]) -> None:
        assert true_of(rows, "xe buýt đỏ ban đêm") == {("bus", "red", "night")}

    def test_a_vague_colour_holds_for_all_it_may_mean(self, rows: list[Row]) -> None:
        assert {colour for _, colour, _ in true_of(rows, "xe tải xanh")} == {"blue", "green"}

    def test_a_class_alone_holds_for_every_colour(self, rows: list[Row]) -> None:
        assert {colour for _, colour, _ in true_of(rows, "xe tải")} == set(COLOURS)

    def test_one_trait_may_be_claimed_by_itself(self, rows: list[Row]) -> None:
        claims = Claims(rows)
        required = claims.trait("has=bus")[None]
        found = holds(required, np.zeros_like(required), claims.traits(rows))[0]
        assert {row.object_class for row, each in zip(rows, found, strict=True) if each} == {"bus"}
        assert found.sum() == 140

    def test_unknown_words_claim_nothing(self, rows: list[Row]) -> None:
        assert len(true_of(rows, "con mèo")) == 16

    def test_phrases_are_runs_of_up_to_four_words(self) -> None:
        assert list(phrases("Xe tải, trắng")) == ["xe", "tai", "trang", "xe tai", "tai trang", "xe tai trang"]


class TestRead:
    def test_splits_stay_apart(self, folder: Path) -> None:
        assert len(read_rows(folder, "train")) == 280
        assert len(read_rows(folder, "val")) == 40

    def test_a_folder_that_is_no_set_says_how_to_make_one(self, tmp_path: Path) -> None:
        with pytest.raises(BadInputError, match="captions"):
            read_rows(tmp_path, "train")

    @pytest.mark.parametrize("line", ["{", "[]", "{}", '{"split": "train"}'])
    def test_a_damaged_line_is_named(self, tmp_path: Path, line: str) -> None:
        (tmp_path / "captions.jsonl").write_text(f"{line}\n")
        with pytest.raises(BadInputError, match="Line 1"):
            read_rows(tmp_path, "train")

    def test_an_empty_split_is_refused(self, folder: Path) -> None:
        with pytest.raises(BadInputError, match="no rows"):
            read_rows(folder, "test")


class TestTokenizer:
    def test_every_sentence_is_filled_or_cut(self, tokenizer: Path) -> None:
        ids = Words(tokenizer, 12).ids(["xe", "xe tải trắng " * 50, "", "漢字 🚒"])
        assert ids.shape == (4, 12)
        assert (ids.max(axis=1) == ids.max()).all()  # the end mark, highest of all, is in each

    def test_marks_stay_and_case_goes(self, tokenizer: Path) -> None:
        words = Words(tokenizer, 12)
        assert (words.ids(["XE TẢI"]) == words.ids(["xe tải"])).all()
        assert (words.ids(["xe tải"]) != words.ids([fold("xe tải")])).any()

    def test_a_file_of_another_length_is_refused(self, tokenizer: Path) -> None:
        with pytest.raises(BadInputError, match="77"):
            Words(tokenizer, 77)

    def test_what_is_no_tokenizer_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "tokenizer.json").write_text("{}")
        with pytest.raises(BadInputError):
            Words(tmp_path / "tokenizer.json", 12)

    def test_batches_pair_sentences_with_all_they_are_true_of(self, tokenizer: Path, rows: list[Row]) -> None:
        batches = CaptionBatches(rows, Claims(rows), tokenizer, CONFIG, 32, 1)
        batch = batches.draw()
        assert batch.images.shape == (32, 3, 16, 16)
        assert batch.texts.shape == (32, 12)
        assert batch.true.diagonal().all()
        assert not (batch.true & batch.left_out).any()
        assert batch.true.sum() > 64  # far more than the pairs that were drawn


class TestFigures:
    def test_a_perfect_encoder_scores_one_and_a_blind_one_does_not(self, folder: Path) -> None:
        rows = read_rows(folder, "val")
        sentences = sorted(
            {row.vi[0] for row in rows} | {row.en[0] for row in rows} | {fold(row.vi[0]) for row in rows}
        )
        colours = {tuple(bgr): name for name, (_, bgr) in COLOURS.items()}

        def images(pictures: list[np.ndarray]) -> np.ndarray:
            return np.stack([hue(colours[tuple(int(v) for v in picture[0, 0])]) for picture in pictures])

        def texts(asked: list[str]) -> np.ndarray:
            return np.stack(
                [hue(next((c for c, (w, _) in COLOURS.items() if c in s or w in s or fold(w) in s), "")) for s in asked]
            )

        def hue(name: str) -> np.ndarray:
            # blue and green share one Vietnamese word, so they share one direction here
            return np.eye(5, dtype=np.float32)[{"red": 0, "white": 1, "blue": 2, "green": 2, "": 4}[name]]

        seeing = scores(rows, images, texts)
        blind = scores(rows, lambda p: np.ones((len(p), 5), np.float32), lambda s: np.ones((len(s), 5), np.float32))
        assert len(sentences) > 8
        assert seeing["en"]["hit@10"] == 1.0
        assert seeing["vi"]["image_recall@10"] == 1.0
        assert blind["vi"]["precision@10"] < seeing["vi"]["precision@10"]
