"""Procedures from YAML files; what is wrong with one is said in a sentence: which file, which line, which field."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import ValidationError

from matpho_contracts.errors import ConfigurationError
from matpho_platform.incidents.procedure import Procedure

MAX_FILE_BYTES = 256 * 1024
MAX_FILES = 1_000
_STEP = re.compile(r"^step ([a-z0-9-]+): (after|answers):")
SHIPPED = Path(__file__).parent / "data"
"""Ten procedures, usable as they are."""


def read_procedures(folder: Path) -> tuple[Procedure, ...]:
    """The procedures of a folder's `*.yaml` files, one each, by file name.

    Raises ConfigurationError for a file that is too large, no YAML, no procedure, or has another's id.
    """
    found: dict[str, Procedure] = {}
    for path in sorted(folder.glob("*.yaml"))[:MAX_FILES]:
        procedure = read_procedure(path)
        if procedure.id in found:
            raise ConfigurationError(f"{path.name}: there is another procedure {procedure.id}.")
        found[procedure.id] = procedure
    return tuple(found.values())


def read_procedure(path: Path) -> Procedure:
    """One file. Raises ConfigurationError."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise ConfigurationError(f"{path.name} cannot be read: {error.strerror}.") from error
    if size > MAX_FILE_BYTES:
        raise ConfigurationError(f"{path.name}: a procedure has at most {MAX_FILE_BYTES} bytes.")
    try:
        text = path.read_text(encoding="utf-8")
        document, root = yaml.safe_load(text), yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigurationError(
            f"{path.name}{line} is no YAML: {error.problem or 'unreadable'}.",
            action="Check its indentation and quotes.",
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path.name} is no YAML.", action="Check its indentation and quotes.") from error
    try:
        return Procedure.model_validate(document)
    except ValidationError as error:
        where, problem = _problem(error, document)
        said = ".".join(map(str, where)) or "the file"
        raise ConfigurationError(f"{path.name}, line {_line(root, where)}: {said}: {problem}.") from error


def _problem(error: ValidationError, document: object) -> tuple[tuple[int | str, ...], str]:
    """Where it is wrong and how; of several the field that there is none of, which mostly is another misspelt."""
    found = error.errors(include_url=False, include_input=False)
    first = min(found, key=lambda one: one["type"] != "extra_forbidden")
    problem = str(first["msg"]).removeprefix("Value error, ")
    named = _STEP.match(problem)
    steps = document.get("steps") if isinstance(document, dict) else None
    if first["loc"] or named is None or not isinstance(steps, list):
        return first["loc"], problem
    ids = [step.get("id") if isinstance(step, dict) else None for step in steps]
    number = ids.index(named[1]) if named[1] in ids else 0
    return ("steps", number, named[2]), problem


def _line(node: yaml.Node | None, where: Sequence[int | str]) -> int:
    """The line of a field, or of the nearest thing around it that is written down."""
    line = 1 if node is None else node.start_mark.line + 1
    for part in where:
        inner = None
        if isinstance(node, yaml.MappingNode):
            pairs = [(key, value) for key, value in node.value if str(getattr(key, "value", "")) == str(part)]
            if pairs:
                inner, line = pairs[0][1], pairs[0][0].start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            inner = node.value[part]
            line = inner.start_mark.line + 1
        if inner is None:
            return line
        node = inner
    return line
