"""The demo's third process: the edge box. Run as `python -m matpho.demo.box SETTINGS`."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from matpho.box import run_box
from matpho.demo.children import say
from matpho.logs import configure_logs
from matpho_contracts.errors import MatphoError


def main() -> None:
    """Read the arguments and run."""
    configure_logs()
    parser = argparse.ArgumentParser(prog="python -m matpho.demo.box", description=__doc__)
    parser.add_argument("settings", type=Path)
    given = parser.parse_args()
    try:
        asyncio.run(run_box(given.settings, lambda cameras: say(ready={"cameras": cameras})))
    except MatphoError as error:
        say(error=str(error))
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
