"""Exports an open_clip model to a model folder: two ONNX towers, a `tokenizers` file, card, licence, checksums."""

from __future__ import annotations

import json
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError, IntegrityError

from ..encoder_onnx import unit
from ..encoder_open_clip import open_clip_input
from ..encoder_pictures import PictureInput
from ..encoder_words import Words
from ..runtime import open_session
from .caption_batches import picture_input
from .clip_tokenizer import write_clip_tokenizer
from .encoder import build_model
from .extra import need
from .half_weights import halve_weights
from .model_folder import write_folder

OPSET = 17
LEAST_COSINE = 0.999
"""Between what the exported towers and the model itself say; an export below it is refused."""
_CARD = """# {name} {version}

Dual encoder exported from {source}: pictures of {size} pixels and sentences of {context} tokens to {dim} numbers.
Its data, figures and limits are those of the model it was exported from.
"""


@dataclass(frozen=True, slots=True)
class _Source:
    model: Any
    pictures: PictureInput
    context: int
    described: str


def export_encoder(
    model_name: str,
    pretrained: str | Path | None,
    out: Path,
    *,
    name: str = "",
    version: str = "1",
    licence: str = "See the licence of the weights this model was exported from.\n",
    precision: str = "float32",
) -> Path:
    """Writes `image.onnx`, `text.onnx`, `tokenizer.json`, `model.yaml`, `CARD.md`, `LICENSE`, checksums; gives `out`.

    `model_name` is any open_clip model with one of its `pretrained` tags or a checkpoint file, or a folder that
    `train_encoder` wrote (`pretrained` is then None). The exported towers are compared with the model itself:
    IntegrityError below a cosine of 0.999. ConfigurationError without the extra `train`.
    """
    out.mkdir(parents=True, exist_ok=True)
    source = _trained(Path(model_name), out) if Path(model_name).is_dir() else _known(model_name, pretrained, out)
    _write_towers(source, out)
    dim = _check_towers(source, out)
    told = {
        "kind": "encoder",
        "name": name or out.name,
        "version": version,
        "licence": licence.strip().splitlines()[0].strip() if licence.strip() else "",
        "files": {"image": "image.onnx", "text": "text.onnx", "tokenizer": "tokenizer.json"},
        "dim": dim,
        "image_size": source.pictures.size,
        "mean": list(source.pictures.mean),
        "std": list(source.pictures.std),
        "fit": source.pictures.fit,
        "context_length": source.context,
        "tokenizer": "tokenizers",
        "precision": precision,
    }
    card = _CARD.format(
        name=told["name"], version=version, source=source.described, size=source.pictures.size, context=source.context,
        dim=dim,
    )  # fmt: skip
    write_folder(out, told, card, licence)
    return out


def _trained(folder: Path, out: Path) -> _Source:
    """A folder of `train_encoder`."""
    torch = need("torch")
    try:
        config = json.loads((folder / "open_clip_config.json").read_text())
        model = build_model(config["model_cfg"])
        model.load_state_dict(torch.load(folder / "weights.pt", map_location="cpu", weights_only=True))
        shutil.copyfile(folder / "tokenizer.json", out / "tokenizer.json")
        context = int(config["model_cfg"]["text_cfg"]["context_length"])
        return _Source(model.eval(), picture_input(config), context, "weights trained by Matpho")
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise BadInputError(f"{folder} is not a trained encoder ({error}).", action="Train one first.") from error


def _known(model_name: str, pretrained: str | Path | None, out: Path) -> _Source:
    """One of open_clip's own models."""
    open_clip = need("open_clip")
    try:
        model = open_clip.create_model(model_name, pretrained=str(pretrained) if pretrained else None).eval()
        tokenizer = open_clip.get_tokenizer(model_name)
    except Exception as error:
        raise BadInputError(
            f"open_clip cannot load {model_name} with {pretrained or 'no weights'}: {error}.",
            action="See open_clip.list_pretrained(), or give the path of a checkpoint.",
        ) from error
    context = int(tokenizer.context_length)
    write_clip_tokenizer(tokenizer, out / "tokenizer.json", context)
    return _Source(model, open_clip_input(model), context, f"open_clip {model_name}, {pretrained or 'random weights'}")


def _write_towers(source: _Source, out: Path) -> None:
    torch = need("torch")
    size = source.pictures.size
    samples = {"image": torch.zeros(2, 3, size, size), "text": torch.zeros(2, source.context, dtype=torch.int64)}
    samples["text"][:, :3] = torch.tensor([1, 2, 3])
    fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        for tower, sample in samples.items():
            _write_tower(source.model, tower, sample, out / f"{tower}.onnx", torch)
            halve_weights(out / f"{tower}.onnx")
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)


def _write_tower(model: Any, tower: str, sample: Any, file: Path, torch: Any) -> None:
    class Tower(torch.nn.Module):  # type: ignore[misc]  # torch is an optional extra and seen as Any
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, given: Any) -> Any:
            encode = self.model.encode_image if tower == "image" else self.model.encode_text
            return encode(given, normalize=True)

    given = "pixels" if tower == "image" else "ids"
    with warnings.catch_warnings():
        # The tracing exporter warns about each size it takes as fixed; sizes are meant to be fixed.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Tower().eval(), (sample,), str(file), input_names=[given], output_names=["vector"], opset_version=OPSET,
            dynamic_axes={given: {0: "batch"}, "vector": {0: "batch"}}, dynamo=False,
        )  # fmt: skip


def _check_towers(source: _Source, out: Path) -> int:
    """The number of dimensions, once both towers say the same as the model on noise and on real sentences."""
    torch = need("torch")
    size = source.pictures.size
    pixels = np.random.default_rng(1).normal(size=(4, 3, size, size)).astype(np.float32)
    ids = Words(out / "tokenizer.json", source.context).ids(["xe tải trắng", "a white truck", "đám cháy ban đêm"])
    with torch.no_grad():
        wanted = {
            "image": source.model.encode_image(torch.from_numpy(pixels)).numpy(),
            "text": source.model.encode_text(torch.from_numpy(ids)).numpy(),
        }
    samples: dict[str, NDArray[Any]] = {"image": pixels, "text": ids}
    for tower, given in samples.items():
        session = open_session(out / f"{tower}.onnx", "onnxruntime")
        found = session.run({session.inputs[0].name: given})[0]
        cosine = least_cosine(found, wanted[tower])
        if cosine < LEAST_COSINE:
            raise IntegrityError(f"The exported {tower} tower agrees only to a cosine of {cosine:.4f}.")
    return int(wanted["image"].shape[1])


def least_cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """The least cosine between rows of two (n, dim) arrays."""
    return float((unit(first) * unit(second)).sum(axis=1).min())
