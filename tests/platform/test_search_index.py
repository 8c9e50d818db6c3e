"""Search over the real index: searchable at once, scoped, alike, and resumed after the index was away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError, UnavailableError
from matpho_contracts.events import Event, Vectors, pack_vector
from matpho_contracts.text import words
from matpho_contracts.vocabulary import Colour
from matpho_embeddings.index import IndexSettings, open_index
from matpho_embeddings.index.contract import Point, VectorIndex
from matpho_platform.access.principal import Scope
from matpho_platform.center import INDEX_TOPIC, Center, open_center
from matpho_platform.events import outbox as outbox_module
from matpho_platform.events.errors import EventNotFoundError
from matpho_platform.events.indexing import Indexer
from matpho_platform.events.outbox import OutboxWorker, promise_all, waiting
from matpho_platform.events.schemas import EventFilter
from matpho_platform.settings import CenterSettings

EVERYWHERE = Scope(None)
DIM = 64


class WordEncoder:
    """Sentences that share words are near; a picture is near its mean colour's hash."""

    name, version, dim = "words", "1", DIM

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self._sum(words(text) or ["nothing"]) for text in texts])

    def encode_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        return np.stack([self._sum([f"colour{int(image.mean()) // 32}"]) for image in images])

    def _sum(self, tokens: Sequence[str]) -> NDArray[np.float32]:
        total = sum(np.random.default_rng(list(token.encode())).normal(size=DIM) for token in tokens)
        return np.asarray(total / np.linalg.norm(total), dtype=np.float32)


@pytest.fixture
def database() -> None:
    """The index stands beside either database: once is enough."""


@pytest.fixture
async def center(settings: CenterSettings) -> AsyncIterator[Center]:
    opened = await open_center(settings, WordEncoder())
    yield opened
    await opened.close()


async def indexed(center: Center) -> None:
    for _ in range(400):
        if not await waiting(center.store, INDEX_TOPIC):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the index did not catch up")


def with_picture(event: Event, picture: NDArray[np.uint8]) -> Event:
    scene = pack_vector(WordEncoder().encode_images([picture])[0])
    vectors = Vectors(encoder="words", version="1", dim=DIM, scene=scene)
    return event.model_copy(update={"data": event.data.model_copy(update={"vectors": vectors})})


async def test_search_finds_by_words_within_filters_and_scope(center: Center, box: Any) -> None:
    truck = box.event(caption="Xe tải trắng đổ rác trộm ở bờ sông", area="p-ba-dinh", camera_id="cam-2")
    crowd = box.event(caption="Đông người trước cổng trường")
    await center.intake.receive(box.batch([truck, crowd]))
    await indexed(center)
    page = await center.events.search(EVERYWHERE, "xe tai do rac", EventFilter())
    assert page.hits[0].id == truck.id
    assert page.hits[0].matched
    assert page.total == 2
    scoped = await center.events.search(Scope(("p-hoan-kiem",)), "xe tải đổ rác", EventFilter())
    assert [hit.id for hit in scoped.hits] == [crowd.id]
    province = await center.events.search(Scope(("tp-ha-noi",)), "xe tải", EventFilter(areas=("p-ba-dinh",)))
    assert [hit.id for hit in province.hits] == [truck.id]
    assert (await center.events.search(Scope(()), "xe tải", EventFilter())).total == 0


def doubtful(event: Event, colours: dict[Colour, float]) -> Event:
    """The event with a first object of which these colours are plausible, the first of them the likeliest."""
    seen = event.data.objects[0].model_copy(update={"colour": next(iter(colours)), "colours": colours})
    return event.model_copy(update={"data": event.data.model_copy(update={"objects": (seen,)})})


async def test_a_possible_colour_is_found_after_the_certain_ones_and_told_apart(center: Center, box: Any) -> None:
    truck = (("truck", None),)
    white = doubtful(box.event(objects=truck), {Colour.WHITE: 0.9})
    unsure = doubtful(box.event(objects=truck), {Colour.WHITE: 0.6, Colour.GREY: 0.4})
    grey = doubtful(box.event(objects=truck), {Colour.GREY: 0.7, Colour.WHITE: 0.3})
    black = doubtful(box.event(objects=truck), {Colour.BLACK: 0.95})
    await center.intake.receive(box.batch([white, unsure, grey, black]))
    await indexed(center)
    asked = EventFilter(objects=("truck",), colors=(Colour.WHITE,))
    page = await center.events.search(EVERYWHERE, None, asked)
    assert [(hit.id, hit.certain) for hit in page.hits] == [(white.id, True), (unsure.id, True), (grey.id, False)]
    assert (page.total, page.possible) == (3, 1)
    assert [hit.matched["attributes"] for hit in page.hits] == pytest.approx([0.9, 0.6, 0.3])
    rest = await center.events.search(EVERYWHERE, None, asked, offset=2)
    assert [hit.id for hit in rest.hits] == [grey.id]
    nobody = await center.events.search(Scope(()), None, asked)
    assert (nobody.total, nobody.possible) == (0, 0)
    without = await center.events.search(EVERYWHERE, None, EventFilter(objects_not=("truck",)))
    assert without.total == 0


