"""Starting a child process of the index with one private socket to it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

THREAD_LIMITS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Several searches at once use several cores; one search must not take them all."""


def start_child(module: str) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Run `python -m module FD` with one end of a socket pair; a fresh process, never a fork of a threaded one.

    Nobody else can connect, and the child sees the end of the stream when this process dies.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        environment = {**os.environ, **THREAD_LIMITS, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            [sys.executable, "-m", module, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    return process, ours


def end_child(process: subprocess.Popen[bytes], patience_s: float) -> None:
    """Wait for a child that was told to end (its socket is closed); kill it when it does not."""
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
