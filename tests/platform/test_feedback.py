"""Citizens' reports: filed, routed, followed; who reads what; codes that cannot be guessed; photos drawn anew."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta

import cv2
import numpy as np
import pytest
from tests.platform.conftest import NOON, EdgeBox

from matpho_contracts.events import Event
from matpho_contracts.vocabulary import EventType
from matpho_platform.access.principal import Principal, Role, Scope
from matpho_platform.center import Center
from matpho_platform.feedback.categories import category_named, category_of
from matpho_platform.feedback.codes import ALPHABET, new_code, spellings
from matpho_platform.feedback.errors import (
    FeedbackNotFoundError,
    PhotoError,
    PlaceUnknownError,
    ReportStateError,
    TooManyGuessesError,
    TooManyReportsError,
)
from matpho_platform.feedback.once import SPAN, Once
from matpho_platform.feedback.photos import PhotoCleaner, check_header
from matpho_platform.feedback.places import area_near, area_said
from matpho_platform.feedback.schemas import Category, FeedbackRecord, Place, Report, Status
from matpho_platform.feedback.service import GUESS_SPAN, GUESSES, REPORTS
from matpho_platform.incidents.schemas import Unit, UnitKind

HOA = Principal("cit-hoa", "Nguyễn Thị Hoa", Role.CITIZEN, ("p-hoan-kiem",))
TUAN = Principal("cit-tuan", "Phan Anh Tuấn", Role.CITIZEN, ("p-ba-dinh",))
OFFICER = Principal("off-hk", "Trung úy Khôi", Role.OFFICER, ("p-hoan-kiem",))
ELSEWHERE = Principal("off-bd", "Trung úy Hằng", Role.OFFICER, ("p-ba-dinh",))
COMMANDER = Principal("cmd", "Đại tá Vinh", Role.COMMANDER)
ADMIN = Principal("adm", "Kỹ sư Trường", Role.ADMIN)
UNITS = (
    Unit(id="U-HK-CA", name="Công an phường Hoàn Kiếm", area="p-hoan-kiem", kind=UnitKind.POLICE),
    Unit(id="U-HK-MT", name="Đội môi trường Hoàn Kiếm", area="p-hoan-kiem", kind=UnitKind.ENVIRONMENT),
    Unit(id="U-HN-CC", name="Cảnh sát PCCC Hà Nội", area="tp-ha-noi", kind=UnitKind.FIRE),
)
RUBBISH = "Rác đổ trộm ở chân cầu Long Biên, mùi hôi thối."


def report(text: str = RUBBISH, area: str | None = "p-hoan-kiem", **more: object) -> Report:
    return Report.model_validate({"text": text, "place": Place(area=area), **more})


def png(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def size(jpeg: bytes) -> tuple[int, ...]:
    """Height and width of a picture as a decoder sees it."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return tuple(int(side) for side in picture.shape[:2])


@pytest.fixture
async def ready(center: Center) -> Center:
    await center.units.load(UNITS)
    return center


