"""The inference session: both backends give the same numbers and refuse what they cannot run."""

import base64
import threading
from pathlib import Path

import numpy as np
import pytest

from matpho_contracts.errors import BadInputError, ConfigurationError, NotFoundError
from matpho_embeddings.runtime import TensorInfo, open_session
from matpho_embeddings.runtime_metadata import onnx_metadata

BACKENDS = ["onnxruntime", "openvino"]
# y = x @ [[0..2], [3..5], [6..8], [9..11]], with names = {0: 'người'} in its metadata.
MATMUL = base64.b64decode(
    "CAk6fwoRCgF4CgF3EgF5IgZNYXRNdWwSAWcqOwgECAMQAUIBd0owAAAAAAAAgD8AAABAAABAQAAAgEAAAKBAAADAQAAA4EAAAABBAAAQQQAAIEEA"
    "ADBBWhQKAXgSDwoNCAESCQoDEgFuCgIIBGIUCgF5Eg8KDQgBEgkKAxIBbgoCCANCBAoAEBFyGAoFbmFtZXMSD3swOiAnbmfGsOG7nWknfQ=="
)
ONES = np.ones((2, 4), np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "matmul.onnx"
    file.write_bytes(MATMUL)
    return file


@pytest.mark.parametrize("backend", BACKENDS)
class TestRun:
    def test_gives_the_product(self, model: Path, backend: str) -> None:
        session = open_session(model, backend)
        assert session.backend == backend
        assert session.run({"x": ONES})[0].tolist() == [[18.0, 22.0, 26.0]] * 2

    def test_describes_its_tensors(self, model: Path, backend: str) -> None:
        session = open_session(model, backend)
        assert session.inputs == (TensorInfo("x", (None, 4), "float32"),)
        assert session.outputs == (TensorInfo("y", (None, 3), "float32"),)
        assert session.metadata == {"names": "{0: 'người'}"}

    @pytest.mark.parametrize(
        "feeds",
        [
            {"x": np.ones((2, 5), np.float32)},
            {"x": np.ones((2, 4), np.int64)},
            {"x": np.ones(4, np.float32)},
            {"z": ONES},
            {"x": ONES, "z": ONES},
            {},
        ],
    )
    def test_refuses_what_does_not_fit(self, model: Path, backend: str, feeds: dict[str, np.ndarray]) -> None:
        with pytest.raises(BadInputError):
            open_session(model, backend).run(feeds)

    def test_many_threads_share_one_session(self, model: Path, backend: str) -> None:
        session = open_session(model, backend)
        wrong: list[int] = []

        def work(number: int) -> None:
            for _ in range(50):
                found = session.run({"x": np.full((1, 4), number, np.float32)})[0]
                if found.tolist() != [[18.0 * number, 22.0 * number, 26.0 * number]]:
                    wrong.append(number)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []

    def test_results_outlive_the_next_run(self, model: Path, backend: str) -> None:
        session = open_session(model, backend)
        first = session.run({"x": ONES})[0]
        session.run({"x": ONES * 9})
        assert first[0, 0] == 18.0


class TestOpen:
    def test_auto_takes_openvino_where_it_is_installed(self, model: Path) -> None:
        assert open_session(model).backend == "openvino"

    @pytest.mark.parametrize(
        ("name", "advice"),
        [("a.pt", "export"), ("a.safetensors", "export"), ("a.engine", "onnx"), ("a.bin", "xml"), ("a.zip", "onnx")],
    )
    def test_says_what_to_do_with_other_kinds(self, tmp_path: Path, name: str, advice: str) -> None:
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(BadInputError, match=advice):
            open_session(tmp_path / name)

    def test_a_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(BadInputError, match="folder"):
            open_session(tmp_path)

    def test_a_missing_file_is_not_found(self, tmp_path: Path) -> None:
        with pytest.raises(NotFoundError):
            open_session(tmp_path / "no.onnx")

    def test_an_openvino_file_is_not_for_onnxruntime(self, tmp_path: Path) -> None:
        (tmp_path / "a.xml").write_text("<net/>")
        with pytest.raises(BadInputError, match="openvino"):
            open_session(tmp_path / "a.xml", "onnxruntime")

    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x09", MATMUL[:60], b"\xff" * 64])
    def test_damaged_files_are_refused(self, tmp_path: Path, backend: str, content: bytes) -> None:
        (tmp_path / "bad.onnx").write_bytes(content)
        with pytest.raises(BadInputError):
            open_session(tmp_path / "bad.onnx", backend)

    @pytest.mark.parametrize("threads", [0, -1, 1000])
    def test_impossible_threads_are_refused(self, model: Path, threads: int) -> None:
        with pytest.raises(ConfigurationError):
            open_session(model, threads=threads)

    def test_unknown_backends_are_refused(self, model: Path) -> None:
        with pytest.raises(ConfigurationError, match="onnxruntime"):
            open_session(model, "tensorrt")  # type: ignore[arg-type]  # what a settings file may say


class TestMetadata:
    def test_reads_the_table_without_a_runtime(self, model: Path) -> None:
        assert onnx_metadata(model) == {"names": "{0: 'người'}"}

    def test_a_metadata_entry_beyond_the_limit_is_refused(self, tmp_path: Path) -> None:
        value = b"x" * (1 << 21)
        entry = b"\x0a\x01k\x12" + _varint(len(value)) + value
        (tmp_path / "big.onnx").write_bytes(MATMUL + b"\x72" + _varint(len(entry)) + entry)
        with pytest.raises(BadInputError, match="1 MiB"):
            onnx_metadata(tmp_path / "big.onnx")


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])
