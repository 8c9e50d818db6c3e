"""`matpho bench search`: filtered vector search, ours beside Qdrant Edge used plainly, sqlite-vec and numpy.

Every engine gets the same points and questions in the same run; the engines take turns, so that a busy machine slows
all of them alike. Recall is measured against brute force. The stall is the longest search while points are written and
indexed at full speed.
"""

from __future__ import annotations

import importlib.metadata
import json as json_module
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matpho.bench.search_data import SHARES, Data, Where, exact, make_data, make_filter, make_queries
from matpho.bench.search_engines import STALL_POINTS, Answer, Engine, Matpho, NaiveEdge, NumpyExact, SqliteVec
from matpho.tables import machine

K = 20
QUERIES = 50
CALM_SEARCHES = 500
"""Searches without any writing whose longest shows what the machine's other work alone costs."""
SEED = 20261121
NAIVE_MOST = 20_000
"""Points above which Qdrant Edge, used plainly, is asked for by name only."""
ENGINES = (Matpho.name, NaiveEdge.name, SqliteVec.name, NumpyExact.name)
Question = tuple[NDArray[np.float32], Where]


def run(
    n: int = 0,
    dim: int = 512,
    repeats: int = 0,
    *,
    quick: bool = False,
    engines: Sequence[str] | None = None,
    queries: int = QUERIES,
    json: Path | None = None,
) -> dict[str, Any]:
    """Measure and return {"machine": {...}, "rows": [...]}; also written to `json` when given.

    Rows of kind `search` (engine, n, dim, selectivity, p50_ms, p95_ms, p99_ms, recall_mean, recall_min), `ingest`
    (points_per_s, build_s), `stall` (max_ms, max_without_writing_ms) and `skipped` (reason). `n` of 0 is 100,000
    points, or 10,000 when `quick`; every engine takes part unless it would take minutes.
    """
    n, repeats = n or (10_000 if quick else 100_000), repeats or (2 if quick else 5)
    chosen = engines or [name for name in ENGINES if name != NaiveEdge.name or n <= NAIVE_MOST]
    random = np.random.default_rng(SEED)
    data = make_data(n, dim, random)
    questions = {share: _questions(data, share, queries, random) for share in SHARES}
    truth = {share: [set(exact(data, query, where, K)) for query, where in asked] for share, asked in questions.items()}
    more = _later(data, make_data(min(n, STALL_POINTS), dim, random))
    with tempfile.TemporaryDirectory(prefix="bench-search-") as folder:
        made = [_engine(name, Path(folder), dim) for name in chosen]
        try:
            rows = _measure(made, data, questions, truth, more, repeats)
        finally:
            for engine in made:
                engine.close()
    if engines is None and NaiveEdge.name not in chosen:
        reason = f"building its graph takes minutes above {NAIVE_MOST} points"
        rows.append({"kind": "skipped", "engine": NaiveEdge.name, "reason": reason})
    report = {
        "machine": {**machine(), "packages": _packages()},
        "rows": [{"n": n, "dim": dim, **row} for row in rows],
    }
    if json is not None:
        json.write_text(json_module.dumps(report, indent=1))
    return report


def _engine(name: str, folder: Path, dim: int) -> Engine:
    if name == NumpyExact.name:
        return NumpyExact()
    kinds: dict[str, type[Matpho] | type[NaiveEdge] | type[SqliteVec]] = {
        kind.name: kind for kind in (Matpho, NaiveEdge, SqliteVec)
    }
    return kinds[name](folder, dim)


def _questions(data: Data, share: float, count: int, random: np.random.Generator) -> list[Question]:
    return [(query, make_filter(data, share, random)) for query in make_queries(data, count, random)]


def _later(data: Data, more: Data) -> Data:
    """`more` moved behind the last event of `data`."""
    return Data(more.vectors, more.types, more.times + int(data.times[-1] - data.times[0]) + 1000)


def _measure(
    engines: Sequence[Engine],
    data: Data,
    questions: dict[float, list[Question]],
    truth: dict[float, list[set[int]]],
    more: Data,
    repeats: int,
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"kind": "skipped", "engine": engine.name, "reason": engine.absent} for engine in engines if engine.absent
    ]
    running = [engine for engine in engines if not engine.absent]
    for engine in running:
        fill = engine.fill(data)
        if fill.write_s:
            rate = round(len(data.times) / fill.write_s)
            rows.append(
                {"kind": "ingest", "engine": engine.name, "points_per_s": rate, "build_s": round(fill.build_s, 1)}
            )
        engine.search(questions[SHARES[-1]][:5], K)
    answers: dict[tuple[str, float], list[list[Answer]]] = {}
    for _ in range(repeats):
        for share, asked in questions.items():
            for engine in running:
                answers.setdefault((engine.name, share), []).append(engine.search(asked, K))
    rows += [_search_row(name, share, rounds, truth[share]) for (name, share), rounds in answers.items()]
    query, where = questions[0.1][0]
    for engine in running:
        calm = max(answer.seconds for answer in engine.search([(query, where)] * CALM_SEARCHES, K))
        longest = engine.longest_while_writing(more, query, where, K)
        if longest is not None:
            stall = {"max_ms": round(longest * 1e3, 2), "max_without_writing_ms": round(calm * 1e3, 2)}
            rows.append({"kind": "stall", "engine": engine.name, **stall})
    return rows


def _search_row(name: str, share: float, rounds: list[list[Answer]], truth: list[set[int]]) -> dict[str, Any]:
    times = np.array([answer.seconds for answers in rounds for answer in answers]) * 1e3
    recalls = [len(best & set(answer.rows)) / len(best) for answer, best in zip(rounds[0], truth, strict=True) if best]
    p50, p95, p99 = (round(float(value), 3) for value in np.percentile(times, [50, 95, 99]))
    return {
        "kind": "search",
        "engine": name,
        "selectivity": share,
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "recall_mean": round(float(np.mean(recalls)), 4),
        "recall_min": round(float(np.min(recalls)), 4),
    }


def _packages() -> dict[str, str]:
    names = ("numpy", "qdrant-edge-py", "numkong", "sqlite-vec", "apsw")
    return {name: version for name in names if (version := _version(name))}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
