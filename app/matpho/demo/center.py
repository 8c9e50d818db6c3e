"""The demo's second process: the center. Run as `python -m matpho.demo.center HOME --port P`."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from matpho.demo.children import say
from matpho.home import Home
from matpho.logs import configure_logs
from matpho.serving import serve
from matpho_contracts.errors import MatphoError


def main() -> None:
    """Read the arguments and serve."""
    configure_logs()
    parser = argparse.ArgumentParser(prog="python -m matpho.demo.center", description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    try:
        asyncio.run(
            serve(Home(given.home), port=given.port, ready=lambda url: say(ready={"url": url}), first_run=False)
        )
    except MatphoError as error:
        say(error=str(error))
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
