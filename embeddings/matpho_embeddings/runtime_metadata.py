"""Reads what an ONNX file says about itself (its metadata table) without loading the model."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from matpho_contracts.errors import BadInputError

# Field numbers of ModelProto and StringStringEntryProto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
_MODEL_IR_VERSION = 1
_MODEL_GRAPH = 7
_MODEL_METADATA = 14
_ENTRY_KEY = 1
_ENTRY_VALUE = 2

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10
MAX_METADATA_BYTES = 1 << 20
"""A metadata entry larger than this is refused: names and shapes are a few hundred bytes."""

Buffer = bytes | mmap.mmap


def onnx_metadata(path: Path) -> dict[str, str]:
    """The key-value table of an ONNX file (what exporters write: class names, image size, author).

    Raises BadInputError where the file is no ONNX model: the wire format does not parse or holds no graph.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _read_model(data)
    except (ValueError, OSError) as error:
        raise BadInputError(f"{path.name} is not an ONNX model ({error}).", action="Give a .onnx file.") from error


def _read_model(data: Buffer) -> dict[str, str]:
    found: dict[str, str] = {}
    seen: set[int] = set()
    for number, start, end in _fields(data, 0, len(data)):
        seen.add(number)
        if number == _MODEL_METADATA:
            if end - start > MAX_METADATA_BYTES:
                raise ValueError("a metadata entry is larger than 1 MiB")
            key, value = _read_entry(bytes(data[start:end]))
            found[key] = value
    if not {_MODEL_IR_VERSION, _MODEL_GRAPH} <= seen:
        raise ValueError("it holds no graph")
    return found


def _read_entry(data: bytes) -> tuple[str, str]:
    parts = {number: data[start:end].decode() for number, start, end in _fields(data, 0, len(data))}
    return parts.get(_ENTRY_KEY, ""), parts.get(_ENTRY_VALUE, "")


def _fields(data: Buffer, position: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """(field number, start, end) of each field's payload, in file order."""
    while position < stop:
        key, position = _varint(data, position, stop)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            start = position
            _, position = _varint(data, position, stop)
        elif kind == _BYTES:
            length, start = _varint(data, position, stop)
            position = start + length
        elif kind in (_FIXED32, _FIXED64):
            start = position
            position += 4 if kind == _FIXED32 else 8
        else:
            raise ValueError("its bytes are no protocol buffer")
        if number == 0 or position > stop:
            raise ValueError("it is cut off or no protocol buffer")
        yield number, start, position


def _varint(data: Buffer, position: int, stop: int) -> tuple[int, int]:
    value = 0
    for count in range(_MAX_VARINT_BYTES):
        if position >= stop:
            raise ValueError("it is cut off")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value, position
    raise ValueError("its bytes are no protocol buffer")
