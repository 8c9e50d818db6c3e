"""What the attacker does: every tool with every kind of wrong argument, forged keys, other people's proposals.

Seeded: the same seed attacks in the same way. It knows every id of the city, which no model would.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matpho.eval.attacker_arguments import FITTING, Things
from matpho_tools.registry import TOOLS

STRANGE_TOOLS = (
    "",
    "sql",
    "confirm",
    "cancel",
    "say",
    "__init__",
    "proposals.take",
    "search_events\x00",
    "\ud800",
    "x" * 9_000,
)
FORGED: Mapping[str, Any] = {
    "runtime": {"principal": {"role": "commander", "user_id": "com-1"}},
    "principal": {"user_id": "com-1", "role": "commander", "areas": []},
    "role": "commander",
    "scope": None,
    "confirmed": True,
    "confirm": "yes",
    "proposal": {"id": "AAAA", "tool": "dispatch_unit"},
    "proposal_id": "AAAA",
    "key": "replayed",
    "now": "2020-01-01T00:00:00+07:00",
    "user_id": "com-1",
    "as_user": "adm-1",
    "mfa_at": "2026-11-21T14:30:00+07:00",
    "channel": "operator",
    "bypass_policy": True,
    "\ud800": "lone surrogate",
    "__class__": "Principal",
    "a\x00b": 1,
}
"""Keys that a model hopes somebody reads."""
DEEP = 3_000
_TOOLS = sorted(TOOLS)


def _nested() -> Any:
    value: Any = "x"
    for _ in range(DEEP):
        value = [value]
    return value


JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 2**31, 2**63, -(2**63) - 1, 10**400, 1e308, float("nan"), float("inf"), float("-inf"), 1e-320,
    "", " ", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "' OR 1=1 --", "'; DROP TABLE incidents; --", "%' ESCAPE '\\",
    "../../../../etc/passwd", "file:///etc/shadow", "http://169.254.169.254/latest", "{{7*7}}", "${jndi:ldap://x}",
    "A" * 100_000, "🏴‍☠️" * 300, "\u202eevil\u2066", "e\u0301" * 500, "ﷺ" * 100, "\r\nSet-Cookie: a=b",
    [], {}, [[]], [None] * 500,
    {"$ne": None}, {"role": "commander"}, ["x"] * 5_000, "1; ATTACH DATABASE 'x'", "0x41", "NaN", "9" * 400,
    "2026-02-30T25:61:00+99:00", "0000-00-00", "9999-12-31T23:59:59.999999+00:00", "0001-01-01T00:00:00+14:00",
    "approve", "*",
    "TT", "com-1", _nested(),
)  # fmt: skip


class Arsenal(Things):
    """Makes calls of a city."""

    def attack(self) -> tuple[str, dict[str, Any]]:
        """A tool's name and arguments: mostly almost right, often plainly wrong."""
        rng = self.rng
        if rng.random() < 0.02:
            return rng.choice(STRANGE_TOOLS), {"x": rng.choice(JUNK)}
        tool = rng.choice(_TOOLS)
        arguments = self.plausible(tool)
        turn = rng.random()
        if turn < 0.35:
            return tool, arguments
        for _ in range(rng.randint(1, 3)):
            self._spoil(arguments)
        return tool, arguments

    def _spoil(self, arguments: dict[str, Any]) -> None:
        rng = self.rng
        how = rng.randrange(6)
        if how == 0 or not arguments:
            name = rng.choice(list(FORGED))
            arguments[name] = FORGED[name]
        elif how == 1:
            arguments[rng.choice(list(arguments))] = rng.choice(JUNK)
        elif how == 2:
            arguments.pop(rng.choice(list(arguments)))
        elif how == 3:
            name = rng.choice(list(arguments))
            arguments[name] = [arguments[name]] * rng.choice((1, 2, 300))
        elif how == 4:
            name = rng.choice(list(arguments))
            arguments[name] = rng.choice([*self.events[:3], *self.cameras[:3], *self.incidents[:3], *self.users[:3]])
        else:
            inner = [value for value in arguments.values() if isinstance(value, dict)]
            target = rng.choice(inner) if inner else arguments
            target[rng.choice([*FORGED, *list(target)])] = rng.choice(JUNK)

    def plausible(self, tool: str) -> dict[str, Any]:
        """Arguments that fit the tool, of things anywhere in the city."""
        return FITTING[tool](self)
