"""Logs: one line an event on standard error (standard output is the answer's), as text or as JSON."""

from __future__ import annotations

import logging
import os
import sys

import structlog


def configure_logs() -> None:
    """Set up both logging libraries; `MATPHO_LOG_LEVEL` (default warning), `MATPHO_LOG_JSON=1` for JSON lines."""
    level = logging.getLevelNamesMapping().get(os.environ.get("MATPHO_LOG_LEVEL", "warning").upper(), logging.WARNING)
    logging.basicConfig(stream=sys.stderr, level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    plain = os.environ.get("MATPHO_LOG_JSON") != "1"
    last = (
        structlog.dev.ConsoleRenderer(colors=False) if plain else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # today's standard error, not the first one's
    )
