"""`matpho eval search`: questions in two languages over events of held-out days, asked of the assistant itself.

1 days that no training has seen are filmed and judged by the box's own pipeline (eval/days.py); 2 the events go signed
through the center's intake into a fresh store and index; 3 questions are made from what was truly there, not from what
was detected; 4 each is asked of the assistant; 5 recall@10 = how many of the (at most ten) first results are right,
over the most that could be.

Families: one object ("xe tải trắng"), and object + colour + place + time ("xe tải trắng ở Cầu Vĩnh Tuy sáng 12/3").
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from matpho.eval.days import EDGE_ID, Labelled, film
from matpho.home import Home
from matpho.installation import Installation, open_installation
from matpho_contracts.edge_api import CameraReport, EnrolRequest, StatusReport
from matpho_contracts.signing import SigningKey, sign_batch
from matpho_contracts.times import VIETNAM, now
from matpho_contracts.vocabulary import COLOUR_NAMES, OBJECT_NAMES, Colour, ObjectClass
from matpho_contracts.wire import encode_batch
from matpho_edge.detect import load_detector
from matpho_embeddings.models import load_encoder
from matpho_platform.access.principal import Principal, Role
from matpho_platform.cameras.edges import EdgeEntry
from matpho_simcity.sites import Site, city

EVENTS = 1000
SEED = "held-out-2026"
SLICE_S = 60.0
"""Seconds filmed of one camera at a time."""
TOP = 10
LEAST_RELEVANT = 3
"""Questions with fewer right answers say more about chance than about search."""
QUESTIONS = 60
"""Of each family, in each language."""
PARTS = ((6, "sáng", "morning"), (14, "chiều", "afternoon"), (19, "tối", "evening"))
_BATCH = 100
INDEX_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Question:
    """A sentence and the events that answer it."""

    family: str
    lang: str
    text: str
    right: frozenset[str]


def run(events: int = EVENTS, seed: str = SEED) -> dict[str, Any]:
    """Film, index, ask; rows with recall by family and language."""
    return asyncio.run(_run(events, seed))


async def _run(events: int, seed: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="matpho-eval-") as folder:
        home = Home(Path(folder)).make()
        sites = city(f"{seed}:0")
        _settings(home, sites)
        made = await asyncio.to_thread(lambda: _film(events, seed))
        async with open_installation(home) as installation:
            await _store(installation, sites, made)
            return await _ask_all(
                installation, made, {site.guide.camera_id: site.guide.name_vi for site in sites}, seed
            )


def _settings(home: Home, sites: Sequence[Site]) -> None:
    from matpho.demo.files import write_installation

    write_installation(home, sites)


def _film(events: int, seed: str) -> list[Labelled]:
    """At least so many events, from as many cameras, days and parts of the day as it takes."""
    detector, encoder = load_detector("city-detector", threads=2), load_encoder("city", threads=2)
    made: list[Labelled] = []
    for began, site in _slices(seed):
        made += film(site, began, SLICE_S, detector, encoder)
        if len(made) >= events:
            return made
    return made


def _slices(seed: str) -> Iterator[tuple[datetime, Site]]:
    """Minutes to film: another day and part of the day each round, every camera once a round."""
    for day in range(365):
        hour = PARTS[day % len(PARTS)][0]
        began = datetime(2026, 3, 1, hour, 30, tzinfo=VIETNAM) + timedelta(days=day)
        for site in city(f"{seed}:{day}", hour=float(hour)):
            yield began, site


async def _store(installation: Installation, sites: Sequence[Site], made: Sequence[Labelled]) -> None:
    """Through enrolment and intake, as a box would; returns when all of it can be found."""
    center, key = installation.center, SigningKey.generate()
    await center.edges.configure([EdgeEntry(id=EDGE_ID)])
    token = await center.edges.issue_token(EDGE_ID)
    await center.edges.enrol(EnrolRequest(edge_id=EDGE_ID, token=token, public_key=key.public.raw.hex()))
    edge_key = await center.edges.key(key.public.key_id)
    if edge_key is None:
        raise RuntimeError("the box was enrolled above")
    cameras = tuple(CameraReport(id=s.guide.camera_id, name=s.guide.name_vi, area=s.guide.area_code) for s in sites)
    await center.registry.report(StatusReport(edge_id=EDGE_ID, sent_at=now(), cameras=cameras), edge_key)
    for start in range(0, len(made), _BATCH):
        part = [labelled.composed for labelled in made[start : start + _BATCH]]
        raw = [composed.event.canonical() for composed in part]
        stills = {hashlib.sha256(one.still).hexdigest(): one.still for one in part if one.still is not None}
        header = sign_batch(raw, key, edge_id=EDGE_ID, incarnation="eval", signed_at=now())
        answer = await center.intake.receive(encode_batch(header, raw, stills))
        refused = [result for result in answer.results if result.status != "stored"]
        if refused:
            raise RuntimeError(f"the center refused its own evaluation: {refused[0].reason}")
    for _ in range(INDEX_SECONDS * 5):
        if center.index is None or await _indexed(installation) >= len(made):
            return
        await asyncio.sleep(0.2)
    raise RuntimeError("the index did not take in the events")


async def _indexed(installation: Installation) -> int:
    from matpho_embeddings.index.contract import IndexFilter

    index = installation.center.index
    return 0 if index is None else await index.count(IndexFilter())


async def _ask_all(
    installation: Installation, made: Sequence[Labelled], names: dict[str, str], seed: str
) -> dict[str, Any]:
    who = Principal("commander", "commander", Role.COMMANDER)
    scores: dict[tuple[str, str], list[float]] = defaultdict(list)
    spent: list[float] = []
    worst: list[tuple[float, str]] = []
    for number, question in enumerate(questions(made, names, seed)):
        turn = await installation.assistant.turn(who, f"q{number}", question.text, channel="eval")
        first = turn.result_ids[:TOP]
        recall = len(question.right & set(first)) / min(TOP, len(question.right))
        scores[question.family, question.lang].append(recall)
        spent.append(turn.milliseconds)
        worst.append((recall, question.text))
    rows = [
        {"family": family, "lang": lang, "questions": len(values), "recall_at_10": round(float(np.mean(values)), 4)}
        for (family, lang), values in sorted(scores.items())
    ]
    return {
        "rows": rows,
        "events": len(made),
        "seed": seed,
        "turn_ms_p50": round(float(np.percentile(spent, 50)), 1) if spent else None,
        "turn_ms_p95": round(float(np.percentile(spent, 95)), 1) if spent else None,
        "worst": [text for _, text in sorted(worst)[:5]],
    }


def questions(made: Sequence[Labelled], names: dict[str, str], seed: str) -> list[Question]:
    """Questions whose right answers are known from the truth, drawn evenly over what was there."""
    one: dict[tuple[str, str], set[str]] = defaultdict(set)
    full: dict[tuple[str, str, str, datetime], set[str]] = defaultdict(set)
    for labelled in made:
        event = labelled.composed.event
        local = event.time.astimezone(VIETNAM)
        for name, true_colour in labelled.truth:
            colour = "" if name in _COLOURLESS else true_colour
            one[name, colour].add(event.id)
            day = local.replace(minute=0, second=0, microsecond=0)
            full[name, colour, event.data.camera_id, day].add(event.id)
    rng = Random(seed)
    asked: list[Question] = []
    for (name, colour), ids in _some(one, rng):
        for lang in ("vi", "en"):
            asked.append(Question("object", lang, _object(name, colour, lang), frozenset(ids)))
    for (name, colour, camera, day), ids in _some(full, rng, least=1):
        for lang in ("vi", "en"):
            text = f"{_object(name, colour, lang)} {_place_time(names[camera], day, lang)}"
            asked.append(Question("object+place+time", lang, text, frozenset(ids)))
    return asked


def _some(groups: dict[Any, set[str]], rng: Random, least: int = LEAST_RELEVANT) -> Iterable[tuple[Any, set[str]]]:
    """Up to QUESTIONS groups that have enough right answers and a name people use."""
    fit = sorted(key for key, ids in groups.items() if len(ids) >= least)
    return [(key, groups[key]) for key in sorted(rng.sample(fit, min(QUESTIONS, len(fit))))]


_COLOURLESS = {ObjectClass.FIRE, ObjectClass.SMOKE, ObjectClass.RUBBISH, ObjectClass.BAG}
"""Nobody asks for a white fire: these are asked for by their name alone."""


def _object(name: str, colour: str, lang: str) -> str:
    what = OBJECT_NAMES[ObjectClass(name)]
    if not colour:
        return what.vi if lang == "vi" else what.en
    shade = COLOUR_NAMES[Colour(colour)]
    if name == ObjectClass.PERSON:
        return f"người mặc áo {shade.vi}" if lang == "vi" else f"person in {shade.en}"
    return f"{what.vi} màu {shade.vi}" if lang == "vi" else f"{shade.en} {what.en}"


def _place_time(place: str, day: datetime, lang: str) -> str:
    part = next(part for part in PARTS if part[0] == day.hour)
    if lang == "vi":
        return f"ở {place} {part[1]} ngày {day.day}/{day.month}"
    return f"at {place} in the {part[2]} of {day.day}/{day.month}"
