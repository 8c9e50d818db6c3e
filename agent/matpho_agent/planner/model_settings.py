"""Which model plans: the rules that ship, or any OpenAI-compatible endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from matpho_contracts.settings import SettingsBase


class ModelSettings(SettingsBase):
    """An OpenAI-compatible endpoint (`base_url` as its clients want it, with /v1)."""

    base_url: str
    name: str
    api_key: SecretStr = SecretStr("none")
    timeout_s: float = Field(default=20.0, gt=0, le=120)
    """For one answer; after that the rules take over."""
    temperature: float = Field(default=0.0, ge=0, le=2)


class AssistantSettings(SettingsBase):
    """The assistant's own settings."""

    model: ModelSettings | None = None
    """None: the deterministic planner alone."""
    memory: Literal["sqlite", "postgres", "process"] = "sqlite"
    """Where conversations are kept; in the process they end with it."""
    memory_path: Path | None = None
    """The SQLite file of conversations; needed where `memory` is `sqlite`."""
    memory_url: SecretStr | None = None
    """`postgresql://…` of the conversations; needed where `memory` is `postgres`."""
    turn_seconds: float = Field(default=60.0, gt=0, le=300)
    max_calls: int = Field(default=8, ge=1, le=12)
    """Tool calls in one turn."""