async def test_while_the_index_is_away_objects_are_found_by_their_names(center: Center, box: Any) -> None:
    white = doubtful(box.event(objects=(("truck", None),)), {Colour.WHITE: 0.6, Colour.GREY: 0.4})
    await center.intake.receive(box.batch([white]))
    await indexed(center)
    assert center.index is not None
    await center.index.close()
    page = await center.events.search(EVERYWHERE, None, EventFilter(objects=("truck",), colors=(Colour.WHITE,)))
    assert [hit.id for hit in page.hits] == [white.id]
    grey = await center.events.search(EVERYWHERE, None, EventFilter(objects=("truck",), colors=(Colour.GREY,)))
    assert grey.total == 0


async def test_look_alikes_by_event_and_by_picture(center: Center, box: Any, jpeg: bytes) -> None:
    from matpho_platform.media.pictures import decode_jpeg

    picture = decode_jpeg(jpeg)
    dark = np.zeros_like(picture)
    one, two = with_picture(box.event(), picture), with_picture(box.event(), picture)
    other = with_picture(box.event(area="p-ba-dinh", camera_id="cam-2"), dark)
    await center.intake.receive(box.batch([one, two, other]))
    await indexed(center)
    alike = await center.events.similar(EVERYWHERE, one.id, EventFilter())
    assert [hit.id for hit in alike.hits] == [two.id, other.id]
    by_picture = await center.events.similar(EVERYWHERE, jpeg, EventFilter(), limit=2)
    assert {hit.id for hit in by_picture.hits} == {one.id, two.id}
    with pytest.raises(EventNotFoundError):
        await center.events.similar(Scope(("p-ba-dinh",)), one.id, EventFilter())
    with pytest.raises(BadInputError):
        await center.events.similar(EVERYWHERE, b"no picture", EventFilter())


async def test_a_lost_index_is_built_again(settings: CenterSettings, new_box: Any, tmp_path: Path) -> None:
    first = await open_center(settings)
    box = await (await new_box().enrol(first)).report(first)
    event = box.event(caption="cháy lớn ở chợ")
    await first.intake.receive(box.batch([event]))
    await first.close()
    again = await open_center(settings, WordEncoder())
    assert (await again.events.search(EVERYWHERE, "cháy", EventFilter())).total == 0
    assert await again.reindex() == 1
    await indexed(again)
    assert [hit.id for hit in (await again.events.search(EVERYWHERE, "cháy", EventFilter())).hits] == [event.id]
    await again.close()


class Wayward:
    """A real index that is away for its first calls and refuses one event for good."""

    def __init__(self, index: VectorIndex, away: int, refused: str = "") -> None:
        self._index, self._away, self._refused = index, away, refused

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)

    async def upsert(self, points: Sequence[Point]) -> None:
        self._away -= 1
        if self._away >= 0:
            raise UnavailableError("The index is away.")
        if any(point.id == self._refused for point in points):
            raise BadInputError("This point cannot be indexed.")
        await self._index.upsert(points)


def points_of(events: Sequence[Event]) -> list[Point]:
    from matpho_embeddings.retrieval import payload_of

    encoder = WordEncoder()
    vectors = encoder.encode_texts([event.data.caption.vi for event in events])
    return [Point(e.id, {"text": vector}, payload_of(e)) for e, vector in zip(events, vectors, strict=True)]


async def test_the_outbox_waits_for_an_index_that_is_away_and_goes_round_a_poison_event(
    settings: CenterSettings, new_box: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "RETRY_MS", (1,))
    center = await open_center(settings)
    box = await new_box().enrol(center)
    made = [box.event() for _ in range(5)]
    await center.intake.receive(box.batch(made))
    assert await promise_all(center.store, INDEX_TOPIC) == 1
    index = await open_index(IndexSettings(dim=DIM, path=tmp_path / "index"))
    worker = OutboxWorker(center.store, INDEX_TOPIC, Indexer(Wayward(index, 2, made[3].id), points_of).add)
    for _ in range(100):
        await worker.drain()
        if not await waiting(center.store, INDEX_TOPIC):
            break
        await asyncio.sleep(0.01)
    there = [await index.vectors(event.id) is not None for event in made]
    assert there == [True, True, True, False, True]
    await index.close()
    await center.close()
