"""The Can Tho world can be made again byte for byte, and its set agrees with it as computed, not as claimed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SECONDS = 120


def _run(folder: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)


def test_the_world_is_reproducible(tmp_path: Path) -> None:
    made = tmp_path / "world.json"
    assert _run(HERE, "make_world.py", str(made)).returncode == 0
    assert made.read_bytes() == (HERE / "world.json").read_bytes()


def test_the_set_agrees_with_the_world() -> None:
    checked = _run(HERE, "check_set.py")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ('"includes": ["BT-6"], "excludes"', '"includes": ["BT-4"], "excludes"', "need not be found"),
        ('"includes": ["BT-6"]}', '"includes": ["BT-4"]}', "speaks of something else"),
        ('"excludes": ["AB03", "BT-4"]', '"excludes": ["AB03", "BT-6"]', "may be found"),
        ('"unit_id": "D-NK-GT"', '"unit_id": "D-XX-GT"', "does not have"),
        ('"preset": "bến tàu"', '"preset": "bến xe"', "has no preset"),
        ('"camera_id": "NK.08"', '"camera_id": "CR.11"', "outside"),
        (
            '"incident_id": "SV-26-0114", "status": "closed"',
            '"incident_id": "SV-26-0114", "status": "resolved"',
            "already",
        ),
        ('"outcome": "failed"', '"outcome": "answered"', "the camera is off"),
        ('"request_id": "XM-2026-013", "decision"', '"request_id": "XM-2026-014", "decision"', "cannot be decided"),
    ],
)
def test_a_wrong_expectation_is_found(tmp_path: Path, right: str, wrong: str, complaint: str) -> None:
    for name in ("check_set.py", "world.json"):
        shutil.copy(HERE / name, tmp_path)
    text = (HERE / "set.jsonl").read_text(encoding="utf-8")
    assert right in text
    (tmp_path / "set.jsonl").write_text(text.replace(right, wrong, 1), encoding="utf-8")
    checked = _run(tmp_path, "check_set.py")
    assert checked.returncode == 1
    assert complaint in checked.stdout
