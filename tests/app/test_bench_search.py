"""The search benchmark runs, compares every engine with the truth and says what it did not measure."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from matpho.bench.search import ENGINES, run
from matpho.bench.search_data import SHARES, exact, make_data, make_filter


class TestRun:
    def test_every_engine_is_measured_at_every_selectivity_or_skipped_with_a_reason(self, tmp_path: Path) -> None:
        report = run(n=1500, dim=16, repeats=1, queries=4, json=tmp_path / "search.json")
        assert json.loads((tmp_path / "search.json").read_text()) == report
        assert report["machine"]["cores"] >= 1
        rows = report["rows"]
        skipped = {row["engine"]: row["reason"] for row in rows if row["kind"] == "skipped"}
        measured = {(row["engine"], row["selectivity"]) for row in rows if row["kind"] == "search"}
        assert measured == {(name, share) for name in ENGINES if name not in skipped for share in SHARES}
        assert all(skipped.values())
        assert set(skipped) <= {"sqlite-vec"}  # all others are installed with the project
        assert {row["engine"] for row in rows if row["kind"] == "stall"} == {"matpho", "qdrant-edge naive"}

    def test_ours_and_the_exact_scan_miss_nothing(self) -> None:
        rows = run(n=3000, dim=16, repeats=1, queries=5, engines=("matpho", "numpy exact"))["rows"]
        recalls = [row["recall_min"] for row in rows if row["kind"] == "search"]
        assert len(recalls) == 2 * len(SHARES)
        assert min(recalls) == 1.0


class TestData:
    def test_filters_keep_about_the_share_they_say(self) -> None:
        random = np.random.default_rng(1)
        data = make_data(50_000, 4, random)
        for share in SHARES:
            kept = np.mean([len(data.rows(make_filter(data, share, random))) for _ in range(20)]) / 50_000
            assert 0.7 * share < kept < 1.3 * share

    def test_the_truth_is_the_largest_products_inside_the_filter(self) -> None:
        random = np.random.default_rng(2)
        data = make_data(2000, 8, random)
        where = make_filter(data, 0.1, random)
        best = exact(data, data.vectors[7], where, 5)
        scores = data.vectors[data.rows(where)] @ data.vectors[7]
        assert np.sort(scores)[::-1][:5] == pytest.approx(data.vectors[best] @ data.vectors[7], abs=1e-6)
