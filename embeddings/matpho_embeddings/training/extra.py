"""The door to torch and its companions: imported when a training or export is asked for, never before."""

from __future__ import annotations

import importlib
from typing import Any

from matpho_contracts.errors import ConfigurationError


def need(module: str) -> Any:
    """The imported module, or ConfigurationError that says which extra to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = (error.name or module).split(".")[0]
        raise ConfigurationError(
            f"Training and export need {missing}, which is not installed.", action="pip install 'matpho[train]'"
        ) from error
