"""The model store: shipped models are whole, and a changed byte anywhere is refused."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from matpho_contracts.errors import BadInputError, IntegrityError, NotFoundError
from matpho_contracts.vocabulary import ObjectClass
from matpho_embeddings.models import CARD, CHECKSUMS, NAMES, load_encoder, model_path, open_folder, write_checksums
from matpho_embeddings.runtime import open_session

SHIPPED_BYTES = 40 * 1024 * 1024


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_path("city"), tmp_path / "encoder"))


def rewrite_card(folder: Path, **changes: object) -> None:
    told = yaml.safe_load((folder / CARD).read_text()) | changes
    (folder / CARD).write_text(yaml.safe_dump(told))
    write_checksums(folder)


class TestShipped:
    @pytest.mark.parametrize("name", [*NAMES, *NAMES.values()])
    def test_is_found_by_name_and_whole(self, name: str) -> None:
        card = open_folder(model_path(name))
        assert card.kind in ("encoder", "detector", "colours")
        assert all(file.is_file() for file in card.files.values())

    @pytest.mark.parametrize("name", NAMES)
    def test_has_a_card_and_a_licence(self, name: str) -> None:
        folder = model_path(name)
        figures = {"encoder": "recall@10", "detector": "mAP50", "colours": "named right"}
        assert figures[open_folder(folder).kind] in (folder / "CARD.md").read_text()
        assert len((folder / "LICENSE").read_text()) > 5_000

    def test_the_detector_says_that_it_is_agpl(self) -> None:
        folder = model_path("city-detector")
        assert "agpl" in folder.name
        assert "GNU AFFERO GENERAL PUBLIC LICENSE" in (folder / "LICENSE").read_text()
        assert open_folder(folder).settings["licence"] == "AGPL-3.0"

    @pytest.mark.parametrize("name", list(NAMES))
    def test_names_no_folder_of_the_machine_that_made_it(self, name: str) -> None:
        for file in model_path(name).glob("*.onnx"):
            told = open_session(file, "onnxruntime").metadata
            assert not [value for value in told.values() if re.search(r"(^|\s)/\w", value)], file.name

    def test_all_together_stay_small(self) -> None:
        total = sum(file.stat().st_size for name in NAMES for file in model_path(name).iterdir())
        assert total <= SHIPPED_BYTES

    def test_the_detector_knows_the_vocabulary_in_its_order(self) -> None:
        card = open_folder(model_path("city-detector"))
        assert card.settings["classes"] == [each.value for each in ObjectClass]
        session = open_session(card.files["detector"])
        height, width = card.settings["image_size"]["height"], card.settings["image_size"]["width"]
        assert session.inputs[0].shape == (1, 3, height, width)
        assert session.outputs[0].shape[1] == 4 + len(ObjectClass)
        assert "'person'" in session.metadata["names"]

    @pytest.mark.parametrize("name", ["", "nothing", "../encoder-city-s", "/etc", "encoder-city-s/../encoder-city-s"])
    def test_other_names_are_not_found(self, name: str) -> None:
        with pytest.raises(NotFoundError):
            model_path(name)


class TestChecks:
    @pytest.mark.parametrize("name", ["image.onnx", "text.onnx", "tokenizer.json", CARD, "CARD.md", "LICENSE"])
    def test_a_changed_byte_is_refused(self, copy: Path, name: str) -> None:
        content = bytearray((copy / name).read_bytes())
        content[len(content) // 2] ^= 1
        (copy / name).write_bytes(content)
        with pytest.raises(IntegrityError, match=name):
            load_encoder(copy)

    def test_a_missing_file_is_refused(self, copy: Path) -> None:
        (copy / "text.onnx").unlink()
        with pytest.raises(IntegrityError, match="missing"):
            load_encoder(copy)

    def test_missing_checksums_are_refused(self, copy: Path) -> None:
        (copy / CHECKSUMS).unlink()
        with pytest.raises(IntegrityError):
            load_encoder(copy)

    @pytest.mark.parametrize("line", ["", "x", "0" * 64 + "  ../../etc/passwd", "0" * 63 + "  text.onnx"])
    def test_damaged_checksums_are_refused(self, copy: Path, line: str) -> None:
        (copy / CHECKSUMS).write_text(f"{line}\n")
        with pytest.raises(IntegrityError):
            load_encoder(copy)

    def test_a_file_without_a_checksum_is_refused(self, copy: Path) -> None:
        kept = [line for line in (copy / CHECKSUMS).read_text().splitlines(True) if "image.onnx" not in line]
        (copy / CHECKSUMS).write_text("".join(kept))
        with pytest.raises(IntegrityError, match=r"image\.onnx"):
            load_encoder(copy)

    def test_an_unlisted_card_is_refused(self, copy: Path) -> None:
        kept = [line for line in (copy / CHECKSUMS).read_text().splitlines(True) if CARD not in line]
        (copy / CHECKSUMS).write_text("".join(kept))
        with pytest.raises(IntegrityError, match=CARD):
            load_encoder(copy)

    def test_an_exported_folder_loads(self, copy: Path) -> None:
        assert load_encoder(copy).dim == load_encoder(str(copy)).dim == 256


class TestCards:
    @pytest.mark.parametrize(
        "changes", [{"files": {"image": "../image.onnx"}}, {"files": []}, {"files": {"image": "/x"}}]
    )
    def test_files_outside_the_folder_are_refused(self, copy: Path, changes: dict[str, object]) -> None:
        rewrite_card(copy, **changes)
        with pytest.raises((BadInputError, IntegrityError)):
            load_encoder(copy)

    @pytest.mark.parametrize(
        "changes",
        [{"dim": None}, {"mean": [1, 2]}, {"std": [0, 1, 1]}, {"fit": "stretch"}, {"dim": 7}, {"context_length": 9}],
    )
    def test_settings_that_cannot_be_are_refused(self, copy: Path, changes: dict[str, object]) -> None:
        rewrite_card(copy, **changes)
        with pytest.raises(BadInputError):
            load_encoder(copy).encode_texts(["xe"])

    @pytest.mark.parametrize("text", ["", "[]", "a: [", "kind: encoder"])
    def test_what_is_no_card_is_refused(self, copy: Path, text: str) -> None:
        (copy / CARD).write_text(text)
        write_checksums(copy)
        with pytest.raises(BadInputError):
            load_encoder(copy)

    def test_a_detector_is_no_encoder(self) -> None:
        with pytest.raises(BadInputError, match="detector"):
            load_encoder("city-detector")

    def test_a_folder_without_a_card_is_not_found(self, tmp_path: Path) -> None:
        with pytest.raises(NotFoundError):
            load_encoder(tmp_path)
