"""What `./dev` says on a machine that lacks something: one sentence, exit code 2."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
TOOLS = ("sh", "cat", "cksum", "cut", "dirname", "env", "grep", "tail", "uname")

needs_checkout = pytest.mark.skipif(not (REPOSITORY / "dev").is_file(), reason="./dev is not part of an installation")
pytestmark = needs_checkout


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder for PATH with the plainest tools and nothing else."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    return tools


def dev(command: str, path: Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(REPOSITORY / "dev"), command],
        env={"PATH": str(path), "HOME": str(folder), "MATPHO_VENV": str(folder / "venv"), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def python(tools: Path, before: str = "") -> None:
    """This interpreter under the name that `./dev` looks for, after the given lines of shell."""
    script = tools / f"python3.{sys.version_info.minor}"
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    script.write_text(f'#!/bin/sh\n{before}\nexec {base} "$@"\n')
    script.chmod(0o755)


def said(result: subprocess.CompletedProcess[str]) -> str:
    """Its last line, once it is seen that it stopped as it should."""
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr.strip().splitlines()[-1]


def test_without_python(bare: Path, tmp_path: Path) -> None:
    assert "apt install python3" in said(dev("demo", bare, tmp_path))


def test_with_a_python_that_is_too_old(bare: Path, tmp_path: Path) -> None:
    python(bare, 'case "$2" in *version_info*) exit 1;; esac')
    assert "Python 3.11, 3.12 or 3.13 is needed" in said(dev("demo", bare, tmp_path))


def test_without_pythons_venv_module(bare: Path, tmp_path: Path) -> None:
    python(bare, 'case "$2" in *ensurepip*) exit 1;; esac')
    assert "apt install python3-venv" in said(dev("demo", bare, tmp_path))
    assert not (tmp_path / "venv").exists()


@pytest.mark.skipif(os.environ.get("PIP_NO_INDEX") is not None, reason="pip has no index here to be away")
def test_without_a_network(bare: Path, tmp_path: Path) -> None:
    python(bare)
    closed = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1", "PIP_CONFIG_FILE": os.devnull}
    result = dev("demo", bare, tmp_path, **closed)
    assert "The package index cannot be reached" in said(result)
    assert not (tmp_path / "venv" / ".matpho-demo").exists()


def test_without_git(bare: Path, tmp_path: Path) -> None:
    """The environment is there already; lint alone needs git."""
    (tmp_path / "venv").mkdir()
    wanted = subprocess.run(
        ["sh", "-c", "cat locks/dev.txt pyproject.toml | cksum"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    (tmp_path / "venv" / ".matpho-dev").write_text(wanted)
    assert "apt install git" in said(dev("lint", bare, tmp_path))
