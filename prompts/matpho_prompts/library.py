"""The prompt files: one for each role and language, checked at start; their hash goes into the audit trail."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

import yaml

from matpho_contracts.errors import ConfigurationError

ROLES = ("citizen", "officer", "investigator", "commander", "leader", "auditor", "admin")
LANGUAGES = ("vi", "en")
PLACEHOLDERS = frozenset({"now", "area"})
"""What a system prompt may leave open: the local time and the caller's own areas. Never a list of cameras."""
MAX_PROMPT_CHARS = 6000
_KEYS = {"version", "system", "help"}


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt file: `system` for a model that plans, `help` for the person."""

    role: str
    language: str
    version: int
    system: str
    help: str

    def filled(self, *, now: str, area: str) -> str:
        """The system prompt with its open places filled."""
        return self.system.format(now=now, area=area)


class PromptLibrary:
    """All prompts and the one hash that names their state."""

    def __init__(self, prompts: Mapping[tuple[str, str], Prompt], digest: str) -> None:
        self._prompts = dict(prompts)
        self.version = f"prompts-{digest[:12]}"
        """Names the exact bytes of all files."""

    def get(self, role: str, language: str) -> Prompt:
        """The prompt of a role in a language."""
        return self._prompts[role, language]


def load(folder: Traversable) -> PromptLibrary:
    """Read and check a folder of prompts (`role.language.yaml`). Raises ConfigurationError naming the file."""
    digest = hashlib.sha256()
    prompts: dict[tuple[str, str], Prompt] = {}
    for role in ROLES:
        for language in LANGUAGES:
            name = f"{role}.{language}.yaml"
            try:
                raw = (folder / name).read_bytes()
            except OSError as error:
                raise ConfigurationError(f"The prompt file {name} is missing.") from error
            digest.update(name.encode() + b"\0" + raw + b"\0")
            prompts[role, language] = _prompt(role, language, name, raw)
    return PromptLibrary(prompts, digest.hexdigest())


def _prompt(role: str, language: str, name: str, raw: bytes) -> Prompt:
    try:
        document = yaml.safe_load(raw)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"The prompt file {name} is not YAML.") from error
    if not isinstance(document, dict) or set(document) != _KEYS:
        raise ConfigurationError(f"The prompt file {name} must have exactly: {', '.join(sorted(_KEYS))}.")
    version, system, text = document["version"], document["system"], document["help"]
    if not isinstance(version, int) or not isinstance(system, str) or not isinstance(text, str):
        raise ConfigurationError(f"The prompt file {name} has a value of a wrong type.")
    if len(system) > MAX_PROMPT_CHARS or not system.strip() or not text.strip():
        raise ConfigurationError(f"The prompt file {name} is empty or too long.")
    _check_placeholders(name, system)
    return Prompt(role, language, version, system.strip(), " ".join(text.split()))


def _check_placeholders(name: str, system: str) -> None:
    try:
        used = {field for _text, field, _spec, _conversion in string.Formatter().parse(system) if field is not None}
    except ValueError as error:
        raise ConfigurationError(f"The prompt file {name} has a stray brace.") from error
    if not used <= PLACEHOLDERS:
        raise ConfigurationError(
            f"The prompt file {name} has unknown places: {', '.join(sorted(used - PLACEHOLDERS))}."
        )


@cache
def shipped() -> PromptLibrary:
    """The prompts that ship with the product."""
    return load(resources.files("matpho_prompts") / "roles")
