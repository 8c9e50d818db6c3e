"""The keeper process: owns the shard, writes what it is told, flushes once for all that wait, then acknowledges."""

from __future__ import annotations

import select
import signal
import socket
import sys
from pathlib import Path

from matpho_embeddings.index._internal.shard import Shard
from matpho_embeddings.index._internal.wire import (
    Message,
    error_message,
    pack,
    pack_points,
    receive,
    unpack_points,
)

GROUP = 32
"""Writes that share one flush at most."""


def serve(connection: socket.socket) -> None:
    """Answer one owner until it goes away; every write is on the disk before it is acknowledged."""
    opening = receive(connection)
    if opening is None:
        return
    try:
        shard = Shard(Path(opening["path"]), opening["dim"], opening["reserve_bytes"])
    except Exception as error:
        connection.sendall(pack(error_message(error)))
        return
    try:
        connection.sendall(pack({"ok": True}))
        while group := _waiting(connection):
            answers = [_carry_out(shard, message) for message in group]
            if any(message["do"] in ("upsert", "delete") for message in group):
                answers = _flushed(shard, answers)
            connection.sendall(b"".join(pack(answer) for answer in answers))
    finally:
        shard.close()


def _waiting(connection: socket.socket) -> list[Message]:
    """The next message and those already there behind it; empty when the owner is gone."""
    group: list[Message] = []
    while not group or (len(group) < GROUP and select.select([connection], [], [], 0)[0]):
        message = receive(connection)
        if message is None:
            return []
        group.append(message)
    return group


def _carry_out(shard: Shard, message: Message) -> Message:
    try:
        match message["do"]:
            case "upsert":
                shard.upsert(unpack_points(message["points"]))
            case "delete":
                shard.delete(message["ids"])
            case "tidy":
                shard.tidy()
            case "page":
                points, following = shard.page(message["after"], message["limit"])
                return {"points": pack_points(points), "next": following}
    except Exception as error:
        return error_message(error)
    return {"ok": True}


def _flushed(shard: Shard, answers: list[Message]) -> list[Message]:
    """Flush; if that fails, nothing of the group counts as written."""
    try:
        shard.flush()
    except Exception as error:
        return [error_message(error)] * len(answers)
    return answers


def main() -> None:
    """Entry: the connection is the inherited socket whose number is the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        try:
            serve(connection)
        except (BrokenPipeError, ConnectionResetError):
            return


if __name__ == "__main__":
    main()
