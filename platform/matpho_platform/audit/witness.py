"""What somebody else kept of the log: a signed note, or the file of checkpoints, copied out of the center's reach."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matpho_contracts.errors import BadInputError
from matpho_contracts.signing import PublicKey
from matpho_platform.audit.checkpoints import CheckpointFile, problem_of
from matpho_platform.audit.errors import AuditBrokenError
from matpho_platform.audit.note import MAX_NOTE_BYTES, Checkpoint, open_note, origin_of


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A head that a witness kept: a size, its root (hex), and what is wrong with it, if anything."""

    size: int
    root: str
    problem: str = ""


def read_witness(path: Path, key: PublicKey) -> Sequence[Witnessed]:
    """The heads in a witness's file: a signed note (the published `checkpoint`) or lines of JSON checkpoints.

    A head that another key signed is given back with its problem: it may be the true one, and ours the forged.
    Raises BadInputError when the file is neither.
    """
    try:
        with path.open("rb") as file:
            start = file.read(MAX_NOTE_BYTES + 1)
        if start.startswith(b"{"):
            lines = CheckpointFile(path).read()
            if not lines:
                raise ValueError("it has no line that is whole")
            return [Witnessed(int(one["size"]), str(one["root"]), problem_of(one, key)) for one in lines]
        return [read_note(start, key)]
    except (OSError, AuditBrokenError, json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"{path.name} holds no checkpoint: {error}") from error


def read_note(note: bytes, key: PublicKey) -> Witnessed:
    """A note's head. Raises AuditBrokenError when it is no checkpoint note at all."""
    unsigned = Checkpoint.read(note.decode("utf-8", "replace").rpartition("\n\n")[0] + "\n")
    try:
        Checkpoint.read(open_note(note, origin_of(key), key))
        wrong = "" if unsigned.origin == origin_of(key) else "The witness's checkpoint is of another log."
    except AuditBrokenError as error:
        wrong = f"The witness's checkpoint of {unsigned.size} entries: {error}"
    return Witnessed(unsigned.size, unsigned.root.hex(), wrong)


def published(folder: Path, key: PublicKey) -> tuple[Witnessed | None, str]:
    """The published note beside the tiles, and what is wrong with it; None when nothing was published yet."""
    path = folder / "checkpoint"
    if not path.exists():
        return None, ""
    try:
        with path.open("rb") as file:
            head = Checkpoint.open(file.read(MAX_NOTE_BYTES + 1), key)
    except AuditBrokenError as error:
        return None, f"The published checkpoint: {error}"
    return Witnessed(head.size, head.root.hex()), ""
