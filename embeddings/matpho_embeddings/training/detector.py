"""Trains the small street detector: ultralytics' YOLO11 network on pictures of streets, new or on from weights."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matpho_contracts.errors import BadInputError, ConfigurationError
from matpho_contracts.vocabulary import ObjectClass

from .extra import need
from .street_pictures import StreetPictures, read_labelled
from .unfold_norms import norms_are_folded, unfold_norms

NETWORK = "yolo11n.yaml"
STRIDE = 32
SAMPLE = 64
"""Pictures on which folded batch norms are measured."""


@dataclass(frozen=True, slots=True)
class DetectorRecipe:
    """How to train. The shipped detector's own recipe, in two stages, is in its CARD.md.

    `size` is the model's (height, width) in pixels; training looks at `window` parts of pictures of that size (each
    side a multiple of 32). `minutes` of 0 means: as long as the epochs take; one epoch is `epoch_samples` drawn
    pictures. The first `frozen` layers keep their weights. `threads` and `device` as torch understands them.
    """

    size: tuple[int, int] = (288, 512)
    window: tuple[int, int] = (224, 384)
    epochs: int = 40
    epoch_samples: int = 1600
    batch: int = 16
    learning_rate: float = 0.002
    frozen: int = 0
    final_share: float = 0.02
    minutes: float = 0.0
    seed: int = 1
    threads: int = 2
    device: str = "cpu"
    half: bool = True


def train_detector(data: Path, out: Path, recipe: DetectorRecipe | None = None, *, weights: Path | None = None) -> Path:
    """Trains on a YOLO data set (made by `python -m matpho_simcity.dataset detection`); gives `out/detector.pt`.

    `weights` goes on from an earlier `.pt`, its own or a YOLO11n of other classes (what fits is kept, the rest starts
    anew); without it training starts from random weights. Figures on the held-out
    pictures go to `out/figures.json`. Raises ConfigurationError without the extra `train`, BadInputError for a
    folder that is no data set. The resulting weights stand under ultralytics' AGPL-3.0.
    """
    recipe = recipe or DetectorRecipe()
    if any(side % STRIDE or side < STRIDE for side in recipe.size + recipe.window):
        raise ConfigurationError("The detector's size must be multiples of 32 pixels.", action="E.g. 288x512.")
    if not (data / "data.yaml").is_file():
        raise BadInputError(f"{data} is not a detection data set.", action="It needs data.yaml, images/ and labels/.")
    os.environ.setdefault("YOLO_OFFLINE", "true")
    torch = need("torch")
    detect = need("ultralytics.models.yolo.detect")
    pictures = StreetPictures(
        read_labelled(data, "train"), recipe.size, recipe.window, recipe.epoch_samples, len(ObjectClass), recipe.seed
    )
    start = _learnable(weights, out, pictures, torch) if weights else None
    trainer = detect.DetectionTrainer(overrides=_overrides(data, out, recipe, start))
    _feed(trainer, pictures)
    trainer.add_callback("on_train_start", lambda _: torch.set_num_threads(recipe.threads))
    if recipe.half and recipe.device == "cpu":
        trainer.add_callback("on_train_start", lambda started: _halve(started.model, torch))
    trainer.train()
    result = out / "detector.pt"
    need("ultralytics.utils.torch_utils").strip_optimizer(trainer.last, result)
    (out / "figures.json").write_text(json.dumps(evaluate_detector(result, data, recipe.size), indent=1) + "\n")
    return result


def _overrides(data: Path, out: Path, recipe: DetectorRecipe, weights: Path | None) -> dict[str, Any]:
    return {
        "model": str(weights) if weights else NETWORK,
        "pretrained": weights is not None,
        "data": str(data / "data.yaml"),
        "project": str(out.resolve()),
        "name": "run",
        "exist_ok": True,
        "imgsz": max(recipe.size),
        "epochs": recipe.epochs,
        "time": recipe.minutes / 60 if recipe.minutes else None,
        "batch": recipe.batch,
        "nbs": recipe.batch,
        "optimizer": "AdamW",
        "lr0": recipe.learning_rate,
        "lrf": recipe.final_share,
        "cos_lr": True,
        "warmup_epochs": 1.0,
        "warmup_bias_lr": 0.0,
        "weight_decay": 0.01,
        "momentum": 0.9,
        "amp": "bf16" if recipe.half and recipe.device != "cpu" else False,
        "device": recipe.device,
        "seed": recipe.seed,
        "deterministic": False,
        "freeze": recipe.frozen or None,
        "val": False,
        "plots": False,
        "workers": 0,
    }


def _learnable(weights: Path, out: Path, pictures: StreetPictures, torch: Any) -> Path:
    """The weights themselves, or a copy with working batch norms where those were folded away."""
    yolo = need("ultralytics").YOLO(str(weights), task="detect")
    model = yolo.model.float()
    if not norms_are_folded(model, torch):
        return weights
    sample = torch.stack([pictures[number]["img"] for number in range(SAMPLE)]).float() / 255
    unfold_norms(model, sample, torch)
    out.mkdir(parents=True, exist_ok=True)
    start = out / "start.pt"
    yolo.save(str(start))
    return start


def _feed(trainer: Any, pictures: StreetPictures) -> None:
    """Training pictures come from our own drawing at the camera's shape; held-out ones as ultralytics reads them."""
    usual = trainer.build_dataset

    def build(folder: str, mode: str = "train", batch: int | None = None) -> Any:
        return pictures if mode == "train" else usual(folder, mode, batch)

    trainer.build_dataset = build
    # The held-out pictures are measured once, by `evaluate_detector`; the trainer would do it twice.
    trainer.validate = lambda: ({}, 0.0)
    trainer.final_eval = lambda: None


