"""Trains the small dual encoder: an open_clip CLIP from random weights, on captioned crops and whole pictures."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .caption_batches import Batch, CaptionBatches
from .caption_rows import Claims, read_rows
from .encoder_figures import retrieval_figures
from .extra import need
from .tokenizer import train_tokenizer

CITY_S: Mapping[str, Any] = {
    "embed_dim": 256,
    "vision_cfg": {
        "timm_model_name": "resnet10t",
        "timm_model_pretrained": False,
        "timm_pool": "avg",
        "timm_proj": "linear",
        "image_size": 96,
    },
    "text_cfg": {"context_length": 32, "vocab_size": 0, "width": 192, "heads": 3, "layers": 4},
}
"""The shipped encoder's network as an open_clip configuration; the vocabulary's size comes from its tokenizer."""

MEAN = (0.42, 0.42, 0.42)
STD = (0.25, 0.25, 0.25)
WARM_UP = 0.06
LOGIT_SCALE_MOST = 50.0
TRAIT_SCALE = 10.0
"""Length of a picture's vector before its traits are told from it: units alone would need huge weights."""


@dataclass(frozen=True, slots=True)
class EncoderRecipe:
    """How to train; `minutes` bounds the wall time. The shipped encoder's recipe, in three stages, is in its CARD.md.

    `trait_share` weighs the helper task, to tell each picture's traits from its vector, against the contrastive loss.
    """

    network: Mapping[str, Any] = field(default_factory=lambda: CITY_S)
    steps: int = 1500
    batch: int = 128
    trait_share: float = 5.0
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.05
    minutes: float = 0.0
    seed: int = 1
    threads: int = 2
    device: str = "cpu"
    half: bool = True


def train_encoder(
    data: Path,
    out: Path,
    recipe: EncoderRecipe | None = None,
    *,
    weights: Path | None = None,
    report: Callable[[str], None] = print,
) -> Path:
    """Trains on a captions set (`python -m matpho_simcity.dataset captions`); gives the folder `out`.

    `out` then holds `open_clip_config.json`, `weights.pt`, `tokenizer.json`, `figures.json`: what `export_encoder`
    takes. `weights` is such a folder from an earlier training to go on from: its tokenizer and weights are kept.
    Raises ConfigurationError without the extra `train`, BadInputError for a folder that is no captions set.
    """
    recipe = recipe or EncoderRecipe()
    torch = need("torch")
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(recipe.threads)
    rows = read_rows(data, "train")
    out.mkdir(parents=True, exist_ok=True)
    config = _prepare(out, recipe, [sentence for row in rows for sentence in row.vi + row.en], weights)
    model = build_model(config["model_cfg"]).to(recipe.device)
    if weights:
        model.load_state_dict(torch.load(weights / "weights.pt", map_location=recipe.device, weights_only=True))
    batches = CaptionBatches(rows, Claims(rows), out / "tokenizer.json", config, recipe.batch, recipe.seed)
    _learn(model, batches, recipe, report)
    torch.save({name: value.float() for name, value in model.state_dict().items()}, out / "weights.pt")
    figures = retrieval_figures(model, read_rows(data, "val"), out / "tokenizer.json", config)
    (out / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    return out


def build_model(network: Mapping[str, Any]) -> Any:
    """The open_clip model of a configuration, with random weights."""
    settings = {key: dict(value) if isinstance(value, Mapping) else value for key, value in network.items()}
    model: Any = need("open_clip.model").CLIP(**settings)
    return model


def _prepare(out: Path, recipe: EncoderRecipe, sentences: list[str], weights: Path | None) -> dict[str, Any]:
    """Tokenizer and configuration in `out`: new ones, or those that the earlier weights were trained with."""
    if weights:
        (out / "tokenizer.json").write_bytes((weights / "tokenizer.json").read_bytes())
        config: dict[str, Any] = json.loads((weights / "open_clip_config.json").read_text())
    else:
        network = json.loads(json.dumps(recipe.network))
        context = network["text_cfg"]["context_length"]
        network["text_cfg"]["vocab_size"] = train_tokenizer(sentences, out / "tokenizer.json", context=context)
        config = {"model_cfg": network, "preprocess_cfg": {"mean": list(MEAN), "std": list(STD), "fit": "letterbox"}}
    (out / "open_clip_config.json").write_text(json.dumps(config, indent=1) + "\n")
    return config


def _learn(model: Any, batches: CaptionBatches, recipe: EncoderRecipe, report: Callable[[str], None]) -> None:
    """AdamW with a warm-up and a cosine to nothing over the steps, or over the minutes where those are given."""
    torch = need("torch")
    helper = torch.nn.Linear(model.text_projection.shape[1], batches.traits).to(recipe.device)
    learnt = [*model.parameters(), *helper.parameters()]
    decayed = [value for value in learnt if value.ndim >= 2]
    plain = [value for value in learnt if value.ndim < 2]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98))
    model.train()
    started, running = time.monotonic(), 0.0
    for step in range(recipe.steps):
        passed = (time.monotonic() - started) / 60
        done = passed / recipe.minutes if recipe.minutes else step / recipe.steps
        if done >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _schedule(done)
        loss = _batch_loss(model, helper, batches.draw(), recipe, torch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learnt, 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(LOGIT_SCALE_MOST))
        running = loss.item() if step == 0 else 0.95 * running + 0.05 * loss.item()
        if step % 20 == 0:
            report(f"step {step} loss {running:.3f} {passed:.1f} min")
    model.eval()


def _schedule(done: float) -> float:
    return done / WARM_UP if done < WARM_UP else 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


def _batch_loss(model: Any, helper: Any, batch: Batch, recipe: EncoderRecipe, torch: Any) -> Any:
    kind = recipe.device.split(":")[0]

    def there(array: Any) -> Any:
        return torch.from_numpy(array).to(recipe.device)

    with torch.autocast(kind, torch.bfloat16, enabled=recipe.half):
        images = model.encode_image(there(batch.images), normalize=True)
        texts = model.encode_text(there(batch.texts))
    images = images.float()
    scale = model.logit_scale.exp()
    loss = many_positive_loss(images, texts.float(), there(batch.true), there(batch.left_out), scale, torch)
    told = helper(images * TRAIT_SCALE)
    return loss + recipe.trait_share * torch.nn.functional.binary_cross_entropy_with_logits(told, there(batch.traits))


def many_positive_loss(images: Any, texts: Any, true: Any, left_out: Any, scale: Any, torch: Any) -> Any:
    """Contrastive loss in which a sentence may be true of many pictures of the batch and the other way round.

    images (b, d) and texts (t, d) of any length; true and left_out (t, b) of bool. For each row the mean over its
    positives of -log softmax (the "out" form of Khosla et al., Supervised contrastive learning, 2020, equation 2),
    in both directions; pairs left out count neither way. One positive a row gives CLIP's own loss.
    """
    normal = torch.nn.functional.normalize
    logits = (scale * normal(texts, dim=-1) @ normal(images, dim=-1).T).masked_fill(left_out, -1e4)
    shares = true.float()

    def one_way(scores: Any, wanted: Any) -> Any:
        counted = wanted.sum(dim=1)
        each = -(wanted * torch.log_softmax(scores, dim=1)).sum(dim=1) / counted.clamp(min=1)
        return each[counted > 0].mean()

    return (one_way(logits, shares) + one_way(logits.T, shares.T)) / 2
