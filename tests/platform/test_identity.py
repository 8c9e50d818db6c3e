"""Identity checks: two people, one subject, one decision, the grant kept on our side, values sealed and erased."""

from __future__ import annotations

import ast
import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from matpho_contracts.errors import ConfigurationError, IntegrityError, UnavailableError
from matpho_contracts.identity_api import CheckAnswer, CheckRequest, Person, Vehicle, sign_answer
from matpho_contracts.signing import SigningKey
from matpho_platform.access.errors import DeniedError
from matpho_platform.access.principal import Principal, Role
from matpho_platform.identity import errors
from matpho_platform.identity import service as service_module
from matpho_platform.identity.errors import CentreSilentError, RequestNotFoundError, UnclearError
from matpho_platform.identity.grant import match_fields, match_purpose
from matpho_platform.identity.schemas import IdentityGrant, NewRequest, RequestView, Status
from matpho_platform.identity.service import HARD_LIMIT, SOFT_LIMIT, IdentityService
from matpho_platform.store import Store, open_store
from matpho_platform.store.sealing import Vault
from matpho_platform.store.tables import identity_requests

NOW = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
GRANT = IdentityGrant(
    unit_code="HP-PC06",
    purposes=("điều tra hình sự", "tìm người mất tích"),
    fields=("họ tên", "chủ xe", "địa chỉ"),
    valid_to=NOW + timedelta(days=90),
    quota=60,
)
CAR = Vehicle(plate="15A-678.90")
PERSON = Person(citizen_id="031190000042", name="Phạm Thị Mẫu", date_of_birth=date(1990, 3, 2))
ANNA = Principal("inv-anna", "Anna", Role.INVESTIGATOR, ("HP",))
BAO = Principal("cmd-bao", "Bảo", Role.COMMANDER)
CHI = Principal("cmd-chi", "Chi", Role.COMMANDER)


@dataclass
class Centre:
    """A centre with a true key that does what a test tells it to."""

    key: SigningKey = field(default_factory=SigningKey.generate)
    asked: list[CheckRequest] = field(default_factory=list)
    silent: bool = False
    refuses: str = ""
    forged: bool = False
    extra: dict[str, str] = field(default_factory=dict)
    gate: asyncio.Event | None = None
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def check(self, request: CheckRequest) -> CheckAnswer:
        self.asked.append(request)
        self.came.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.silent:
            raise UnavailableError("nobody there")
        key = SigningKey.generate() if self.forged else self.key
        values = {name: f"giá trị {name}" for name in request.fields} | self.extra
        outcome: Any = "refused" if self.refuses else "found"
        answer = sign_answer(
            request,
            key,
            outcome=outcome,
            answered_at=NOW,
            answer_number="T-1",
            values={} if self.refuses else values,
            rule=self.refuses,
        )
        return answer.model_copy(update={"key_id": self.key.public.key_id}) if self.forged else answer

    async def close(self) -> None:
        return


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.load_or_create(tmp_path / "identity.key")


@pytest.fixture
async def store(database: str | None, tmp_path: Path, migrated: Path) -> AsyncIterator[Store]:
    path = tmp_path / "identity.db"
    if database is None:
        path.write_bytes(migrated.read_bytes())
    opened = await open_store(database or path)
    yield opened
    await opened.close()


@pytest.fixture
def centre() -> Centre:
    return Centre()


@pytest.fixture
def identity(store: Store, vault: Vault, centre: Centre) -> IdentityService:
    made = IdentityService(store, vault, grant=GRANT)
    made.connect(centre, centre.key.public)
    return made


def new(subject: Any = CAR, case: str = "HS-2026-0102", fields: Sequence[str] = ("chủ xe",)) -> NewRequest:
    return NewRequest(case_number=case, purpose="điều tra hình sự", subject=subject, fields=tuple(fields))


async def opened(identity: IdentityService, key: str = "k1", **changes: Any) -> RequestView:
    return await identity.request(ANNA, new(**changes), now=NOW, key=key)


async def approve(
    identity: IdentityService, request: RequestView, who: Principal = BAO, key: str = "d1"
) -> RequestView:
    return await identity.decide(who, request.id, "approve", "", content_hash=request.content_hash, now=NOW, key=key)


async def row_of(store: Store, request_id: str) -> Any:
    async with store.reading() as session:
        return await session.first(select(identity_requests).where(identity_requests.c.request_id == request_id))