def _halve(model: Any, torch: Any) -> None:
    """Runs the network, but not its loss, in bfloat16 on the processor: ultralytics offers that on CUDA alone.

    Twice as fast where the processor has AVX-512 BF16 or AMX. Box decoding and the loss stay in float32.
    """
    usual = model.forward

    def forward(given: Any, *rest: Any, **options: Any) -> Any:
        if isinstance(given, dict):
            return usual(given, *rest, **options)
        with torch.autocast("cpu", torch.bfloat16):
            found = usual(given, *rest, **options)
        return _as_float(found, torch)

    model.forward = forward


def _as_float(found: Any, torch: Any) -> Any:
    if torch.is_tensor(found):
        return found.float() if found.is_floating_point() else found
    if isinstance(found, dict):
        return {key: _as_float(value, torch) for key, value in found.items()}
    if isinstance(found, (list, tuple)):
        return type(found)(_as_float(value, torch) for value in found)
    return found


def evaluate_detector(model: Path, data: Path, size: tuple[int, int]) -> dict[str, Any]:
    """mAP50 and mAP50-95 over the held-out pictures, all classes and each class by name.

    `model` is a `.pt` or an exported `.onnx`; the measure is ultralytics' (COCO's 101-point average precision).
    """
    os.environ.setdefault("YOLO_OFFLINE", "true")
    yolo = need("ultralytics").YOLO(str(model), task="detect")
    options = {"plots": False, "verbose": False, "rect": True, "workers": 0, "exist_ok": True, "device": "cpu"}
    options |= {"project": str(model.resolve().parent / "check"), "batch": 1 if model.suffix == ".onnx" else 16}
    found = yolo.val(data=str(data / "data.yaml"), imgsz=max(size), **options)
    names = {number: found.names[number] for number in found.box.ap_class_index}
    per_class = {name: round(float(found.box.ap50[place]), 4) for place, name in enumerate(names.values())}
    return {"map50": round(float(found.box.map50), 4), "map50_95": round(float(found.box.map), 4), "ap50": per_class}
