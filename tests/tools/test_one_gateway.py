"""The building itself holds the rule: what a domain does or shows is reached from a tool's own file and nowhere else.

Every `….<service>.<method>` in the product is found in its syntax tree, where `<service>` is a field of the open
center. Tools may call; each exception below has its reason. A new way past the gateway turns this red.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import matpho
import matpho_agent
import matpho_platform
import matpho_tools
from matpho_platform.center import Center
from matpho_tools.registry import TOOLS

PLUMBING = {
    "settings", "store", "blobs", "areas", "policy", "key", "edges", "registry", "intake", "live", "workers", "index",
    "encoder", "information",
}  # fmt: skip
"""Parts of the center that are no domain: storage, the policy itself, what boxes bring in, public information."""
DOMAINS = {field.name for field in fields(Center)} - PLUMBING - {"_stack"}
ALLOWED = {
    "matpho_tools/gateway.py": {
        "proposals.put", "proposals.take", "proposals.give_back", "proposals.drop", "proposals.waiting",
    },
    "matpho_tools/trail.py": {"audit.append", "audit.append_or_spool", "audit.secret"},
    "matpho_tools/resources.py": {  # where a thing is and whose, for the policy's question alone
        "events.area_of", "incidents.area_of", "incidents.helping", "units.area_of", "identity.parties",
        "feedback.owner_of", "cameras.status", "cameras.lineage", "lenses.held_by",
    },
    "matpho_tools/chat_acts.py": {"accounts.find", "desk.chats"},  # who answers, and their way in
    "matpho_tools/city.py": {"cameras.areas", "cameras.names", "units.all", "accounts.all"},  # names to resolve
}  # fmt: skip
"""Files of the tools' floor that are no tool."""
FLOORS = (matpho_agent, matpho_tools, matpho)
OWNER = {
    "operator.py",
    "operator_users.py",
    "operator_policies.py",
    "operator_notify.py",
    "audit_desk.py",
    "installation.py",
    "serving.py",
}
"""The command line of whoever owns the machine: accounts, the log, a trial of a channel; it reads no events and acts on
none."""
OWNERS = {"accounts", "administration", "audit", "cameras", "desk"}
REGISTERS = {("registers.py", "incidents", "load"), ("registers.py", "procedures", "all")}
"""What the owner's file names: units and procedures. No incident is made by it."""
FILLING = {"world.py", "world_box.py", "world_file.py", "world_people.py"}
"""Evaluation fills an empty installation of its own, and looks at what it did."""
SIGNING_IN = {"accounts", "administration", "audit"}
"""What endpoints of the platform may use: who calls, and that the call is on record."""


@dataclass(frozen=True)
class Reached:
    file: str
    service: str
    method: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.service}.{self.method}"


def reached(package: object, pattern: str = "*.py") -> Iterator[Reached]:
    root = Path(str(package.__file__)).parent  # type: ignore[attr-defined] # a module
    for file in sorted(root.rglob(pattern)):
        name = f"{root.name}/{file.relative_to(root)}"
        yield from found_in(name, file.read_text(encoding="utf-8"))


def found_in(name: str, source: str) -> Iterator[Reached]:
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute)):
            continue
        holder = node.value.value
        of_center = (isinstance(holder, ast.Name) and holder.id == "center") or (
            isinstance(holder, ast.Attribute) and holder.attr in {"center", "_center"}
        )
        if of_center and node.value.attr in DOMAINS:
            yield Reached(name, node.value.attr, node.attr, node.lineno)


def permitted(one: Reached) -> bool:
    package, _, path = one.file.partition("/")
    file = Path(path).name
    if package == "matpho_tools":
        return file.removesuffix(".py") in TOOLS or f"{one.service}.{one.method}" in ALLOWED.get(one.file, set())
    if package == "matpho":
        if path.startswith("eval/") and file in FILLING:
            return True
        if (path, one.service, one.method) in REGISTERS:
            return True
        return path.startswith(("bench/", "demo/", "eval/")) or (file in OWNER and one.service in OWNERS)
    return False


def test_services_of_the_center_are_called_by_tools_alone() -> None:
    past = [str(one) for package in FLOORS for one in reached(package) if not permitted(one)]
    assert past == []


def test_endpoints_of_the_platform_reach_no_domain() -> None:
    past = [
        str(one)
        for pattern in ("endpoints.py", "*_endpoints.py", "web/*.py")
        for one in reached(matpho_platform, pattern)
        if one.service not in SIGNING_IN and (one.service, one.file) not in BOXES
    ]
    assert past == []


BOXES = {("commands", "matpho_platform/cameras/endpoints.py"), ("cameras", "matpho_platform/web/health.py")}
"""Boxes fetch what the center asks of them; health counts boxes."""


def test_no_floor_above_makes_a_service_of_its_own() -> None:
    """A second service over the same store would be a second way in."""
    services = {
        "IncidentService",
        "IdentityService",
        "EvidenceService",
        "FeedbackService",
        "WatchService",
        "EventService",
    }
    services |= {"MediaService", "CameraService", "CommandQueue", "Lenses", "Proposals"}
    made = [
        f"{file.name}:{node.lineno} {node.func.id}"
        for package in FLOORS
        for file in Path(str(package.__file__)).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in services
    ]
    assert made == []


def test_the_guard_sees_a_way_past() -> None:
    past = "async def f(center):\n    await center.incidents.open('x')\n"
    assert [(one.service, one.method) for one in found_in("matpho_agent/sly.py", past)] == [("incidents", "open")]
    assert not permitted(next(found_in("matpho_agent/sly.py", past)))
    hidden = "class A:\n    def f(self):\n        return self._center.identity.decide\n"
    assert not permitted(next(found_in("matpho_tools/sly.py", hidden)))
