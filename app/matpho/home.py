"""Where an installation keeps its things: one folder, `$MATPHO_HOME` or `.matpho` here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from matpho_contracts.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one installation and the places in it."""

    root: Path

    @classmethod
    def find(cls, given: Path | None = None) -> Home:
        """The folder named on the command line, else `$MATPHO_HOME`, else `.matpho` in the current folder."""
        root = given or Path(os.environ.get("MATPHO_HOME") or ".matpho")
        return cls(root.expanduser().resolve())

    def make(self) -> Home:
        """Create the folder, readable by its owner only; raises ConfigurationError when that cannot be."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            message = f"The folder {self.root} cannot be made."
            raise ConfigurationError(message, action="Check its permissions, or set MATPHO_HOME.") from error
        return self

    @property
    def settings_file(self) -> Path:
        """`matpho.yaml`, written by people; may be absent."""
        return self.root / "matpho.yaml"

    @property
    def center(self) -> Path:
        """Everything the center keeps: database, index, stills, clips, audit key."""
        return self.root / "center"

    @property
    def center_key(self) -> Path:
        """The key that the center signs with: its log, its packages, its questions to the authentication centre."""
        return self.center / "center.pem"

    @property
    def edge(self) -> Path:
        """Everything a box keeps: key, outbox, recordings."""
        return self.root / "edge"

    @property
    def indexing(self) -> Path:
        """The box that `matpho index` is: its key, outbox and progress marks."""
        return self.root / "indexing"

    @property
    def operator_socket(self) -> Path:
        """Where a running center listens for the command line; only the owner can open it."""
        return self.root / "operator.sock"

    @property
    def first_token(self) -> Path:
        """The one-time token with which the first administrator signs in; only the owner can read it."""
        return self.root / "first-administrator.token"

    @property
    def demo(self) -> Path:
        """The simulated city's files: truth, logs, sign-ins."""
        return self.root / "demo"
