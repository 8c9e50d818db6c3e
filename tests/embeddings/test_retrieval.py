"""Hybrid retrieval over a real index, with an encoder whose vectors can be worked out by hand."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError
from matpho_contracts.events import (
    TYPE_PREFIX,
    Caption,
    Event,
    EventData,
    Plate,
    Rule,
    SeenObject,
    Vectors,
    pack_vector,
)
from matpho_contracts.geometry import Box, Location
from matpho_contracts.ids import new_event_id
from matpho_contracts.text import words
from matpho_contracts.vocabulary import Colour, EventType, Severity
from matpho_embeddings.index import IndexSettings, open_index
from matpho_embeddings.index.contract import OBJECT, SCENE, TEXT, IndexFilter, VectorIndex
from matpho_embeddings.retrieval import REMEMBERED_TEXTS, Retriever, payload_of, searchable_text

pytestmark = pytest.mark.asyncio(loop_scope="module")

DIM = 48
NOON = datetime(2026, 11, 20, 5, tzinfo=UTC)


class BagOfWords:
    """An encoder that adds one fixed direction for each word: alike texts get alike vectors."""

    name, version, dim = "bag-of-words", "1", DIM

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        return np.stack([self.of(str(image.shape)) for image in images])

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.encoded.extend(texts)
        return np.stack([self.of(text) for text in texts])

    @staticmethod
    def of(text: str) -> NDArray[np.float32]:
        total = sum(
            (np.random.default_rng(zlib.crc32(w.encode())).standard_normal(DIM) for w in words(text)), np.zeros(DIM)
        )
        return np.asarray(total / np.linalg.norm(total), np.float32)


def event(
    number: int,
    vi: str,
    en: str,
    *,
    seen: str,
    colour: Colour | None = None,
    plate: str | None = None,
    version: str = "1",
) -> Event:
    at = NOON + timedelta(minutes=number)
    picture = pack_vector(BagOfWords.of(f"{vi} {en}"))
    found = SeenObject(
        label=seen, colour=colour, confidence=0.9, track_id=1, box=Box(x1=0.1, y1=0.1, x2=0.5, y2=0.5),
        first_seen=at, last_seen=at, plate=Plate.read(plate, 0.9) if plate else None,
    )  # fmt: skip
    data = EventData(
        camera_id=f"cam-{number % 3}", area="hoan-kiem", start=at, end=at, severity=Severity.HIGH,
        location=Location(lat=21.03, lon=105.85), zone="Cổng trường", objects=(found,), object_count=1,
        caption=Caption(vi=vi, en=en), rule=Rule(name="rule"),
        vectors=Vectors(encoder="bag-of-words", version=version, dim=DIM, scene=picture, main_object=picture),
    )  # fmt: skip
    return Event(
        id=new_event_id(int(at.timestamp() * 1000)),
        source="urn:test",
        type=f"{TYPE_PREFIX}{EventType.ILLEGAL_DUMPING}",
        time=at,
        data=data,
    )


EVENTS = [
    event(
        0, "Xe tải trắng đổ rác", "A white truck dumps rubbish", seen="truck", colour=Colour.WHITE, plate="29-G1 234.56"
    ),
    event(1, "Người đi xe máy đỏ", "A person on a red motorcycle", seen="motorcycle", colour=Colour.RED),
    event(2, "Đám đông trước cổng", "A crowd before the gate", seen="person"),
    event(3, "Ô tô đỏ đỗ sai chỗ", "A red car parked wrongly", seen="car", colour=Colour.RED),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def index(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[VectorIndex]:
    opened = await open_index(IndexSettings(path=tmp_path_factory.mktemp("retrieval"), dim=DIM))
    await opened.upsert(Retriever(opened, BagOfWords()).points_of(EVENTS))
    yield opened
    await opened.close()


@pytest.fixture
def encoder() -> BagOfWords:
    return BagOfWords()


@pytest.fixture
def retriever(index: VectorIndex, encoder: BagOfWords) -> Retriever:
    return Retriever(index, encoder)


class TestSearch:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [("xe tải đổ rác", 0), ("xe tai do rac", 0), ("red motorcycle", 1), ("đám đông", 2), ("red car parked", 3)],
    )
    async def test_a_sentence_finds_its_event(self, retriever: Retriever, text: str, expected: int) -> None:
        found = await retriever.search(text, IndexFilter(), limit=4)
        assert found.hits[0].id == EVENTS[expected].id
        assert found.total == 4
        assert {SCENE, OBJECT, TEXT, "words"} == set(found.hits[0].parts)

    async def test_the_filter_holds_before_the_ranking(self, retriever: Retriever) -> None:
        found = await retriever.search("white truck dumps rubbish", IndexFilter(attributes=("car",)), limit=4)
        assert [hit.id for hit in found.hits] == [EVENTS[3].id]

    @pytest.mark.parametrize("text", [None, "", "  "])
    async def test_without_a_sentence_the_newest_come_first(self, retriever: Retriever, text: str | None) -> None:
        found = await retriever.search(text, IndexFilter(), limit=3)
        assert [hit.id for hit in found.hits] == [EVENTS[i].id for i in (3, 2, 1)]

    async def test_punctuation_alone_is_no_error(self, retriever: Retriever, encoder: BagOfWords) -> None:
        assert (await retriever.search("xe ?!", IndexFilter(), limit=3)).total == 4

    async def test_an_endless_sentence_is_refused(self, retriever: Retriever) -> None:
        with pytest.raises(BadInputError):
            await retriever.search("xe " * 400, IndexFilter(), limit=3)

    async def test_the_same_sentence_is_encoded_once(self, retriever: Retriever, encoder: BagOfWords) -> None:
        for offset in (0, 2):
            await retriever.search("xe tải", IndexFilter(), limit=2, offset=offset)
        assert encoder.encoded == ["xe tải"]

    async def test_memory_of_sentences_is_bounded(self, retriever: Retriever, encoder: BagOfWords) -> None:
        await retriever.text_vector("first")
        for number in range(REMEMBERED_TEXTS):
            await retriever.text_vector(f"so {number}")
        await retriever.text_vector("first")
        assert encoder.encoded.count("first") == 2


class TestSimilar:
    async def test_the_event_itself_is_left_out(self, retriever: Retriever, index: VectorIndex) -> None:
        vectors = await index.vectors(EVENTS[1].id)
        assert vectors is not None
        assert (await retriever.similar(vectors, IndexFilter(), limit=4)).hits[0].id == EVENTS[1].id
        found = await retriever.similar(vectors, IndexFilter(), limit=4, exclude=EVENTS[1].id)
        assert found.total == len(found.hits) == 3
        assert EVENTS[1].id not in {hit.id for hit in found.hits}

    async def test_pages_without_the_event_itself_are_disjoint_and_whole(
        self, retriever: Retriever, index: VectorIndex
    ) -> None:
        vectors = await index.vectors(EVENTS[1].id)
        assert vectors is not None
        pages = [
            await retriever.similar(vectors, IndexFilter(), limit=1, offset=at, exclude=EVENTS[1].id) for at in range(4)
        ]
        ids = [hit.id for page in pages for hit in page.hits]
        assert sorted(ids) == sorted(e.id for e in EVENTS if e is not EVENTS[1])

    async def test_nothing_to_compare_with_is_refused(self, retriever: Retriever) -> None:
        with pytest.raises(BadInputError):
            await retriever.similar({}, IndexFilter(), limit=4)


class TestPoints:
    async def test_the_payload_says_what_the_event_says(self) -> None:
        payload = payload_of(EVENTS[0])
        assert payload.event_type == "illegal_dumping"
        assert payload.sure == ("truck", ":white", "truck:white")
        assert payload.attributes == dict.fromkeys(payload.sure, 0.9)
        assert payload.plates == ("29G123456",)
        assert payload.severity == 3
        assert payload.time_ms == int(NOON.timestamp() * 1000)
        assert (payload.lat, payload.lon, payload.zone) == (21.03, 105.85, "Cổng trường")

    async def test_the_text_is_folded_words_of_both_languages(self) -> None:
        text = searchable_text(EVENTS[0]).split()
        assert {"xe", "tai", "do", "rac", "truck", "rubbish", "dumping", "cong", "truong", "29g123456"} <= set(text)
        assert all(word == word.lower() and word.isascii() for word in text)

    async def test_vectors_of_another_version_are_left_out(self, retriever: Retriever) -> None:
        foreign = event(9, "Xe tải", "A truck", seen="truck", version="2")
        assert set(retriever.point_of(foreign).vectors) == {TEXT}
        assert set(retriever.point_of(EVENTS[0]).vectors) == {SCENE, OBJECT, TEXT}

    async def test_a_caption_in_two_languages_is_near_both(self, retriever: Retriever) -> None:
        point = retriever.point_of(EVENTS[0])
        for sentence in (EVENTS[0].data.caption.vi, EVENTS[0].data.caption.en):
            assert float(point.vectors[TEXT] @ BagOfWords.of(sentence)) > 0.5
        assert float(np.linalg.norm(point.vectors[TEXT])) == pytest.approx(1.0, abs=1e-5)

    async def test_an_event_without_pictures_or_words_is_still_found(self, index: VectorIndex) -> None:
        bare = EVENTS[0].model_copy(
            update={
                "id": new_event_id(),
                "data": EVENTS[0].data.model_copy(update={"vectors": None, "caption": Caption(vi="", en=" ")}),
            }
        )
        point = Retriever(index, BagOfWords()).point_of(bare)
        assert not point.vectors
        await index.upsert([point])
        try:
            assert await index.count(IndexFilter()) == 5
        finally:
            await index.delete([bare.id])
