"""The shape of the house: no top-level folder is a package, and every package says what lives in it."""

import ast
import platform
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE_ROOTS = ["contracts", "embeddings", "edge", "platform", "tools", "prompts", "agent", "simcity", "app", "models"]
OWN_FILES = [path for root in SOURCE_ROOTS for path in (ROOT / root).rglob("*.py")]


def test_importing_platform_gives_the_standard_library() -> None:
    assert platform.__file__ is not None
    assert not Path(platform.__file__).is_relative_to(ROOT / "platform")
    assert platform.python_version()


@pytest.mark.parametrize("folder", [*SOURCE_ROOTS, "tests", *(f"tests/{root}" for root in SOURCE_ROOTS)])
def test_no_folder_is_a_package_by_its_name(folder: str) -> None:
    assert not (ROOT / folder / "__init__.py").exists()


@pytest.mark.parametrize("root", SOURCE_ROOTS)
def test_each_source_root_holds_exactly_one_package(root: str) -> None:
    packages = [path.name for path in (ROOT / root).iterdir() if (path / "__init__.py").exists()]
    expected = "matpho" if root == "app" else f"matpho_{root}"
    assert packages == [expected]


@pytest.mark.parametrize("path", OWN_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_opens_with_a_sentence(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), "the first line says what the file is"


def test_no_room_for_odds_and_ends() -> None:
    forbidden = {"util", "utils", "helpers", "common", "misc"}
    assert not [path for path in OWN_FILES if forbidden & {path.stem, *path.relative_to(ROOT).parts}]


def test_the_wheel_carries_every_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(package.split("/")[0] for package in packages) == sorted(SOURCE_ROOTS)


def test_the_default_install_carries_no_torch_and_nothing_agpl() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    default = [*project["dependencies"], *(line for name, lines in extras.items() if name != "train" for line in lines)]
    heavy = ("torch", "torchvision", "open-clip-torch", "ultralytics")
    assert not [line for line in default if line.split(">")[0].split("[")[0].strip() in heavy]


def test_torch_and_ultralytics_are_only_imported_inside_functions() -> None:
    late = {"torch", "torchvision", "open_clip", "ultralytics"}
    for path in OWN_FILES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert not late & {name.split(".")[0] for name in names}, f"{path} imports a training library at its top"
