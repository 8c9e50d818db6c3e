"""From the words of a model's training set to the words of the event contract."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping

from matpho_contracts.errors import BadInputError
from matpho_contracts.vocabulary import ObjectClass

MAX_CLASSES = 20_000
MAX_LABEL = 64
"""As long as a label of the event contract may be."""

COCO_TO_OURS: Mapping[str, str] = {
    "backpack": ObjectClass.BAG,
    "handbag": ObjectClass.BAG,
    "suitcase": ObjectClass.BAG,
    "motorbike": ObjectClass.MOTORCYCLE,
    "fire engine": ObjectClass.FIRE_ENGINE,
    "fire truck": ObjectClass.FIRE_ENGINE,
}
"""Classes of COCO (and of common fire and traffic sets) that we call otherwise; the rest keep their word."""


def read_names(text: str | None) -> tuple[str, ...]:
    """The class names out of a model's metadata: a Python or JSON dict {0: name} or list; BadInputError when none."""
    if not text:
        raise BadInputError(
            "The model does not say which classes it knows.", action="Export it with its metadata (names) inside."
        )
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadInputError("The model's class names cannot be read.") from error
    if isinstance(value, dict):
        try:
            value = [value[key] for key in sorted(value, key=int)]
        except (TypeError, ValueError) as error:
            raise BadInputError("The model's class names are not numbered.") from error
    if not isinstance(value, list | tuple) or not 0 < len(value) <= MAX_CLASSES:
        raise BadInputError("The model's class names cannot be read.")
    return tuple(str(name).strip()[:MAX_LABEL] or f"class {place}" for place, name in enumerate(value))