class TestTheWholeWay:
    async def test_asked_approved_answered_read_by_both(self, identity: IdentityService, centre: Centre) -> None:
        request = await opened(identity)
        assert (request.id, request.status) == ("IDR-0001", Status.PENDING)
        assert centre.asked == []
        decided = await approve(identity, request)
        assert (decided.status, decided.decided_by) == (Status.ANSWERED, "cmd-bao")
        for who in (ANNA, BAO):
            shown = await identity.result(who, request.id, NOW)
            assert shown.values == {"chủ xe": "giá trị chủ xe"}
        assert len(centre.asked) == 1

    async def test_a_third_person_reads_nothing(self, identity: IdentityService) -> None:
        request = await opened(identity)
        await approve(identity, request)
        with pytest.raises(DeniedError, match="requester"):
            await identity.result(CHI, request.id, NOW)

    async def test_a_rejected_request_is_erased_and_never_sent(
        self, identity: IdentityService, centre: Centre, store: Store
    ) -> None:
        request = await opened(identity)
        await identity.decide(
            BAO, request.id, "reject", "thiếu căn cứ", content_hash=request.content_hash, now=NOW, key="d"
        )
        shown = await identity.result(ANNA, request.id, NOW)
        assert (shown.request.status, shown.request.reason, shown.values) == (Status.REJECTED, "thiếu căn cứ", {})
        assert centre.asked == []
        assert (await row_of(store, request.id))["subject"] is None

    async def test_the_same_call_again_opens_nothing_new(self, identity: IdentityService) -> None:
        assert (await opened(identity)).id == (await opened(identity)).id

    async def test_the_same_decision_again_changes_and_asks_nothing(
        self, identity: IdentityService, centre: Centre
    ) -> None:
        request = await opened(identity)
        first = await approve(identity, request)
        assert await approve(identity, request) == first
        assert len(centre.asked) == 1


class TestFourEyes:
    async def test_nobody_approves_their_own(self, identity: IdentityService, centre: Centre) -> None:
        request = await identity.request(BAO, new(), now=NOW, key="own")
        with pytest.raises(DeniedError) as denied:
            await approve(identity, request, BAO)
        assert denied.value.rule == "own_request"
        with pytest.raises(DeniedError):
            await identity.decidable(BAO, request.id, NOW)
        assert centre.asked == []

    async def test_fifty_approvals_at_once_are_one(self, identity: IdentityService, centre: Centre) -> None:
        request = await opened(identity)
        people = [Principal(f"cmd-{number}", "X", Role.COMMANDER) for number in range(50)]
        tries = [approve(identity, request, who, f"d{number}") for number, who in enumerate(people)]
        done = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(one, RequestView) for one in done) == 1
        assert {one.rule for one in done if isinstance(one, DeniedError)} == {"not_pending"}
        assert len(centre.asked) == 1

    async def test_approve_and_reject_at_once_are_one_word(self, identity: IdentityService, centre: Centre) -> None:
        for number in range(10):
            request = await opened(identity, f"k{number}", case=f"HS-2026-1{number:03d}")
            before = len(centre.asked)
            verdicts = await asyncio.gather(
                approve(identity, request, BAO, f"a{number}"),
                identity.decide(
                    CHI, request.id, "reject", "", content_hash=request.content_hash, now=NOW, key=f"r{number}"
                ),
                return_exceptions=True,
            )
            (word,) = [one for one in verdicts if isinstance(one, RequestView)]
            assert len(centre.asked) - before == (word.status is Status.ANSWERED)

    async def test_a_decision_is_about_what_was_shown(self, identity: IdentityService, centre: Centre) -> None:
        first = await opened(identity)
        other = await opened(identity, "k2", case="HS-2026-0103")
        with pytest.raises(DeniedError) as denied:
            await identity.decide(BAO, first.id, "approve", "", content_hash=other.content_hash, now=NOW, key="swapped")
        assert denied.value.rule == "content_changed"
        assert centre.asked == []

    @pytest.mark.parametrize(
        "change",
        [
            {"fields": '["chủ xe", "địa chỉ"]'},
            {"case_number": "HS-2026-9999"},
            {"purpose": "tìm người mất tích"},
            {"requester": "inv-other"},
        ],
        ids=lambda change: next(iter(change)),
    )
    async def test_a_row_changed_in_the_database_cannot_be_approved(
        self, identity: IdentityService, centre: Centre, store: Store, change: dict[str, str]
    ) -> None:
        request = await opened(identity)
        async with store.writing() as session:
            await session.run(update(identity_requests).values(**change))
        with pytest.raises(DeniedError) as denied:
            await approve(identity, request)
        assert denied.value.rule == "content_changed"
        assert centre.asked == []

    async def test_a_subject_moved_from_another_request_cannot_be_opened(
        self, identity: IdentityService, centre: Centre, store: Store
    ) -> None:
        request = await opened(identity)
        other = await opened(identity, "k2", subject=PERSON)
        sealed = (await row_of(store, other.id))["subject"]
        async with store.writing() as session:
            await session.run(
                update(identity_requests).where(identity_requests.c.request_id == request.id).values(subject=sealed)
            )
        with pytest.raises(IntegrityError):
            await approve(identity, request)
        assert centre.asked == []

    @pytest.mark.parametrize("first", ["approve", "reject"])
    async def test_a_decided_one_is_not_decided_again(self, identity: IdentityService, first: Any) -> None:
        request = await opened(identity)
        await identity.decide(BAO, request.id, first, "", content_hash=request.content_hash, now=NOW, key="d1")
        with pytest.raises(DeniedError, match="no longer pending") as denied:
            await approve(identity, request, CHI, "d2")
        assert "không còn chờ" in denied.value.message_vi

    async def test_an_old_one_is_not_decided_and_its_subject_is_erased(
        self, identity: IdentityService, store: Store, centre: Centre
    ) -> None:
        request = await opened(identity)
        late = NOW + timedelta(hours=24)
        with pytest.raises(DeniedError, match="expired") as denied:
            await identity.decide(
                BAO, request.id, "approve", "", content_hash=request.content_hash, now=late, key="late"
            )
        assert "hết hạn" in denied.value.message_vi
        await identity.sweep(late)
        row = await row_of(store, request.id)
        assert (row["status"], row["subject"], row["live_key"]) == ("expired", None, None)
        assert centre.asked == []


