"""The lists that no planner sees, over HTTP: own watches, what they told, identity checks; cut by policy and logged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from matpho_contracts.events import Event
from matpho_contracts.identity_api import Vehicle
from matpho_contracts.times import now, unix_ms
from matpho_contracts.vocabulary import EventType
from matpho_platform.access.principal import Principal, Role
from matpho_platform.center import Center
from matpho_platform.events.schemas import EventFilter
from matpho_platform.identity.schemas import NewRequest
from matpho_platform.watches import repository
from matpho_platform.watches.schemas import Watch, WatchFilter, WatchPlan
from matpho_platform.web.session import current_principal
from matpho_tools.gateway import Gateway
from matpho_tools.registry import EXPOSED
from matpho_tools.rest import tools_router

Who = Callable[..., Principal]
Get = Callable[..., Any]
LISTS = ("/watches", "/watches/notifications", "/identity-checks")


@pytest.fixture
def get(gateway: Gateway) -> Get:
    """Asks for a page, or does what another method says, as somebody; returns the status and the body."""
    app = FastAPI()
    app.include_router(tools_router(gateway))

    async def ask(principal: Principal, path: str, method: str = "GET", **query: Any) -> tuple[int, Any]:
        app.dependency_overrides[current_principal] = lambda: principal
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://center") as http:
            answer = await http.request(method, f"/api/v1{path}", params=query)
        return answer.status_code, answer.json()

    return ask


async def watch(center: Center, owner: Principal, name: str, *notify: str, at: datetime | None = None) -> Watch:
    at = at or now()
    plan = WatchPlan(
        name=name,
        filter=WatchFilter(where=EventFilter(event_types=(EventType.FIGHT,))),
        notify=notify or (owner.user_id,),
        expires_at=at + timedelta(days=7),
    )
    return await center.watches.create(owner, plan, at=at)


async def told(center: Center, of: Watch, event: Event, *people: Principal) -> None:
    common = {"watch_id": of.id, "event_id": event.id, "area": event.data.area, "event_ms": unix_ms(event.time)}
    rows = [{**common, "user_id": one.user_id, "matched_ms": unix_ms(now()), "seen": False} for one in people]
    async with center.store.writing() as session:
        await repository.tell(session, rows)


async def asked_for(center: Center, requester: Principal, plate: str = "43C-123.45") -> str:
    grant = {
        "unit_code": "DN-01",
        "purposes": ["điều tra"],
        "fields": ["chủ xe"],
        "valid_to": now() + timedelta(days=1),
    }
    await center.identity.load(grant=grant, now=now())
    new = NewRequest(case_number="HS-2026-0102", purpose="điều tra", subject=Vehicle(plate=plate), fields=("chủ xe",))
    return (await center.identity.request(requester, new, now=now(), key=f"{requester.user_id}-{plate}")).id


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.CITIZEN, (False, False, False)),
        (Role.OFFICER, (True, True, False)),
        (Role.INVESTIGATOR, (True, True, True)),
        (Role.COMMANDER, (True, True, True)),
        (Role.LEADER, (False, True, False)),
        (Role.AUDITOR, (False, False, False)),
        (Role.ADMIN, (False, False, False)),
    ],
)
async def test_which_role_gets_which_list(get: Get, who: Who, role: Role, allowed: tuple[bool, ...]) -> None:
    answers = [await get(who(role), path) for path in LISTS]
    assert tuple(status == 200 for status, _ in answers) == allowed
    for status, body in answers:
        assert status == 200 or (status, body["rule"]) == (403, "role")
        assert status != 200 or body["total"] == 0


async def test_everybody_lists_their_own_watches_that_stand(get: Get, who: Who, center: Center) -> None:
    officer, commander = who(Role.OFFICER), who(Role.COMMANDER)
    older = await watch(center, officer, "chợ Cồn", at=now() - timedelta(days=2))
    newer = await watch(center, officer, "bến xe")
    ended = await watch(center, officer, "đã thôi")
    await center.watches.end(officer, ended.id, at=now())
    await watch(center, officer, "đã hết hạn", at=now() - timedelta(days=8))
    theirs = await watch(center, commander, "của chỉ huy")
    _, page = await get(officer, "/watches")
    assert [one["id"] for one in page["watches"]] == [newer.id, older.id]
    assert page["total"] == 2
    assert page["watches"][0]["filter"]["where"]["event_types"] == ["fight"]
    _, page = await get(commander, "/watches")
    assert [one["id"] for one in page["watches"]] == [theirs.id]


async def test_what_watches_told_is_cut_to_what_the_reader_may_see_now(
    get: Get, who: Who, center: Center, events: dict[str, Event]
) -> None:
    officer, commander = who(Role.OFFICER), who(Role.COMMANDER)
    made = await watch(center, commander, "ẩu đả 43C-123.45", officer.user_id, commander.user_id)
    await told(center, made, events["fight"], officer, commander)
    await told(center, made, events["far"], officer, commander)  # before the officer was moved to another ward
    _, page = await get(commander, "/watches/notifications")
    assert [one["event_id"] for one in page["notifications"]] == [events["far"].id, events["fight"].id]
    assert (page["total"], page["unseen"]) == (2, 2)
    _, page = await get(commander, "/watches/notifications", limit=1, offset=1)
    assert ([one["event_id"] for one in page["notifications"]], page["total"]) == ([events["fight"].id], 2)
    _, page = await get(officer, "/watches/notifications")
    assert ([one["event_id"] for one in page["notifications"]], page["total"]) == ([events["fight"].id], 1)


async def test_a_leader_reads_no_plate_in_a_watchs_name(
    get: Get, who: Who, center: Center, events: dict[str, Event]
) -> None:
    leader = who(Role.LEADER)
    made = await watch(center, who(Role.COMMANDER), "ẩu đả 43C-123.45", leader.user_id)
    await told(center, made, events["fight"], leader)
    _, page = await get(leader, "/watches/notifications")
    assert [one["watch_name"] for one in page["notifications"]] == ["ẩu đả •••"]


async def test_identity_checks_are_the_parties_and_wait_for_who_decides(get: Get, who: Who, center: Center) -> None:
    investigator, commander = who(Role.INVESTIGATOR), who(Role.COMMANDER)
    colleague = Principal("u-other", "Khác", Role.INVESTIGATOR, ("DN-HC",), session_id="s2")
    mine, theirs = await asked_for(center, investigator), await asked_for(center, colleague, "43A-999.99")
    own = await asked_for(center, commander, "43A-111.11")
    _, page = await get(investigator, "/identity-checks")
    assert ([one["id"] for one in page["requests"]], page["total"], page["waiting"]) == ([mine], 1, 0)
    assert page["requests"][0]["subject"]["plate"] != "43C12345"
    _, page = await get(commander, "/identity-checks", waiting=True)
    assert ({one["id"] for one in page["requests"]}, page["waiting"]) == ({mine, theirs}, 2)
    _, page = await get(commander, "/identity-checks")
    assert {one["id"] for one in page["requests"]} == {mine, theirs, own}
    _, page = await get(investigator, "/identity-checks", waiting=True)
    assert (page["requests"], page["total"]) == ([], 0)


async def test_no_list_for_programs_of_identity_checks_and_none_for_planners(
    get: Get, who: Who, gateway: Gateway
) -> None:
    token = Principal("u-token", "Bảng", Role.COMMANDER, program=True)
    status, body = await get(token, "/identity-checks")
    assert (status, body["rule"]) == (403, "token_scope")
    assert (await get(token, "/watches"))[0] == 200
    assert not {"list_watches", "end_watch", "list_notifications", "list_identity_checks"} & set(EXPOSED)


async def test_a_watch_is_ended_by_its_owner_once_and_on_the_log(get: Get, who: Who, center: Center) -> None:
    commander, officer = who(Role.COMMANDER), who(Role.OFFICER)
    kept, ended = await watch(center, officer, "ẩu đả ở chợ"), await watch(center, officer, "ẩu đả ở cầu")
    assert (await get(commander, f"/watches/{ended.id}", method="DELETE"))[0] == 404
    status, body = await get(officer, f"/watches/{ended.id}", method="DELETE")
    assert (status, body["data"]["id"]) == (200, ended.id)
    _, page = await get(officer, "/watches")
    assert [one["id"] for one in page["watches"]] == [kept.id]
    assert (await get(officer, f"/watches/{ended.id}", method="DELETE"))[0] == 404
    assert (await get(who(Role.CITIZEN), f"/watches/{kept.id}", method="DELETE"))[0] == 403
    page = await center.audit.search(action="end_watch")
    seen = {(one.entry.user_id, one.entry.outcome, one.entry.result_ids) for one in page.records if one.entry.outcome}
    assert ("u-officer", "answered", (ended.id,)) in seen
    assert ("u-citizen", "denied", ()) in seen


async def test_reading_a_list_is_on_the_log(get: Get, who: Who, center: Center) -> None:
    commander, investigator = who(Role.COMMANDER), who(Role.INVESTIGATOR)
    name = await asked_for(center, investigator)
    await get(commander, "/identity-checks", waiting=True)
    await get(who(Role.CITIZEN), "/identity-checks")
    page = await center.audit.search(action="list_identity_checks")
    seen = [(one.entry.user_id, one.entry.decision, one.entry.outcome, one.entry.result_ids) for one in page.records]
    assert seen == [
        ("u-citizen", "denied", "denied", ()),
        ("u-commander", "allowed", "answered", (name,)),
        ("u-commander", "allowed", "", ()),
    ]
