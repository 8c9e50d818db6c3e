"""What needs torch: the loss, a short training, export and its comparison. Skipped where the extra is absent."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'matpho[train]'")
pytest.importorskip("open_clip", reason="open_clip is not installed: pip install 'matpho[train]'")
onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'matpho[train]'")

from matpho_embeddings.encoder_words import Words  # noqa: E402  # after the skips
from matpho_embeddings.models import load_encoder, open_folder  # noqa: E402
from matpho_embeddings.training.clip_tokenizer import write_clip_tokenizer  # noqa: E402
from matpho_embeddings.training.colours import ColourExamples, ColourRecipe, evaluate_colours, train_colours  # noqa: E402
from matpho_embeddings.training.encoder import EncoderRecipe, many_positive_loss, train_encoder  # noqa: E402
from matpho_embeddings.training.export_encoder import export_encoder  # noqa: E402

TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "patch_size": 16, "width": 32, "layers": 1, "head_width": 16},
    "text_cfg": {"context_length": 12, "vocab_size": 0, "width": 32, "heads": 2, "layers": 1},
}


class TestLoss:
    def test_one_positive_each_is_the_loss_of_clip(self) -> None:
        images, texts = torch.randn(6, 8), torch.randn(6, 8)
        own, none = torch.eye(6, dtype=torch.bool), torch.zeros(6, 6, dtype=torch.bool)
        found = many_positive_loss(images, texts, own, none, 10.0, torch)
        normal = torch.nn.functional.normalize
        logits = 10.0 * normal(texts, dim=-1) @ normal(images, dim=-1).T
        entropy = torch.nn.functional.cross_entropy
        assert torch.allclose(found, (entropy(logits, torch.arange(6)) + entropy(logits.T, torch.arange(6))) / 2)

    def test_equal_captions_do_not_push_their_pictures_apart(self) -> None:
        same = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
        true = torch.tensor([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]], dtype=torch.bool)
        none = torch.zeros(4, 4, dtype=torch.bool)
        apart = torch.tensor([[1.0, 0.3], [1.0, -0.3], [0.3, 1.0], [-0.3, 1.0]])
        together = many_positive_loss(same, same, true, none, 20.0, torch)
        assert together < many_positive_loss(apart, same, true, none, 20.0, torch)

    def test_pairs_left_out_count_neither_way(self) -> None:
        images, texts = torch.randn(4, 8), torch.randn(4, 8)
        own = torch.eye(4, dtype=torch.bool)
        left_out = torch.zeros(4, 4, dtype=torch.bool)
        left_out[0, 1] = True
        with_mask = many_positive_loss(images, texts, own, left_out, 10.0, torch)
        assert not torch.allclose(with_mask, many_positive_loss(images, texts, own, own & False, 10.0, torch))


class TestTraining:
    def test_a_short_training_exports_to_a_folder_that_loads(self, tmp_path: Path) -> None:
        data = tmp_path / "data"
        write_captions(data)
        recipe = EncoderRecipe(network=TINY, steps=30, batch=8, threads=1, half=False)
        trained = train_encoder(data, tmp_path / "trained", recipe, report=lambda _: None)
        assert json.loads((trained / "figures.json").read_text())["pictures"] == 8
        out = export_encoder(str(trained), None, tmp_path / "encoder", licence="Apache-2.0\n")
        encoder = load_encoder(out)
        found = encoder.encode_images([np.full((9, 9, 3), 255, np.uint8)])
        assert found.shape == (1, 16)

    def test_open_clips_own_models_export_too(self, tmp_path: Path) -> None:
        out = export_encoder("ViT-S-32-alt", None, tmp_path / "encoder")
        assert load_encoder(out).encode_texts(["a white truck", "xe tải"]).shape == (2, 256)


class TestTokenizer:
    def test_open_clips_tokenizer_keeps_its_ids(self, tmp_path: Path) -> None:
        import open_clip

        original = open_clip.get_tokenizer("ViT-B-32")
        write_clip_tokenizer(original, tmp_path / "tokenizer.json", 77)
        places = [
            f"{number} {word}" for number in range(100) for word in ("xe tải trắng", "it's John's", "đường 29-G1")
        ]
        sentences = [*places, "", "XE  TẢI\n trắng!?", "a" * 400, "người " * 100, "🚒 cháy"]
        assert (Words(tmp_path / "tokenizer.json", 77).ids(sentences) == original(sentences).numpy()).all()


def write_captions(folder: Path) -> None:
    folder.mkdir()
    rows = []
    for number in range(40):
        colour, bgr = [("red", (0, 0, 255)), ("white", (255, 255, 255))][number % 2]
        cv2.imwrite(str(folder / f"{number}.png"), np.full((10, 10, 3), bgr, np.uint8))
        rows.append(
            {
                "file": f"{number}.png",
                "split": "val" if number >= 32 else "train",
                "kind": "object",
                "class": "car",
                "colour": colour,
                "vi": [f"ô tô {colour}"],
                "en": [f"{colour} car"],
            }
        )
    (folder / "captions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


class TestColours:
    def test_a_short_training_learns_plain_colours_and_exports(self, tmp_path: Path) -> None:
        """A patch of red, green or blue in the middle of grey; the class says nothing."""
        random = np.random.default_rng(0)
        paint = np.array([[30, 30, 200], [30, 160, 40], [200, 60, 30]])
        places = random.integers(0, 3, 600)
        pictures = random.integers(90, 120, (600, 32, 32, 3))
        pictures[:, 8:24, 8:24] = paint[places][:, None, None]
        examples = ColourExamples(
            pictures.astype(np.uint8), np.full(600, 0.45, np.float32), random.integers(0, 13, 600), places
        )
        recipe = ColourRecipe(epochs=4, batch=32, threads=1)
        made = train_colours(examples, tmp_path / "colours", recipe, version="3", report=lambda _: None)
        card = open_folder(made)
        assert (card.kind, card.version) == ("colours", "3")
        found = evaluate_colours(card.files["colours"], examples)
        assert found["right"] > 0.95
        assert str(tmp_path) not in card.files["colours"].read_bytes().decode("latin-1")