class TestTheGrant:
    @pytest.mark.parametrize(
        ("change", "rule"),
        [
            ({"fields": ("quê quán",)}, "field_not_granted"),
            ({"fields": ("chủ xe", "người thân")}, "field_not_granted"),
            ({"fields": ()}, "field_not_granted"),
            ({"purpose": "tò mò"}, "purpose_not_granted"),
        ],
    )
    async def test_what_it_does_not_cover_never_leaves(
        self, identity: IdentityService, centre: Centre, store: Store, change: dict[str, Any], rule: str
    ) -> None:
        with pytest.raises(DeniedError) as denied:
            await identity.request(ANNA, new().model_copy(update=change), now=NOW, key="k")
        assert denied.value.rule == rule
        assert centre.asked == []
        async with store.reading() as session:
            assert await session.all(select(identity_requests)) == []

    async def test_no_grant_and_an_ended_one_allow_nothing(self, store: Store, vault: Vault) -> None:
        for grant, rule in ((None, "no_grant"), (GRANT.model_copy(update={"valid_to": NOW}), "grant_ended")):
            with pytest.raises(DeniedError) as denied:
                await opened(IdentityService(store, vault, grant=grant))
            assert denied.value.rule == rule

    async def test_a_grant_that_shrank_since_stops_the_approval(
        self, identity: IdentityService, centre: Centre
    ) -> None:
        request = await opened(identity)
        await identity.load(grant=GRANT.model_dump() | {"fields": ("họ tên",)}, now=NOW)
        with pytest.raises(DeniedError) as denied:
            await approve(identity, request)
        assert denied.value.rule == "field_not_granted"
        assert centre.asked == []

    async def test_the_quota_of_a_day_holds_in_a_race(self, store: Store, vault: Vault, centre: Centre) -> None:
        identity = IdentityService(store, vault, grant=GRANT.model_copy(update={"quota": 3}))
        identity.connect(centre, centre.key.public)
        pending = [await opened(identity, f"k{n}", case=f"HS-2026-2{n:03d}") for n in range(8)]
        done = await asyncio.gather(
            *(approve(identity, one, BAO, f"d{n}") for n, one in enumerate(pending)), return_exceptions=True
        )
        assert sum(isinstance(one, RequestView) for one in done) == 3
        assert {one.rule for one in done if isinstance(one, DeniedError)} == {"grant_quota"}
        assert len(centre.asked) == 3

    async def test_words_are_read_as_the_grant_says_them(self, identity: IdentityService) -> None:
        read = identity.read("hs-2026-0102", "để dieu tra hinh su", CAR, ["Chu xe", "address"], NOW)
        assert (read.case_number, read.purpose, read.fields) == (
            "HS-2026-0102",
            "điều tra hình sự",
            ("chủ xe", "địa chỉ"),
        )

    @pytest.mark.parametrize(
        ("case", "purpose", "fields", "missing"),
        [
            ("không có", "điều tra hình sự", ["chủ xe"], "case_number"),
            ("HS-2026-1", "", ["chủ xe"], "purpose"),
            ("HS-2026-1", "điều tra", ["chủ xe"], "purpose"),
            ("HS-2026-1", "điều tra hình sự", [], "fields"),
        ],
    )
    async def test_what_is_missing_is_named_with_what_would_fit(
        self, identity: IdentityService, case: str, purpose: str, fields: list[str], missing: str
    ) -> None:
        with pytest.raises(UnclearError) as unclear:
            identity.read(case, purpose, CAR, fields, NOW)
        assert unclear.value.argument == missing
        assert unclear.value.options == {"purpose": GRANT.purposes, "fields": GRANT.fields}.get(missing, ())


