"""The prompt files: complete, checked, named by a hash that moves with every byte."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

import pytest

from matpho_contracts.errors import ConfigurationError
from matpho_prompts.library import LANGUAGES, ROLES, load, shipped


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copied = tmp_path / "roles"
    shutil.copytree(str(resources.files("matpho_prompts") / "roles"), copied)
    return copied


def test_every_role_has_a_prompt_in_both_languages() -> None:
    for role in ROLES:
        for language in LANGUAGES:
            prompt = shipped().get(role, language)
            assert prompt.filled(now="14:30", area="Phường Một").count("{") == 0
            assert prompt.help


def test_the_version_names_the_exact_bytes(folder: Path) -> None:
    before = load(folder).version
    assert before == shipped().version
    file = folder / "officer.vi.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert load(folder).version != before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version: 1\nsystem: a",
        "version: one\nsystem: a\nhelp: b",
        "version: 1\nsystem: 'all cameras: {cameras}'\nhelp: b",
        "version: 1\nsystem: 'stray { brace'\nhelp: b",
        "version: 1\nsystem: ' '\nhelp: b",
        "a: [",
    ],
)
def test_a_broken_file_is_found_at_start(folder: Path, text: str) -> None:
    (folder / "leader.en.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"leader\.en\.yaml"):
        load(folder)


def test_a_missing_file_is_found_at_start(folder: Path) -> None:
    (folder / "citizen.vi.yaml").unlink()
    with pytest.raises(ConfigurationError, match=r"citizen\.vi\.yaml"):
        load(folder)
