"""One small session over ONNX Runtime or OpenVINO: arrays in, arrays out, no torch."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError, ConfigurationError, NotFoundError

from .runtime_metadata import onnx_metadata

Backend = Literal["auto", "onnxruntime", "openvino"]
Precision = Literal["float32", "bfloat16", "auto"]

MAX_THREADS = 256

_OTHER_KINDS: Mapping[str, str] = {
    ".pt": "Export it first: matpho models export detector --weights FILE.pt (needs the extra matpho[train]).",
    ".pth": "Export it first: matpho models export (needs the extra matpho[train]).",
    ".safetensors": "Export it first: matpho models export encoder (needs the extra matpho[train]).",
    ".engine": "A TensorRT engine runs only where it was built; give the .onnx it was built from.",
    ".tflite": "Export the model as .onnx from the tool it was trained with.",
    ".bin": "Give the .xml file beside it (OpenVINO) or an .onnx file.",
}
"""What to do with model files that this runtime does not open."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One input or output of a model; a `None` in `shape` is an open (dynamic) size."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    """NumPy's name of the element type, e.g. `float32`."""


class Session(Protocol):
    """A model that is ready to run. Thread-safe: any thread may call `run` at any time."""

    @property
    def backend(self) -> str:
        """`onnxruntime` or `openvino`."""

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """The arrays it wants, in the model's order."""

    @property
    def outputs(self) -> tuple[TensorInfo, ...]:
        """The arrays it gives, in the model's order."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the exporter wrote into the file, e.g. `names` and `imgsz`."""

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """One inference; the outputs in `outputs` order. BadInputError where names, types or shapes do not fit."""


def open_session(
    path: str | Path, backend: Backend = "auto", threads: int = 1, *, precision: Precision = "float32"
) -> Session:
    """Opens a model file for inference on the processor.

    `auto` takes OpenVINO where it is installed (1.1 to 2 times ONNX Runtime's speed here), else ONNX Runtime.
    `threads` is the number of processor threads one call may use. `precision` counts for OpenVINO alone:
    `bfloat16` halves the time on processors with AVX-512 BF16 or AMX at about three significant digits; `auto`
    takes it where the processor has it.

    Raises NotFoundError (no such file), BadInputError (not a model this runtime opens), ConfigurationError
    (backend not installed, threads out of range).
    """
    file = Path(path)
    _check_kind(file)
    if not 1 <= threads <= MAX_THREADS:
        raise ConfigurationError(f"{threads} inference threads are not possible.", action="Give 1 to 256.")
    chosen = _choose_backend(backend, file)
    metadata = onnx_metadata(file) if file.suffix.lower() == ".onnx" else {}
    try:
        if chosen == "openvino":
            return _OpenVinoSession(file, threads, precision, metadata)
        return _OnnxRuntimeSession(file, threads, metadata)
    except (ImportError, MemoryError):
        raise
    except Exception as error:
        raise BadInputError(
            f"{file.name} cannot be opened by {chosen}: {_first_line(error)}.",
            action="Check that the file is whole and was exported for inference.",
        ) from error


def _check_kind(file: Path) -> None:
    kind = file.suffix.lower()
    if file.is_dir():
        raise BadInputError(f"{file} is a folder.", action="Give the .onnx file inside it.")
    if kind not in (".onnx", ".xml"):
        advice = _OTHER_KINDS.get(kind, "Give an .onnx file (or OpenVINO's .xml).")
        raise BadInputError(f"{file.name} is not a model file this runtime opens.", action=advice)
    if not file.is_file():
        raise NotFoundError(f"There is no model file {file}.", action="Check the path in the settings.")


def _choose_backend(backend: Backend, file: Path) -> str:
    if backend not in ("auto", "onnxruntime", "openvino"):
        raise ConfigurationError(f"{backend!r} is no inference backend.", action="Use auto, onnxruntime or openvino.")
    needs_openvino = file.suffix.lower() == ".xml"
    if needs_openvino and backend == "onnxruntime":
        raise BadInputError(f"{file.name} is an OpenVINO file.", action="Use the backend openvino or an .onnx file.")
    if backend == "auto":
        backend = "openvino" if needs_openvino or importlib.util.find_spec("openvino") else "onnxruntime"
    if importlib.util.find_spec(backend) is None:
        raise ConfigurationError(f"{backend} is not installed.", action="pip install 'matpho[embeddings]'")
    return backend


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:300].rstrip(".")


