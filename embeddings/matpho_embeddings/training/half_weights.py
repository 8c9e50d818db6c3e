"""Stores the large weights of an ONNX file as float16: half the size, computed with in float32 as before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .extra import need

SMALLEST = 1024
"""Numbers; shorter arrays (biases, norms) stay as they are."""
LARGEST_HALF = 65_000.0


def halve_weights(file: Path) -> None:
    """Rewrites `file` in place: each large float32 weight becomes float16 with a Cast behind it.

    Runtimes fold the Cast when they load the model, so speed is unchanged. A weight beyond float16's range stays.
    """
    onnx = need("onnx")
    model = onnx.load(str(file))
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        values = onnx.numpy_helper.to_array(tensor)
        if values.size < SMALLEST or np.abs(values).max() > LARGEST_HALF:
            continue
        casts.append(_halve(tensor, values, onnx))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(file))


def _halve(tensor: Any, values: Any, onnx: Any) -> Any:
    name = tensor.name
    tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
    return onnx.helper.make_node("Cast", [f"{name}.half"], [name], name=f"{name}.cast", to=onnx.TensorProto.FLOAT)
