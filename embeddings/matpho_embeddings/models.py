"""The model store: where shipped and exported models lie, that they are whole, and how to load one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from matpho_contracts.errors import BadInputError, IntegrityError, NotFoundError

from .encoder import Encoder
from .runtime import Backend, Precision

CARD = "model.yaml"
CHECKSUMS = "SHA256SUMS"
"""Lines of `sha256sum`: check by hand with `sha256sum -c SHA256SUMS`."""
MAX_CARD_BYTES = 64 << 10
MAX_MODEL_BYTES = 8 << 30

NAMES: Mapping[str, str] = {
    "city": "encoder-city-s",
    "city-detector": "detector-city-n-agpl",
    "city-colours": "colours-city-xs",
}
"""Short names of what ships. All are Apache-2.0 but the detector's weights, which are AGPL-3.0 as its folder says."""

OPEN_CLIP = "open_clip:"
_LINE = re.compile(r"([0-9a-f]{64}) [ *]([A-Za-z0-9][A-Za-z0-9._-]*)")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What `model.yaml` says: `kind` is `encoder`, `detector` or `colours`; `files` maps a part to its file."""

    folder: Path
    kind: str
    name: str
    version: str
    files: Mapping[str, Path]
    settings: Mapping[str, Any]


def model_path(name: str) -> Path:
    """The folder of a shipped model, by its folder's name or short name. NotFoundError where there is none."""
    folder = NAMES.get(name, name)
    if re.fullmatch(r"[a-z0-9][a-z0-9-]*", folder):
        found = Path(str(files("matpho_models"))) / folder
        if (found / CARD).is_file():
            return found
    raise NotFoundError(
        f"No model named {name!r} ships with Matpho.", action=f"Shipped: {', '.join(NAMES)}; or give a folder."
    )


def open_folder(folder: Path) -> ModelCard:
    """Checks every file of a model folder against its checksums, then reads its card.

    Raises NotFoundError (no such model), IntegrityError (a file was changed or is not listed), BadInputError (the
    card says what cannot be).
    """
    if not (folder / CARD).is_file():
        raise NotFoundError(f"{folder} holds no {CARD}.", action="Give a folder written by: matpho models export")
    sums = _read_checksums(folder)
    for name, digest in sums.items():
        _check_file(folder / name, digest)
    if CARD not in sums:
        raise IntegrityError(f"{CARD} is not among the checksums of {folder}.", action="Export the model again.")
    card = _read_card(folder)
    unlisted = sorted(file.name for file in card.files.values() if file.name not in sums)
    if unlisted:
        raise IntegrityError(f"{', '.join(unlisted)} has no checksum in {folder}.", action="Export the model again.")
    return card


def write_checksums(folder: Path) -> None:
    """Writes the checksums of all files of a model folder; the last step of an export."""
    lines = [
        f"{_digest(file)}  {file.name}\n"
        for file in sorted(folder.iterdir())
        if file.is_file() and file.name != CHECKSUMS
    ]
    (folder / CHECKSUMS).write_text("".join(lines))


def load_encoder(
    ref: str | Path = "city", *, backend: Backend = "auto", threads: int = 1, precision: Precision | None = None
) -> Encoder:
    """A ready encoder: a shipped name, a folder of `export_encoder`, or `open_clip:<model>/<pretrained or file>`.

    The last needs the extra `matpho[train]` (torch). `precision` overrides what the model's card recommends.

    >>> encoder = load_encoder("city")
    >>> encoder.encode_texts(["xe tải trắng", "white truck"]).shape
    (2, 256)
    """
    if isinstance(ref, str) and ref.startswith(OPEN_CLIP):
        from .encoder_open_clip import OpenClipEncoder

        model, _, pretrained = ref.removeprefix(OPEN_CLIP).partition("/")
        return OpenClipEncoder(model, pretrained, threads=threads)
    from .encoder_onnx import OnnxEncoder

    folder = Path(ref) if isinstance(ref, Path) or Path(ref).is_dir() else model_path(ref)
    card = open_folder(folder)
    if card.kind != "encoder":
        raise BadInputError(f"{card.name} is a {card.kind}, not an encoder.", action="Use it as the box's detector.")
    return OnnxEncoder(card, backend=backend, threads=threads, precision=precision)


def _read_checksums(folder: Path) -> dict[str, str]:
    file = folder / CHECKSUMS
    if not file.is_file() or file.stat().st_size > MAX_CARD_BYTES:
        raise IntegrityError(f"{folder} has no usable {CHECKSUMS}.", action="Install or export the model again.")
    sums: dict[str, str] = {}
    for line in file.read_text().splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            raise IntegrityError(f"{file} is damaged.", action="Install or export the model again.")
        sums[match.group(2)] = match.group(1)
    return sums


def _check_file(file: Path, digest: str) -> None:
    if not file.is_file():
        raise IntegrityError(f"{file} is missing.", action="Install or export the model again.")
    if file.stat().st_size > MAX_MODEL_BYTES or _digest(file) != digest:
        raise IntegrityError(
            f"{file} is not the file that was published: its checksum differs.",
            action="Install or export the model again.",
        )


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _read_card(folder: Path) -> ModelCard:
    file = folder / CARD
    if file.stat().st_size > MAX_CARD_BYTES:
        raise BadInputError(f"{file} is too large for a model card.")
    try:
        told = yaml.safe_load(file.read_text(encoding="utf-8"))
        parts = {str(part): folder / str(name) for part, name in told["files"].items()}
        card = ModelCard(folder, str(told["kind"]), str(told["name"]), str(told["version"]), parts, told)
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise BadInputError(f"{file} is not a model card ({error}).", action="Export the model again.") from error
    if any(part.parent != folder for part in parts.values()):
        raise BadInputError(f"{file} names a file outside its folder.", action="Export the model again.")
    return card