def _check_feeds(feeds: Mapping[str, NDArray[Any]], inputs: tuple[TensorInfo, ...]) -> None:
    wanted = {tensor.name for tensor in inputs}
    if set(feeds) != wanted:
        raise BadInputError(f"The model wants the inputs {sorted(wanted)}, not {sorted(feeds)}.")
    # OpenVINO converts types and runs on shapes that do not fit without a word, so both are checked here.
    for tensor in inputs:
        array = feeds[tensor.name]
        fits = array.ndim == len(tensor.shape) and all(
            want in (None, size) for want, size in zip(tensor.shape, array.shape, strict=True)
        )
        if not fits or str(array.dtype) != tensor.dtype:
            wants = " x ".join("any" if size is None else str(size) for size in tensor.shape)
            raise BadInputError(
                f"The model's input {tensor.name} takes {tensor.dtype} of {wants}, not {array.dtype} of {array.shape}."
            )


def _failed(error: Exception, feeds: Mapping[str, NDArray[Any]]) -> BadInputError:
    shapes = ", ".join(f"{name} {array.shape} {array.dtype}" for name, array in feeds.items())
    return BadInputError(f"The model refused {shapes}: {_first_line(error)}.")


class _OnnxRuntimeSession:
    """ONNX Runtime on the processor; its `run` releases the GIL and is thread-safe."""

    backend = "onnxruntime"

    def __init__(self, file: Path, threads: int, metadata: Mapping[str, str]) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Spinning threads would eat the cores that decoding needs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self.inputs = tuple(_onnx_tensor(node) for node in self._session.get_inputs())
        self.outputs = tuple(_onnx_tensor(node) for node in self._session.get_outputs())
        self.metadata = metadata

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        _check_feeds(feeds, self.inputs)
        try:
            return cast("list[NDArray[Any]]", self._session.run(None, dict(feeds)))
        except Exception as error:
            raise _failed(error, feeds) from error


def _onnx_tensor(node: Any) -> TensorInfo:
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    kind = node.type.removeprefix("tensor(").removesuffix(")")
    return TensorInfo(node.name, shape, {"float": "float32", "double": "float64"}.get(kind, kind))


class _OpenVinoSession:
    """OpenVINO on the processor; each thread has an infer request of its own."""

    backend = "openvino"

    def __init__(self, file: Path, threads: int, precision: Precision, metadata: Mapping[str, str]) -> None:
        import openvino

        core = openvino.Core()
        options: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,
        }
        if precision == "bfloat16" or (precision == "auto" and "BF16" in _capabilities(core)):
            options["INFERENCE_PRECISION_HINT"] = openvino.Type.bf16
        else:
            options["INFERENCE_PRECISION_HINT"] = openvino.Type.f32
        self._compiled = core.compile_model(str(file), "CPU", options)
        self._requests = threading.local()
        self.inputs = tuple(_openvino_tensor(port) for port in self._compiled.inputs)
        self.outputs = tuple(_openvino_tensor(port) for port in self._compiled.outputs)
        self.metadata = metadata

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        _check_feeds(feeds, self.inputs)
        request = getattr(self._requests, "request", None)
        if request is None:
            request = self._requests.request = self._compiled.create_infer_request()
        try:
            request.infer({name: np.ascontiguousarray(array) for name, array in feeds.items()})
            return [np.array(request.get_output_tensor(place).data) for place in range(len(self.outputs))]
        except Exception as error:
            raise _failed(error, feeds) from error


def _capabilities(core: Any) -> list[str]:
    return list(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))


def _openvino_tensor(port: Any) -> TensorInfo:
    shape = tuple(None if size.is_dynamic else size.get_length() for size in port.partial_shape)
    return TensorInfo(port.any_name, shape, str(np.dtype(port.element_type.to_dtype())))