class TestWords:
    def test_english_and_other_spellings_meet_one_granted_word(self) -> None:
        assert match_purpose(GRANT.purposes, "criminal_investigation") == "điều tra hình sự"
        assert match_fields(("vehicle owner",), ["chủ phương tiện"]) == (("vehicle owner",), ())

    def test_nothing_is_widened(self) -> None:
        assert match_fields(("địa chỉ",), ["nơi thường trú"]) == ((), ("nơi thường trú",))
        assert match_purpose(GRANT.purposes, "điều tra hình sự và dân sự") is None

    def test_a_word_that_means_two_granted_things_means_none(self) -> None:
        assert match_fields(("full name", "họ và tên"), ["tên"]) == ((), ("tên",))


class TestLimits:
    async def test_the_same_subject_in_the_same_case_once(self, identity: IdentityService) -> None:
        request = await opened(identity)
        with pytest.raises(DeniedError) as denied:
            await opened(identity, "k2", subject=Vehicle(plate="15a 67890"))
        assert denied.value.rule == "already_under_way"
        assert request.id in denied.value.message
        assert await opened(identity, "k3", case="HS-2026-0777")

    async def test_somebody_elses_request_id_is_not_told(self, identity: IdentityService) -> None:
        request = await opened(identity)
        with pytest.raises(DeniedError) as denied:
            await identity.request(CHI, new(), now=NOW, key="k2")
        assert request.id not in denied.value.message + denied.value.message_vi

    async def test_many_a_day_are_marked_then_stopped(
        self, identity: IdentityService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert (SOFT_LIMIT, HARD_LIMIT) == (20, 50)
        monkeypatch.setattr(service_module, "SOFT_LIMIT", 2)
        monkeypatch.setattr(service_module, "HARD_LIMIT", 4)
        made = [await opened(identity, f"k{n}", case=f"HS-2026-3{n:03d}") for n in range(4)]
        assert [one.anomalous for one in made] == [False, False, True, True]
        with pytest.raises(DeniedError) as denied:
            await opened(identity, "k9", case="HS-2026-3999")
        assert denied.value.rule == "officer_limit"
        tomorrow = NOW + timedelta(days=1)
        again = await identity.request(ANNA, new(case="HS-2026-4000"), now=tomorrow, key="k10")
        assert not again.anomalous

    async def test_fifty_opened_at_once_get_fifty_numbers(self, identity: IdentityService) -> None:
        made = await asyncio.gather(*(opened(identity, f"k{n}", case=f"HS-2026-5{n:03d}") for n in range(50)))
        assert len({one.id for one in made}) == 50
        with pytest.raises(DeniedError):
            await opened(identity, "one-more", case="HS-2026-5999")

    async def test_a_closed_case_opens_nothing(self, store: Store, vault: Vault) -> None:
        class Closed:
            async def is_open(self, case_number: str, now: datetime) -> bool:
                return False

        with pytest.raises(DeniedError) as denied:
            await opened(IdentityService(store, vault, grant=GRANT, cases=Closed()))
        assert denied.value.rule == "case_not_open"


class TestTheCentre:
    async def test_silence_keeps_the_approval_and_asks_again_under_the_same_id(
        self, identity: IdentityService, centre: Centre, store: Store
    ) -> None:
        request = await opened(identity)
        centre.silent = True
        decided = await approve(identity, request)
        assert (decided.status, decided.problem) == (Status.APPROVED, "silent")
        with pytest.raises(CentreSilentError):
            await identity.result(ANNA, request.id, NOW)
        assert (await row_of(store, request.id))["answer"] is None
        centre.silent = False
        assert (await identity.result(ANNA, request.id, NOW)).values
        assert len({question.check_id for question in centre.asked}) == 1
        assert len({question.digest() for question in centre.asked}) == 1

    async def test_a_refusal_is_final_and_erases(self, identity: IdentityService, centre: Centre, store: Store) -> None:
        centre.refuses = "quota"
        request = await opened(identity)
        decided = await approve(identity, request)
        assert (decided.status, decided.problem) == (Status.FAILED, "quota")
        assert (await identity.result(ANNA, request.id, NOW)).values == {}
        assert (await row_of(store, request.id))["subject"] is None
        assert len(centre.asked) == 1

    async def test_a_forged_answer_is_none(self, identity: IdentityService, centre: Centre, store: Store) -> None:
        centre.forged = True
        request = await opened(identity)
        assert (await approve(identity, request)).problem == "untrusted"
        assert (await row_of(store, request.id))["answer"] is None

    async def test_more_than_was_asked_for_is_not_kept(
        self, identity: IdentityService, centre: Centre, store: Store
    ) -> None:
        centre.extra = {"số điện thoại": "0912345678"}
        request = await opened(identity)
        assert (await approve(identity, request)).problem == "untrusted"
        assert (await row_of(store, request.id))["answer"] is None

    async def test_two_who_want_the_result_ask_once(self, identity: IdentityService, centre: Centre) -> None:
        request = await opened(identity)
        centre.silent = True
        await approve(identity, request)
        centre.silent, centre.gate = False, asyncio.Event()
        before = len(centre.asked)
        centre.came.clear()
        first = asyncio.create_task(identity.result(ANNA, request.id, NOW))
        await centre.came.wait()
        with pytest.raises(CentreSilentError):
            await identity.result(BAO, request.id, NOW)
        centre.gate.set()
        assert (await first).found
        assert len(centre.asked) == before + 1

    async def test_an_asker_that_died_is_followed_by_another(self, identity: IdentityService, centre: Centre) -> None:
        request = await opened(identity)
        centre.gate = asyncio.Event()
        dying = asyncio.create_task(approve(identity, request))
        await centre.came.wait()
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
        centre.gate = None
        with pytest.raises(CentreSilentError):
            await identity.result(ANNA, request.id, NOW)
        assert await identity.resume(NOW + timedelta(minutes=2)) == 1
        assert (await identity.result(ANNA, request.id, NOW + timedelta(minutes=2))).found
        assert len({question.check_id for question in centre.asked}) == 1

    async def test_without_a_centre_the_approval_waits(self, store: Store, vault: Vault) -> None:
        identity = IdentityService(store, vault, grant=GRANT)
        request = await opened(identity)
        assert (await approve(identity, request)).status is Status.APPROVED
        with pytest.raises(CentreSilentError):
            await identity.result(ANNA, request.id, NOW)


class TestTheEnd:
    async def test_a_result_is_erased_when_its_time_is_over(self, identity: IdentityService, store: Store) -> None:
        request = await opened(identity)
        await approve(identity, request)
        assert (await row_of(store, request.id))["answer"] is not None
        with pytest.raises(DeniedError, match="expired"):
            await identity.result(ANNA, request.id, NOW + timedelta(hours=24))
        row = await row_of(store, request.id)
        assert (row["status"], row["answer"], row["subject"]) == ("expired", None, None)

    async def test_an_unknown_request_is_not_found(self, identity: IdentityService) -> None:
        assert await identity.parties("IDR-9999") is None
        with pytest.raises(RequestNotFoundError):
            await identity.result(ANNA, "IDR-9999", NOW)


class TestSecrets:
    async def test_nothing_personal_lies_open_in_the_database_or_the_logs(
        self, identity: IdentityService, tmp_path: Path, database: str | None, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        request = await opened(identity, subject=PERSON, fields=("địa chỉ",))
        await approve(identity, request)
        shown = await identity.result(ANNA, request.id, NOW)
        personal = (PERSON.citizen_id, "Phạm Thị Mẫu", "1990-03-02", "giá trị địa chỉ")
        said = caplog.text + repr(shown) + repr(PERSON) + repr(request) + repr(new(subject=PERSON))
        assert not [value for value in personal if value in said]
        if database is None:
            stored = b"".join(path.read_bytes() for path in tmp_path.glob("identity.db*"))
            assert not [value for value in personal if value.encode() in stored]

    async def test_a_list_is_masked(self, identity: IdentityService) -> None:
        await opened(identity, subject=PERSON)
        for who in (ANNA, BAO):
            (listed,) = await identity.list_for(who, NOW)
            assert listed.subject == {"citizen_id": "031•••••••42"}
        stranger = Principal("inv-x", "X", Role.INVESTIGATOR, ("HP",))
        assert await identity.list_for(stranger, NOW) == ()

    def test_the_key_file_is_for_one_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "k"
        Vault.load_or_create(path)
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o640)
        with pytest.raises(ConfigurationError):
            Vault.load_or_create(path)

    def test_a_sealed_value_opens_only_where_it_belongs(self, vault: Vault) -> None:
        sealed = vault.seal(b"x", "subject:1")
        assert vault.open(sealed, "subject:1") == b"x"
        for wrong in (sealed[:-1] + bytes([sealed[-1] ^ 1]), b""):
            with pytest.raises(IntegrityError):
                vault.open(wrong, "subject:1")
        with pytest.raises(IntegrityError):
            vault.open(sealed, "subject:2")


class TestLoading:
    async def test_a_world_is_filled_once(self, identity: IdentityService, centre: Centre) -> None:
        given = [
            {"id": "IDR-0003", "case_number": "HS-1", "purpose": "điều tra hình sự", "subject": {"plate": "15A-111.11"},
             "fields": ["chủ xe"], "requester": ANNA.user_id, "status": "expired"},
            {"id": "IDR-0001", "case_number": "HS-2", "purpose": "điều tra hình sự", "subject": {"plate": "15A-222.22"},
             "fields": ["chủ xe"], "requester": ANNA.user_id, "status": "approved"},
            {"id": "IDR-0002", "case_number": "HS-3", "purpose": "điều tra hình sự", "subject": PERSON.model_dump(),
             "fields": ["địa chỉ"], "requester": ANNA.user_id, "status": "pending"},
        ]  # fmt: skip
        assert await identity.load(requests=given, now=NOW) == 3
        assert await identity.load(requests=given, now=NOW) == 0
        assert centre.asked == []
        assert (await identity.result(ANNA, "IDR-0001", NOW)).found
        for turn in (identity.result(ANNA, "IDR-0003", NOW), identity.decidable(BAO, "IDR-0003", NOW)):
            with pytest.raises(DeniedError, match="expired"):
                await turn
        shown = await identity.decidable(BAO, "IDR-0002", NOW)
        assert shown.subject["citizen_id"] == PERSON.citizen_id
        assert (await opened(identity)).id == "IDR-0004"
        assert await identity.parties("IDR-0002") == (ANNA.user_id, "")


class TestTheShape:
    """What the code may not be able to do at all."""

    FOLDER = Path(service_module.__file__).parent

    def test_no_function_takes_several_subjects(self) -> None:
        plural = {"subjects", "plates", "citizen_ids", "persons", "people", "vehicles"}
        for path in self.FOLDER.glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = {node.arg} if isinstance(node, ast.arg) else set()
                names |= (
                    {node.target.id} if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) else set()
                )
                assert not names & plural, f"{path.name} takes many at once"

    def test_one_file_alone_opens_connections_and_to_one_address(self) -> None:
        network = {
            "httpx2",
            "httpx",
            "aiohttp",
            "requests",
            "socket",
            "urllib.request",
            "http.client",
            "ssl",
            "psycopg",
        }
        users = set()
        for path in self.FOLDER.glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                users |= {path.name for module in modules if module in network or module.split(".")[0] in network}
        assert users == {"centre_client.py"}
        text = (self.FOLDER / "centre_client.py").read_text(encoding="utf-8")
        assert text.count("self._client.stream(") == 1
        assert "CHECKS_PATH" in text
        assert "follow_redirects=False" in text

    def test_every_denial_has_words_in_both_languages(self) -> None:
        for denied in (errors.no_grant(), errors.own_request(), errors.not_a_party(), errors.expired("IDR-1")):
            assert denied.message_vi
            assert denied.message
            assert denied.message_vi != denied.message
