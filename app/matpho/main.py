"""The command line: `matpho …`. A command is one file in `commands/`; an error is one sentence and an exit code."""

from __future__ import annotations

import importlib
import sys

import typer

from matpho.logs import configure_logs
from matpho_contracts.errors import MatphoError

COMMANDS = (
    "ask", "search", "index", "verify", "audit", "demo", "serve", "box", "users", "policies", "procedures", "bench",
    "eval", "models", "notify",
)  # fmt: skip
"""Command modules, each with a `register(app)`; imported only as far as the first word asks, for a quick start."""

_INTERRUPTED = 130
"""Exit code of a command ended by Ctrl-C, as shells have it."""


def build(only: str | None = None) -> typer.Typer:
    """The command line with all commands, or with the one named."""
    app = typer.Typer(
        name="matpho",
        help="Mắt phố: an assistant over a city's cameras.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
        rich_markup_mode=None,
    )
    # A callback makes typer keep the command's name even where only one command is loaded.
    app.callback()(_root)
    for name in COMMANDS if only is None else (only,):
        importlib.import_module(f"matpho.commands.{name}").register(app)
    return app


def _root() -> None:
    """Mắt phố: an assistant over a city's cameras."""


def main() -> None:
    """Run the command line; a known error ends in its sentence on stderr and its own exit code."""
    configure_logs()
    first = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    try:
        build(first if first in COMMANDS else None)()
    except MatphoError as error:
        print(f"matpho: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        raise SystemExit(_INTERRUPTED) from None


if __name__ == "__main__":
    main()
