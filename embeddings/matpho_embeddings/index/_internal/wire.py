"""What travels between the processes of the index: length-prefixed MessagePack frames, vectors as raw float32 bytes."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import msgpack
import numpy as np
from numpy.typing import NDArray

from matpho_contracts.errors import (
    BadInputError,
    ConfigurationError,
    IntegrityError,
    MatphoError,
    StorageFullError,
    UnavailableError,
)
from matpho_embeddings.index.contract import Found, Hit, IndexFilter, Near, Payload, Point, Query

MAX_FRAME_BYTES = 64 * 1024 * 1024
_LENGTH = struct.Struct("<I")
_FLOAT = np.dtype("<f4")
Message = dict[str, Any]

_ERRORS: dict[str, type[MatphoError]] = {
    kind.code: kind for kind in (BadInputError, ConfigurationError, IntegrityError, StorageFullError, UnavailableError)
}


class ConnectionLostError(UnavailableError):
    """The process on the other end is gone."""


def pack_message(message: Message) -> bytes:
    """The MessagePack body of a frame."""
    body: bytes = msgpack.packb(message)
    return body


def pack(message: Message) -> bytes:
    """A frame: 4 bytes little-endian length and the MessagePack body."""
    body = pack_message(message)
    if len(body) > MAX_FRAME_BYTES:
        raise BadInputError(f"A message of {len(body)} bytes is over the limit of {MAX_FRAME_BYTES}.")
    return _LENGTH.pack(len(body)) + body


def unpack(body: bytes) -> Message:
    """The message of a frame's body."""
    message: Message = msgpack.unpackb(body, max_bin_len=MAX_FRAME_BYTES, max_array_len=1_000_000)
    return message


def _length(header: bytes) -> int:
    (size,) = _LENGTH.unpack(header)
    if size > MAX_FRAME_BYTES:
        raise ConnectionLostError(f"A frame of {size} bytes: the other end does not speak this protocol.")
    return int(size)


async def read_frame(reader: asyncio.StreamReader) -> Message:
    """The next message; raises ConnectionLostError at the end of the stream."""
    try:
        size = _length(await reader.readexactly(_LENGTH.size))
        return unpack(await reader.readexactly(size))
    except (asyncio.IncompleteReadError, OSError) as error:
        raise ConnectionLostError("The index process is gone.") from error


def receive(connection: socket.socket) -> Message | None:
    """The next message of a blocking socket, or None when the other end closed it."""
    header = _receive_exactly(connection, _LENGTH.size)
    if header is None:
        return None
    body = _receive_exactly(connection, _length(header))
    return None if body is None else unpack(body)


def _receive_exactly(connection: socket.socket, size: int) -> bytes | None:
    received = bytearray(size)
    view, done = memoryview(received), 0
    while done < size:
        count = connection.recv_into(view[done:])
        if count == 0:
            return None
        done += count
    return bytes(received)


def error_message(error: Exception) -> Message:
    """An exception as a message; only our own errors keep their text."""
    if isinstance(error, MatphoError):
        return {"error": error.code, "text": error.message, "action": error.action}
    return {"error": UnavailableError.code, "text": f"The index failed: {type(error).__name__}: {error}", "action": ""}


def raise_error(message: Message) -> None:
    """Raise the error a message carries, if it carries one."""
    if "error" in message:
        kind = _ERRORS.get(message["error"], UnavailableError)
        raise kind(message["text"], action=message["action"])


def pack_vectors(vectors: Mapping[str, NDArray[np.float32]]) -> dict[str, bytes]:
    """Vectors by name as raw bytes."""
    return {name: np.ascontiguousarray(vector, _FLOAT).tobytes() for name, vector in vectors.items()}


def unpack_vectors(packed: Mapping[str, bytes]) -> dict[str, NDArray[np.float32]]:
    """The float32 vectors of `pack_vectors`."""
    return {name: np.frombuffer(raw, _FLOAT) for name, raw in packed.items()}


def payload_document(payload: Payload) -> dict[str, Any]:
    """A payload as plain JSON types, empty fields left out: what stands in Qdrant."""
    document = {field.name: getattr(payload, field.name) for field in fields(Payload)}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in document.items()
        if value not in (None, (), "", {})
    }


_TUPLES = ("sure", "plates")


def payload_of(document: Mapping[str, Any]) -> Payload:
    """The payload of a document."""
    known: Message = {field.name: document[field.name] for field in fields(Payload) if field.name in document}
    return Payload(**known | {name: tuple(known[name]) for name in _TUPLES if name in known})


def pack_points(points: Sequence[Point]) -> bytes:
    """Points as MessagePack, to be passed on unopened."""
    packed: bytes = msgpack.packb([(p.id, pack_vectors(p.vectors), payload_document(p.payload)) for p in points])
    return packed


def unpack_points(packed: bytes) -> list[Point]:
    """The points of `pack_points`."""
    rows = msgpack.unpackb(packed)
    return [Point(point_id, unpack_vectors(vectors), payload_of(document)) for point_id, vectors, document in rows]


def pack_search(query: Query, where: IndexFilter) -> Message:
    """A query and its filter."""
    ranked = {"words": list(query.words), "attributes": list(query.attributes)}
    return {"dense": pack_vectors(query.dense), **ranked, "where": asdict(where)}


def unpack_query(message: Message) -> Query:
    """The query of `pack_search`."""
    return Query(unpack_vectors(message["dense"]), tuple(message["words"]), tuple(message["attributes"]))


def unpack_filter(document: Message) -> IndexFilter:
    """The filter of `pack_search`."""
    values = document | {name: tuple(value) for name, value in document.items() if isinstance(value, list)}
    near = document["near"]
    return IndexFilter(**values | {"near": None if near is None else Near(**near)})


def pack_found(found: Found) -> Message:
    """A page of hits."""
    return {"hits": [(h.id, h.score, dict(h.parts)) for h in found.hits], "total": found.total, "exact": found.exact}


def unpack_found(message: Message) -> Found:
    """The page of `pack_found`."""
    return Found(tuple(Hit(*hit) for hit in message["hits"]), message["total"], message["exact"])
