"""Exports a trained detector to a model folder: ONNX with its names inside, card, licence, checksums."""

from __future__ import annotations

import ast
import os
import shutil
import tempfile
from pathlib import Path

from matpho_contracts.errors import BadInputError

from ..runtime_metadata import onnx_metadata
from .extra import need
from .half_weights import halve_weights
from .model_folder import licence_of, write_folder

OPSET = 17
LICENCE = "AGPL-3.0"
"""Ultralytics' licence for its networks and what is trained with them."""
_CARD = """# {name} {version}

Detector (YOLO11 by ultralytics), {height}x{width} pixels, {count} classes: {names}.
Licence: AGPL-3.0, see LICENSE. It binds who distributes this model or offers it over a network; the rest of Matpho
is Apache-2.0 and works with any other detector.
"""


def export_detector(
    weights: Path,
    out: Path,
    *,
    size: tuple[int, int] = (288, 512),
    name: str = "detector",
    version: str = "1",
    precision: str = "float32",
) -> Path:
    """Writes `out/detector.onnx`, `model.yaml`, `CARD.md`, `LICENSE` and the checksums; gives `out`.

    `weights` is an ultralytics `.pt` of a detection network, `size` the input's (height, width), `precision` what the
    card recommends to the runtime (`auto`: bfloat16 where the processor has it). The ONNX file takes
    `images` (1, 3, height, width) float32 RGB 0 to 1 and gives (1, 4 + classes, boxes) as ultralytics exports do.
    """
    if weights.suffix != ".pt" or not weights.is_file():
        raise BadInputError(f"{weights} is no ultralytics weights file.", action="Give a .pt file.")
    os.environ.setdefault("YOLO_OFFLINE", "true")
    yolo = need("ultralytics").YOLO
    need("onnxslim")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        copied = Path(scratch) / "detector.pt"
        shutil.copyfile(weights, copied)
        try:
            written = yolo(str(copied), task="detect").export(
                format="onnx", imgsz=list(size), opset=OPSET, simplify=True, device="cpu", verbose=False
            )
        except (RuntimeError, ValueError, AttributeError, KeyError) as error:
            raise BadInputError(
                f"{weights.name} cannot be exported: {error}.", action="Give a detection .pt."
            ) from error
        shutil.copyfile(written, out / "detector.onnx")
    halve_weights(out / "detector.onnx")
    _describe(out / "detector.onnx", f"{name} {version}")
    names = list(ast.literal_eval(onnx_metadata(out / "detector.onnx")["names"]).values())
    height, width = size
    told = {
        "kind": "detector",
        "name": name,
        "version": version,
        "licence": LICENCE,
        "files": {"detector": "detector.onnx"},
        "image_size": {"height": height, "width": width},
        "classes": names,
        "precision": precision,
    }
    card = _CARD.format(
        name=name, version=version, height=height, width=width, count=len(names), names=", ".join(names)
    )
    write_folder(out, told, card, licence_of("ultralytics"))
    return out


def _describe(file: Path, description: str) -> None:
    """Puts a description of ours where the exporter wrote the training set's folder on this machine."""
    onnx = need("onnx")
    model = onnx.load(str(file))
    for entry in model.metadata_props:
        if entry.key == "description":
            entry.value = description
    onnx.save(model, str(file))