class TestFiling:
    async def test_a_report_gets_a_code_and_the_unit_in_charge(self, ready: Center) -> None:
        filed = await ready.feedback.submit(HOA, report(), at=NOON)
        assert filed.code.startswith("PA-")
        assert (filed.category, filed.area, filed.unit_id) == (Category.ENVIRONMENT, "p-hoan-kiem", "U-HK-MT")
        state = await ready.feedback.status(HOA, filed.code, at=NOON)
        assert (state.status, state.mine, state.report_text) == (Status.RECEIVED, True, RUBBISH)
        assert [step.status for step in state.history] == [Status.RECEIVED]

    async def test_what_no_unit_of_the_ward_does_goes_to_one_above(self, ready: Center) -> None:
        filed = await ready.feedback.submit(HOA, report("Nhà dân đang cháy, khói mù mịt"), at=NOON)
        assert (filed.category, filed.unit_id) == (Category.FIRE_SAFETY, "U-HK-CA")
        far = await ready.feedback.submit(HOA, report("Nhà dân đang cháy", "p-ba-dinh"), at=NOON)
        assert far.unit_id == "U-HN-CC"

    async def test_the_same_key_files_once(self, ready: Center) -> None:
        first = await ready.feedback.submit(HOA, report(), at=NOON, key="k-1")
        assert await ready.feedback.submit(HOA, report(), at=NOON, key="k-1") == first
        assert await ready.feedback.own(HOA) == (first.code,)

    @pytest.mark.parametrize("anonymous", [False, True])
    async def test_a_report_sent_twice_is_filed_once(self, ready: Center, anonymous: bool) -> None:
        said = report(anonymous=anonymous)
        first, second = await asyncio.gather(*(ready.feedback.submit(HOA, said, at=NOON) for _ in range(2)))
        again = await ready.feedback.submit(HOA, said, at=NOON + SPAN)
        assert first.code == second.code == again.code
        others = [
            await ready.feedback.submit(HOA, said, at=NOON + 3 * SPAN),
            await ready.feedback.submit(TUAN, said, at=NOON),
            await ready.feedback.submit(HOA, report(f"{RUBBISH}!", anonymous=anonymous), at=NOON),
            await ready.feedback.submit(HOA, report(anonymous=not anonymous), at=NOON),
        ]
        assert len({first.code, *(filed.code for filed in others)}) == 5

    def test_what_is_kept_of_an_anonymous_report_cannot_be_tried_against_accounts(self) -> None:
        said = report(anonymous=True)
        assert Once().keys("hoa", said, NOON) != Once().keys("hoa", said, NOON)

    async def test_an_anonymous_report_has_no_owner_anywhere(self, ready: Center) -> None:
        filed = await ready.feedback.submit(HOA, report(anonymous=True), at=NOON)
        assert await ready.feedback.owner_of(filed.code) == ("p-hoan-kiem", None)
        assert await ready.feedback.own(HOA) == ()
        assert not (await ready.feedback.status(HOA, filed.code, at=NOON)).mine

    async def test_a_place_may_be_named_in_words_and_an_unknown_one_is_asked_for(self, ready: Center) -> None:
        said = Report(text="Cột điện nghiêng trước trường, phường Ba Đình", place=Place())
        assert (await ready.feedback.submit(HOA, said, at=NOON)).area == "p-ba-dinh"
        for place in (Place(), Place(area="p-khong-co"), Place(words="gần nhà tôi")):
            with pytest.raises(PlaceUnknownError):
                await ready.feedback.submit(HOA, Report(text="Cột điện nghiêng", place=place), at=NOON)

    async def test_events_of_the_kind_and_time_are_linked_for_staff_only(
        self, ready: Center, box: EdgeBox, make: Callable[..., Event]
    ) -> None:
        near = make(kind=EventType.ILLEGAL_DUMPING, time=NOON - timedelta(hours=1))
        others = (
            make(kind=EventType.ILLEGAL_DUMPING, time=NOON - timedelta(hours=3)),
            make(kind=EventType.CROWD, time=NOON),
            make(kind=EventType.ILLEGAL_DUMPING, time=NOON, camera_id="cam-2", area="p-ba-dinh"),
        )
        await ready.intake.receive(box.batch([near, *others]))
        filed = await ready.feedback.submit(HOA, report(), at=NOON)
        assert filed.linked_events == 1
        assert (await ready.feedback.status(OFFICER, filed.code, at=NOON)).event_ids == (near.id,)
        assert (await ready.feedback.status(HOA, filed.code, at=NOON)).event_ids == ()

    async def test_one_account_cannot_flood_the_desk(self, ready: Center) -> None:
        for number in range(REPORTS):
            await ready.feedback.submit(HOA, report(f"{RUBBISH} {number}"), at=NOON)
        with pytest.raises(TooManyReportsError):
            await ready.feedback.submit(HOA, report(), at=NOON)
        await ready.feedback.submit(TUAN, report(), at=NOON)


class TestWhoReadsWhat:
    @pytest.mark.parametrize(
        ("reader", "full"),
        [(HOA, True), (OFFICER, True), (COMMANDER, True), (TUAN, False), (ELSEWHERE, False), (ADMIN, False)],
        ids=lambda value: value.user_id if isinstance(value, Principal) else "",
    )
    async def test_a_code_shows_the_state_and_only_owner_and_staff_read_the_words(
        self, ready: Center, reader: Principal, full: bool
    ) -> None:
        filed = await ready.feedback.submit(HOA, report(), at=NOON)
        state = await ready.feedback.status(reader, filed.code.lower(), at=NOON)
        assert state.status is Status.RECEIVED
        assert state.unit_name == "Đội môi trường Hoàn Kiếm"
        assert state.full is full
        assert (state.report_text == RUBBISH) is full

    async def test_guessing_hits_nothing_and_soon_stops_but_never_locks_the_owner_out(self, ready: Center) -> None:
        own = await ready.feedback.submit(TUAN, report(), at=NOON)
        other = await ready.feedback.submit(HOA, report(), at=NOON)
        for _ in range(GUESSES):
            with pytest.raises(FeedbackNotFoundError):
                await ready.feedback.status(TUAN, new_code(), at=NOON)
        for guess in (new_code(), other.code):
            with pytest.raises(TooManyGuessesError):
                await ready.feedback.status(TUAN, guess, at=NOON)
        assert (await ready.feedback.status(TUAN, own.code, at=NOON)).mine
        later = NOON + GUESS_SPAN
        assert (await ready.feedback.status(TUAN, other.code, at=later)).code == other.code


