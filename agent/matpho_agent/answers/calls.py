"""What every writer of answers is given: a call with what came of it, and for whom to write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from matpho_platform.access.principal import Principal
from matpho_tools.city import City
from matpho_tools.contract import ToolResult


@dataclass(frozen=True, slots=True)
class Done:
    """One call that was made, with what came of it."""

    tool: str
    arguments: Mapping[str, Any]
    result: ToolResult


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom an answer is written."""

    principal: Principal
    language: str
    now: datetime
    city: City


Writer = Callable[[Done, Reader], str]
