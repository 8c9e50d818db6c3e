"""Writes the parts of a model folder that are not weights: the model card's data, the card, the licence."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from matpho_contracts.errors import BadInputError

from ..models import CARD, write_checksums


def write_folder(out: Path, told: Mapping[str, Any], card: str, licence: str) -> None:
    """`model.yaml`, `CARD.md`, `LICENSE` and, last, the checksums. A `CARD.md` that is there already is kept."""
    (out / CARD).write_text(yaml.safe_dump(dict(told), allow_unicode=True, sort_keys=False), encoding="utf-8")
    if not (out / "CARD.md").exists():
        (out / "CARD.md").write_text(card, encoding="utf-8")
    (out / "LICENSE").write_text(licence, encoding="utf-8")
    write_checksums(out)


def licence_of(distribution: str) -> str:
    """The full licence text that an installed distribution carries."""
    try:
        found = [file for file in metadata.files(distribution) or [] if file.name.upper() in ("LICENSE", "LICENSE.TXT")]
    except metadata.PackageNotFoundError:
        found = []
    if not found:
        raise BadInputError(f"The licence of {distribution} was not found.", action="Reinstall matpho[train].")
    return Path(str(found[0].locate())).read_text(encoding="utf-8")