class TestMovingOn:
    async def test_staff_move_it_on_and_the_owner_may_open_it_again(self, ready: Center) -> None:
        code = (await ready.feedback.submit(HOA, report(), at=NOON)).code
        later = NOON + timedelta(hours=1)
        await ready.feedback.move_on(OFFICER, code, Status.IN_PROGRESS, "Đã cử đội môi trường", at=later)
        await ready.feedback.move_on(OFFICER, code, Status.RESOLVED, "Đã dọn sạch", at=later, key="s-1")
        await ready.feedback.move_on(OFFICER, code, Status.RESOLVED, "Đã dọn sạch", at=later, key="s-1")
        state = await ready.feedback.move_on(HOA, code, Status.REOPENED, "Vẫn còn rác", at=later)
        assert [(step.status.value, step.note) for step in state.history] == [
            ("received", ""),
            ("in_progress", "Đã cử đội môi trường"),
            ("resolved", "Đã dọn sạch"),
            ("reopened", "Vẫn còn rác"),
        ]

    async def test_others_cannot_and_states_follow_each_other(self, ready: Center) -> None:
        code = (await ready.feedback.submit(HOA, report(), at=NOON)).code
        for who, status in ((TUAN, Status.RESOLVED), (ELSEWHERE, Status.RESOLVED), (HOA, Status.RESOLVED)):
            with pytest.raises(FeedbackNotFoundError):
                await ready.feedback.move_on(who, code, status, "", at=NOON)
        with pytest.raises(ReportStateError):
            await ready.feedback.move_on(OFFICER, code, Status.REOPENED, "", at=NOON)

    async def test_counts_of_a_day(self, ready: Center) -> None:
        day = NOON.replace(hour=0)
        code = (await ready.feedback.submit(HOA, report(), at=NOON)).code
        await ready.feedback.submit(HOA, report("Ô tô đỗ kín vỉa hè", "p-ba-dinh"), at=NOON)
        await ready.feedback.submit(HOA, report(), at=NOON - timedelta(days=2))
        await ready.feedback.move_on(OFFICER, code, Status.RESOLVED, "", at=NOON + timedelta(hours=1))

        async def count(scope: Scope, end: datetime) -> tuple[int, int, int]:
            counts = await ready.feedback.counts(scope, day, end)
            return counts.received, counts.resolved, counts.open

        assert await count(Scope(None), day + timedelta(days=1)) == (2, 1, 2)
        assert await count(Scope(("p-ba-dinh",)), day + timedelta(days=1)) == (1, 0, 1)
        assert await count(Scope(None), NOON + timedelta(minutes=1)) == (2, 0, 3)


class TestLoading:
    async def test_given_codes_are_kept_and_loading_twice_changes_nothing(self, ready: Center) -> None:
        record = FeedbackRecord(
            code="PA-K7M2", category="noise", text="Karaoke quá 23h", area="p-hoan-kiem",
            status=Status.REJECTED, created_at=NOON, owner="cit-hoa",
        )  # fmt: skip
        assert await ready.feedback.load([record]) == 1
        assert await ready.feedback.load([record]) == 0
        state = await ready.feedback.status(HOA, "k7m2", at=NOON)
        assert (state.code, state.status, len(state.history)) == ("PA-K7M2", Status.REJECTED, 2)


