"""What an installation says about its workflow engine."""

from __future__ import annotations

from pydantic import Field

from matpho_contracts.settings import SettingsBase


class WorkflowSettings(SettingsBase):
    """The engine that follows incidents; `matpho serve` runs it."""

    on: bool = False
    """Whether this process follows incidents. Without it they wait for a process that does."""
    beat_seconds: float = Field(default=1.0, gt=0, le=60)
    """How often a process says that it lives."""
    dead_after_seconds: float = Field(default=4.0, gt=0, le=600)
    """How long a process may be silent before another takes over what it followed; more than two beats."""
    sweep_seconds: float = Field(default=2.0, gt=0, le=600)
    """How often runs are looked for that nobody follows, or that are late."""
