"""An act that waits: exactly what will run, for whom, until when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class Proposal(BaseModel):
    """One waiting act. `arguments` are those that will run, as plain JSON values, shown to the person as they are.

    `rows` are the lines that showed them when it was proposed: argument, label and value in both languages, source.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    user_id: str
    tool: str
    arguments: dict[str, Any]
    rows: tuple[dict[str, str], ...] = ()
    conversation: str = ""
    created_at: datetime
    expires_at: datetime
