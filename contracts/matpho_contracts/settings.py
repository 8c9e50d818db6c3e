"""Settings: one YAML file, checked against a model, `${NAME}` taken from the environment, errors with the line."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from matpho_contracts.errors import ConfigurationError

MAX_SETTINGS_BYTES = 4 * 1024 * 1024
_VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")


class SettingsBase(BaseModel):
    """Base of every settings model: unknown keys are an error, values do not change after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid")


SettingsT = TypeVar("SettingsT", bound=BaseModel)


def load_settings(path: Path, model: type[SettingsT]) -> SettingsT:
    """Read and check a settings file; raises ConfigurationError naming the file, the line and what is wrong."""
    try:
        if path.stat().st_size > MAX_SETTINGS_BYTES:
            raise ConfigurationError(f"{path} is too large for a settings file.")
        text = path.read_text(encoding="utf-8")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read.", action="Check the path and its permissions.") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is not YAML: {error}") from error
    try:
        return model.model_validate(_expand(document if document is not None else {}, path))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        line = _line(tree, first["loc"])
        raise ConfigurationError(f"{path}, line {line}: {where or 'file'}: {first['msg']}.") from error


def _expand(value: Any, path: Path) -> Any:
    """Put the environment's values where `${NAME}` stands; raises ConfigurationError when one is not set."""
    if isinstance(value, dict):
        return {key: _expand(item, path) for key, item in value.items()}
    if isinstance(value, list):
        return [_expand(item, path) for item in value]
    if not isinstance(value, str):
        return value

    def lookup(match: re.Match[str]) -> str:
        found = os.environ.get(match[1])
        if found is None:
            raise ConfigurationError(
                f"{path} needs the environment variable {match[1]}.", action="Set it and start again."
            )
        return found

    return _VARIABLE.sub(lookup, value)


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """The line (from 1) of the deepest node on the way to `location`."""
    line = 1
    for part in location:
        if node is None:
            break
        line = node.start_mark.line + 1
        node = _child(node, part)
    return line if node is None else node.start_mark.line + 1


def _child(node: yaml.Node, part: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item: yaml.Node = node.value[part]
        return item
    return None
