"""Where the security operations centre listens."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from matpho_contracts.settings import SettingsBase


class SocSettings(SettingsBase):
    """A syslog receiver over TLS (RFC 5425)."""

    host: str
    port: int = Field(default=6514, ge=1, le=65535)
    ca: Path | None = None
    """PEM of the authorities that may have signed the receiver's certificate; without it, the system's."""
    server_name: str = ""
    """The name in the receiver's certificate, where it is another than `host`."""
    certificate: Path | None = None
    """PEM of our own certificate and key, for a receiver that asks who sends."""
    format: Literal["cef", "json"] = "cef"
    least_severity: int = Field(default=0, ge=0, le=10)
    """Events below this (CEF's scale of 0 to 10) are not sent."""
