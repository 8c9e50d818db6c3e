"""Training sets have the promised form, are the same for the same seed, and their captions say what the truth says."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
import pytest

from matpho_contracts.vocabulary import Colour, ObjectClass
from matpho_simcity import caption_words as words
from matpho_simcity.captions import Setting, Thing, describe_object, describe_scene
from matpho_simcity.dataset import main, make_captions, make_detection
from matpho_simcity.drawing.atmosphere import Light, Weather
from matpho_simcity.shots import shots
from matpho_simcity.world.scene import Place


@pytest.fixture(scope="module")
def detection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("detection")
    make_detection(out, 24, "t", (320, 180))
    return out


@pytest.fixture(scope="module")
def captions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("captions")
    make_captions(out, 80, "t")
    return out


def _rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "captions.jsonl").read_text(encoding="utf-8").splitlines()]


class TestDetectionSet:
    def test_layout(self, detection: Path) -> None:
        assert len(list((detection / "images" / "train").glob("*.jpg"))) == 22
        assert len(list((detection / "images" / "val").glob("*.jpg"))) == 2
        names = (detection / "data.yaml").read_text().split("names:\n")[1].splitlines()
        assert [line.split(": ")[1] for line in names] == [c.value for c in ObjectClass]

    def test_every_picture_has_its_labels(self, detection: Path) -> None:
        total = 0
        for picture in (detection / "images").rglob("*.jpg"):
            image = cv2.imread(str(picture))
            assert image is not None
            assert image.shape == (180, 320, 3)
            label = detection / "labels" / picture.parent.name / f"{picture.stem}.txt"
            for line in label.read_text().splitlines():
                number, *box = line.split()
                x, y, w, h = map(float, box)
                assert 0 <= int(number) < len(ObjectClass)
                assert -1e-6 <= x - w / 2 < x + w / 2 <= 1 + 1e-6
                assert -1e-6 <= y - h / 2 < y + h / 2 <= 1 + 1e-6
                total += 1
        assert total > 24

    def test_same_seed_same_set(self, detection: Path, tmp_path: Path) -> None:
        make_detection(tmp_path, 24, "t", (320, 180))
        for picture in sorted((detection / "images").rglob("*.jpg"))[::5]:
            again = tmp_path / picture.relative_to(detection)
            assert picture.read_bytes() == again.read_bytes()

    def test_splits_share_no_picture(self) -> None:
        train, val = (next(iter(shots(split, "t", 0, (320, 180)))).image for split in ("train", "val"))
        assert np.abs(train.astype(int) - val).mean() > 5

    def test_rare_classes_are_not_rare(self) -> None:
        seen: dict[ObjectClass, int] = dict.fromkeys(ObjectClass, 0)
        pictures = 0
        for camera in range(22):
            for shot in shots("train", "balance", camera, (320, 180)):
                pictures += 1
                for object_class in {s.placed.look.object_class for s in shot.sightings if not s.ignore}:
                    seen[object_class] += 1
        assert min(seen.values()) >= 0.03 * pictures, seen


class TestCaptionSet:
    def test_rows_and_files(self, captions: Path) -> None:
        rows = _rows(captions)
        assert len(rows) > 60
        assert {row["kind"] for row in rows} == {"object", "scene"}
        assert {row["split"] for row in rows} == {"train", "val"}
        for row in rows:
            image = cv2.imread(str(captions / row["file"]))
            assert image is not None
            assert max(image.shape) <= (160 if row["kind"] == "object" else 256)
            assert row["vi"]
            assert row["en"]
            Place(row["place"])
            Light(row["light"])
            Weather(row["weather"])
        assert not (captions / "rows").exists()

    def test_captions_name_the_class_and_colour(self, captions: Path) -> None:
        for row in _rows(captions):
            if row["kind"] != "object":
                continue
            object_class, colour = ObjectClass(row["class"]), Colour(row["colour"])
            shortest_vi, shortest_en = row["vi"][0], row["en"][0]
            nouns = (*words.NOUNS_VI[object_class], "trẻ em")
            assert any(noun in shortest_vi for noun in nouns)
            assert any(noun in shortest_en for noun in (*words.NOUNS_EN[object_class], "child"))
            for other in Colour:
                if other is not colour:
                    for sentence in row["en"]:
                        assert f" {words.COLOURS_EN[other][0]} " not in f" {sentence} "


class TestGrammar:
    setting = Setting(Place.RIVER_BANK, Light.NIGHT, Weather.RAIN)

    def test_shortest_form_is_what_people_type(self) -> None:
        vi, en = describe_object(Thing(ObjectClass.TRUCK, Colour.WHITE), self.setting, Random(1))
        assert (vi[0], en[0]) == ("xe tải trắng", "white truck")
        vi, en = describe_object(Thing(ObjectClass.PERSON, Colour.RED), self.setting, Random(1))
        assert (vi[0], en[0]) == ("người mặc áo đỏ", "person wearing a red shirt")

    def test_paraphrases_differ(self) -> None:
        vi, en = describe_object(Thing(ObjectClass.MOTORCYCLE, Colour.BLUE, "road", riders=2), self.setting, Random(3))
        assert len(set(vi)) == len(vi) >= 5
        assert len(set(en)) == len(en) >= 5

    def test_every_sentence_keeps_to_the_truth(self) -> None:
        for seed in range(40):
            thing = Thing(ObjectClass.CAR, Colour.YELLOW, "road")
            vi, en = describe_object(thing, self.setting, Random(seed))
            for sentence in vi:
                assert "vàng" in sentence
                assert not any(word in sentence for word in ("ban ngày", "ngã tư", "đỏ", "vỉa hè"))
            for sentence in en:
                assert "yellow" in sentence
                assert not any(word in sentence for word in ("daylight", "junction", " red ", "pavement"))

    def test_scene_counts(self) -> None:
        cars = [Thing(ObjectClass.CAR, Colour.RED)] * 3
        said_vi, said_en = "", ""
        for seed in range(12):
            vi, en = describe_scene(cars, self.setting, Random(seed))
            said_vi, said_en = said_vi + "|".join(vi), said_en + "|".join(en)
        assert "ba ô tô đỏ" in said_vi
        assert "three red cars" in said_en
        assert "hai " not in said_vi

    def test_crowd_is_named_only_when_there_is_one(self) -> None:
        def said(number: int) -> str:
            people = [Thing(ObjectClass.PERSON, Colour.BLUE)] * number
            return "|".join("|".join(describe_scene(people, self.setting, Random(seed))[0]) for seed in range(20))

        assert "tụ tập" in said(9)
        assert "tụ tập" not in said(2)


class TestCommandLine:
    def test_refuses_a_full_folder(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "kept").write_text("x")
        assert main(["detection", str(tmp_path), "--images", "8"]) == 2
        assert "not empty" in capsys.readouterr().err
        assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]

    def test_writes_and_says_so(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["detection", str(tmp_path / "set"), "--images", "2", "--size", "160x96"]) == 0
        assert "2 pictures" in capsys.readouterr().out

    @pytest.mark.parametrize("size", ["axb", "640", "0x9", "99999x9"])
    def test_refuses_a_bad_size(self, tmp_path: Path, size: str) -> None:
        with pytest.raises(SystemExit) as stopped:
            main(["detection", str(tmp_path / "set"), "--size", size])
        assert stopped.value.code == 2