class TestCodes:
    def test_codes_are_many_and_have_no_letters_that_look_alike(self) -> None:
        codes = {new_code() for _ in range(2_000)}
        assert len(codes) == 2_000
        assert not set("".join(code[3:] for code in codes)) & set("01ILOU")
        assert len(ALPHABET) ** 8 > 10**11

    def test_a_code_is_read_however_it_is_typed(self) -> None:
        assert "PA-K7M2" in spellings("pa-k7m2")
        assert "PA-K7M2" in spellings("k7m2")


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Nắp cống trước số 45 bị mất", Category.INFRASTRUCTURE),
        ("quan nhau hat karaoke toi 1h sang", Category.NOISE),
        ("Ô tô đỗ kín vỉa hè Duy Tân", Category.TRAFFIC),
        ("Somebody is dumping rubbish at the river", Category.ENVIRONMENT),
        ("pickpockets around the station", Category.SECURITY),
        ("Mưa là ngập trước cổng", Category.FLOODING),
        ("Tôi muốn góp ý", Category.OTHER),
    ],
)
def test_a_category_is_read_from_the_words(text: str, category: Category) -> None:
    assert category_of(text) is category


def test_a_category_is_known_by_usual_names() -> None:
    assert category_named("fire") is Category.FIRE_SAFETY
    assert category_named("An ninh trên mạng") is Category.OTHER


class TestPlaces:
    def test_short_names_need_their_level_and_the_innermost_counts(self, center: Center) -> None:
        assert area_said(center.areas, "ngõ 5 phuong hoan kiem, thành phố Hà Nội") == "p-hoan-kiem"
        assert area_said(center.areas, "giữa Hồ Gươm và phường Ba Đình") is None
        assert area_said(center.areas, "") is None

    def test_no_centre_no_area(self, center: Center) -> None:
        assert area_near(center.areas, Place(lat=21.0, lon=105.8)) is None


class TestPhotos:
    def picture(self, extension: str = ".jpg", side: int = 200) -> bytes:
        noise = np.random.default_rng(3).integers(0, 255, (side, side * 2, 3), dtype=np.uint8)
        return bytes(cv2.imencode(extension, noise)[1])

    async def test_what_hides_in_a_photo_is_gone(self) -> None:
        jpeg = self.picture()
        exif = b"Exif\0\0GPS 21.03N 105.85E " + b"<script>alert(1)</script>"
        marked = (
            jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:] + b"PK\x03\x04 a zip behind"
        )
        clean = await PhotoCleaner().clean(marked)
        assert clean.startswith(b"\xff\xd8\xff")
        for hidden in (b"Exif", b"GPS", b"script", b"PK\x03\x04"):
            assert hidden not in clean
        assert size(clean) == (200, 400)

    async def test_a_png_becomes_a_jpeg_and_a_large_one_smaller(self) -> None:
        clean = await PhotoCleaner().clean(self.picture(".png", side=1400))
        assert size(clean)[1] == 2560

    @pytest.mark.parametrize(
        "data",
        [b"", b"<svg onload='x'/>", b"GIF89a" + b"\0" * 50, png(20_000, 20_000), b"\xff\xd8\xff\xe0" + b"\0" * 40],
        ids=["empty", "svg", "gif", "bomb", "headless"],
    )
    def test_what_is_no_fit_picture_is_refused_by_its_header(self, data: bytes) -> None:
        with pytest.raises(PhotoError):
            check_header(data)

    async def test_a_header_without_a_picture_is_refused(self) -> None:
        with pytest.raises(PhotoError):
            await PhotoCleaner().clean(png(300, 300))

    async def test_photos_are_kept_clean_with_the_report(self, ready: Center) -> None:
        filed = await ready.feedback.submit(HOA, report(photos=(self.picture(),)), at=NOON)
        assert filed.photos == 1
        assert (await ready.feedback.status(HOA, filed.code, at=NOON)).photos == 1

    @pytest.mark.parametrize("reader", [HOA, OFFICER, COMMANDER])
    async def test_owner_and_staff_see_the_clean_photo(self, ready: Center, reader: Principal) -> None:
        sent = self.picture()
        filed = await ready.feedback.submit(HOA, report(photos=(sent,)), at=NOON)
        shown = await ready.feedback.photo(reader, filed.code, 1, at=NOON)
        assert shown.startswith(b"\xff\xd8\xff")
        assert shown != sent

    @pytest.mark.parametrize(("reader", "number"), [(TUAN, 1), (ELSEWHERE, 1), (ADMIN, 1), (HOA, 0), (HOA, 2)])
    async def test_nobody_else_does_and_there_is_no_other(self, ready: Center, reader: Principal, number: int) -> None:
        filed = await ready.feedback.submit(HOA, report(photos=(self.picture(),)), at=NOON)
        with pytest.raises(FeedbackNotFoundError):
            await ready.feedback.photo(reader, filed.code, number, at=NOON)
