"""What a power cut leaves: the journal gives back what was acknowledged and passes over what was not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from matpho_contracts.ids import new_event_id
from matpho_embeddings.index._internal.journal import Journal
from matpho_embeddings.index._internal.keeper import Keeper
from matpho_embeddings.index._internal.wire import Message, pack_points
from matpho_embeddings.index.contract import SCENE, Payload, Point

DIM = 8


class TestJournal:
    def test_entries_come_back_in_order(self, tmp_path: Path) -> None:
        journal = Journal(tmp_path / "journal")
        journal.append([b"one", b""])
        journal.append([b"three" * 1000])
        journal.close()
        again = Journal(tmp_path / "journal")
        assert list(again.entries()) == [b"one", b"", b"three" * 1000]
        again.clear()
        assert list(again.entries()) == []
        again.append([b"new"])
        assert list(again.entries()) == [b"new"]
        again.close()

    @pytest.mark.parametrize("cut", [1, 4, 9])
    def test_a_torn_end_is_passed_over(self, tmp_path: Path, cut: int) -> None:
        path = tmp_path / "journal"
        journal = Journal(path)
        journal.append([b"whole", b"torn"])
        journal.close()
        os.truncate(path, path.stat().st_size - cut)
        again = Journal(path)
        assert list(again.entries()) == [b"whole"]
        again.close()

    def test_a_changed_byte_ends_it(self, tmp_path: Path) -> None:
        path = tmp_path / "journal"
        journal = Journal(path)
        journal.append([b"whole", b"changed", b"behind"])
        journal.close()
        path.write_bytes(path.read_bytes().replace(b"changed", b"chanGed"))
        again = Journal(path)
        assert list(again.entries()) == [b"whole"]
        again.close()


def point(number: int) -> Point:
    vector = np.random.default_rng(number).standard_normal(DIM).astype(np.float32)
    return Point(
        new_event_id(number), {SCENE: vector / np.linalg.norm(vector)}, Payload("fire", "cam", "area", number, 1)
    )


def write(*points: Point) -> Message:
    return {"do": "upsert", "points": pack_points(points)}


class TestPowerCut:
    def test_what_never_left_the_shards_memory_comes_from_the_journal(self, tmp_path: Path) -> None:
        folder, cut = tmp_path / "index", tmp_path / "after the cut"
        Keeper(folder, DIM, 0).close()
        shutil.copytree(folder, cut)  # the shard as the disk has it: nothing of what follows
        keeper = Keeper(folder, DIM, 0)
        points = [point(number) for number in range(5)]
        answers = keeper.carry_out([write(*points[:3]), {"do": "delete", "ids": [points[0].id]}, write(*points[3:])])
        assert all(answer == {"ok": True} for answer in answers)
        shutil.copy(folder / "journal.bin", cut / "journal.bin")  # the journal was synced before the answers
        keeper.close()
        survivor = Keeper(cut, DIM, 0)
        held, _ = survivor._shard.page(None, 100)
        assert {p.id for p in held} == {p.id for p in points[1:]}
        assert (cut / "journal.bin").stat().st_size == 0
        survivor.close()

    def test_one_bad_write_in_a_group_fails_alone(self, tmp_path: Path) -> None:
        keeper = Keeper(tmp_path, DIM, 0)
        wrong = Point(new_event_id(), {SCENE: np.ones(DIM + 1, np.float32)}, Payload("fire", "cam", "area", 1, 1))
        answers = keeper.carry_out([write(point(1)), write(wrong), write(point(2))])
        assert ["error" in answer for answer in answers] == [False, True, False]
        held, _ = keeper._shard.page(None, 100)
        assert len(held) == 2
        keeper.close()
