"""The assistant reaches the center through the gateway and in no other way."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import matpho_agent
import matpho_tools

VALUES = {
    "matpho_platform.incidents.schemas",
    "matpho_platform.incidents.states",
    "matpho_platform.access.principal",
    "matpho_platform.access.watching",
    "matpho_platform.identity.grant",
    "matpho_platform.web.session",
}
"""Modules that hold values or tell who calls; nothing in them has an effect on the city."""


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def _files(package: object) -> list[Path]:
    return sorted(Path(str(package.__file__)).parent.rglob("*.py"))  # type: ignore[attr-defined] # a module


def test_no_service_of_the_center_is_imported_by_the_agent() -> None:
    for file in _files(matpho_agent):
        foreign = {name for name in _imports(file) if name.startswith("matpho_platform")} - VALUES
        assert not foreign, f"{file.name} reaches past the gateway: {foreign}"


def test_only_tools_and_the_registry_of_names_touch_the_center() -> None:
    touching = {
        file.name
        for file in _files(matpho_tools)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"center", "_center"}
    }
    tools = {f"{name}.py" for name in matpho_tools_names()}
    assert touching <= tools | {"gateway.py", "city.py", "trail.py", "resources.py"}


def matpho_tools_names() -> list[str]:
    from matpho_tools.registry import TOOLS

    return list(TOOLS)


def test_the_gateway_itself_calls_nothing_of_the_center_but_policy_log_and_what_waits() -> None:
    parts = [file for file in _files(matpho_tools) if file.name in {"gateway.py", "trail.py"}]
    reached = {
        node.attr
        for part in parts
        for node in ast.walk(ast.parse(part.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "_center"
    }
    assert reached == {"audit", "policy", "proposals"}


def test_checkpoints_may_hold_plain_values_only() -> None:
    import os

    assert os.environ["LANGGRAPH_STRICT_MSGPACK"] == "true"
    assert os.environ["LANGSMITH_TRACING"] == "false"
