"""The keeper process: owns the shard, writes what it is told, and acknowledges when it is safe on the disk.

A group of writes that wait together is 1 given to the shard; 2 added to the journal with one fsync; 3 acknowledged.
Flushing the shard and emptying the journal is done in quiet moments, or when the journal grows long.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

from matpho_contracts.errors import MatphoError
from matpho_embeddings.index._internal.journal import Journal
from matpho_embeddings.index._internal.shard import Shard, converted
from matpho_embeddings.index._internal.wire import (
    Message,
    error_message,
    pack,
    pack_message,
    pack_points,
    receive,
    unpack,
    unpack_points,
)

GROUP = 32
"""Writes that share one fsync at most."""
QUIET_S = 1.0
NICENESS = 5
"""On a busy machine searches go before writes."""
JOURNAL_BYTES = 64 * 1024 * 1024
WRITES = ("upsert", "delete")


class Keeper:
    """The shard and its journal; raises what opening them raises."""

    def __init__(self, folder: Path, dim: int, reserve_bytes: int) -> None:
        self._shard = Shard(folder, dim, reserve_bytes)
        self._journal = Journal(folder / "journal.bin")
        for entry in self._journal.entries():
            self._write(unpack(entry))
        self.settle()

    def carry_out(self, group: list[Message]) -> list[Message]:
        """The answers to a group of requests, in order; what they wrote is durable."""
        answers = [self._answer(message) for message in group]
        done = [i for i, answer in enumerate(answers) if group[i]["do"] in WRITES and "error" not in answer]
        try:
            if done:
                self._journal.append([pack_message(group[i]) for i in done])
        except OSError as error:
            for i in done:
                answers[i] = error_message(converted(error))
        if self._journal.size > JOURNAL_BYTES:
            self.try_to_settle()
        return answers

    def settle(self) -> None:
        """Flush the shard and begin the journal anew."""
        if self._journal.size:
            self._shard.flush()
            self._journal.clear()

    def try_to_settle(self) -> None:
        """Settle, or keep the journal as it is when the disk will not: nothing acknowledged depends on it."""
        with suppress(MatphoError, OSError):
            self.settle()

    def _answer(self, message: Message) -> Message:
        try:
            if message["do"] == "page":
                points, following = self._shard.page(message["after"], message["limit"])
                return {"points": pack_points(points), "next": following}
            if message["do"] == "tidy":
                self._shard.tidy()
            elif message["do"] in WRITES:
                if message["do"] == "upsert":
                    self._shard.check_room()
                self._write(message)
        except Exception as error:
            return error_message(error)
        return {"ok": True}

    def _write(self, message: Message) -> None:
        if message["do"] == "upsert":
            self._shard.upsert(unpack_points(message["points"]))
        else:
            self._shard.delete(message["ids"])

    def close(self) -> None:
        """Flush and let go."""
        self.try_to_settle()
        self._journal.close()
        self._shard.close()


def serve(connection: socket.socket) -> None:
    """Answer one owner until it goes away."""
    opening = receive(connection)
    if opening is None:
        return
    try:
        keeper = Keeper(Path(opening["path"]), opening["dim"], opening["reserve_bytes"])
    except Exception as error:
        connection.sendall(pack(error_message(error)))
        return
    try:
        connection.sendall(pack({"ok": True}))
        while True:
            if not select.select([connection], [], [], QUIET_S)[0]:
                keeper.try_to_settle()
            group = _waiting(connection)
            if not group:
                return
            connection.sendall(b"".join(pack(answer) for answer in keeper.carry_out(group)))
    finally:
        keeper.close()


def _waiting(connection: socket.socket) -> list[Message]:
    """The next message and those already there behind it; empty when the owner is gone."""
    group: list[Message] = []
    while not group or (len(group) < GROUP and select.select([connection], [], [], 0)[0]):
        message = receive(connection)
        if message is None:
            return []
        group.append(message)
    return group


def main() -> None:
    """Entry: the connection is the inherited socket whose number is the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        try:
            serve(connection)
        except (BrokenPipeError, ConnectionResetError):
            return


if __name__ == "__main__":
    main()
