"""Cameras and boxes: enrolment, reports, lists for people, silence noticed."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from matpho_contracts.edge_api import CameraReport, EnrolRequest
from matpho_contracts.errors import ConfigurationError
from matpho_platform.access.principal import Scope
from matpho_platform.cameras.areas import Area, AreaTree
from matpho_platform.cameras.edges import EdgeEntry
from matpho_platform.cameras.errors import CameraNotFoundError, EdgeNotFoundError, EnrolmentError
from matpho_platform.center import Center
from matpho_platform.store.tables import edges

EVERYWHERE = Scope(None)
TOKEN = "one-time-token-of-box-1"


async def ids(center: Center, scope: Scope = EVERYWHERE, **filters: Any) -> list[str]:
    page = await center.cameras.list(scope, **filters)
    assert page.total == len(page.cameras)
    return [camera.id for camera in page.cameras]


class TestEnrolment:
    async def test_a_token_binds_one_key_once(self, center: Center, new_box: Any) -> None:
        box, thief = new_box(), new_box()
        await box.enrol(center)
        await box.enrol(center)  # its answer was lost: the same key may ask again
        with pytest.raises(EnrolmentError):
            await thief.enrol(center)
        assert await center.edges.key(thief.key.public.key_id) is None

    @pytest.mark.parametrize(("edge_id", "token"), [("box-1", "wrong"), ("box-9", TOKEN), ("box-2", TOKEN)])
    async def test_a_wrong_token_tells_nothing(self, center: Center, new_box: Any, edge_id: str, token: str) -> None:
        with pytest.raises(EnrolmentError) as caught:
            await new_box(edge_id).enrol(center, token)
        assert caught.value.message == "The enrolment was refused."

    async def test_a_key_belongs_to_one_box(self, center: Center, new_box: Any) -> None:
        box = new_box()
        await box.enrol(center)
        with pytest.raises(EnrolmentError):
            await new_box("box-2", key=box.key).enrol(center, "token-of-box-2")

    async def test_a_box_may_show_its_key_again_with_a_new_token(self, center: Center, new_box: Any) -> None:
        box = new_box()
        await box.enrol(center)
        await box.enrol(center, await center.edges.issue_token("box-1"))
        assert await center.edges.key(box.key.public.key_id) is not None

    async def test_a_revoked_key_is_not_revived_by_a_new_token(self, center: Center, new_box: Any) -> None:
        box = new_box()
        await box.enrol(center)
        await center.edges.revoke("box-1")
        with pytest.raises(EnrolmentError):
            await box.enrol(center, await center.edges.issue_token("box-1"))

    async def test_no_token_is_kept(self, center: Center) -> None:
        async with center.store.reading() as session:
            assert TOKEN not in str(await session.all(select(edges)))

    async def test_the_settings_do_not_revive_a_used_token(self, center: Center, new_box: Any) -> None:
        await new_box().enrol(center)
        await center.edges.configure([EdgeEntry(id="box-1", token=SecretStr(TOKEN))])
        with pytest.raises(EnrolmentError):
            await new_box().enrol(center)

    async def test_a_new_token_replaces_a_lost_box(self, center: Center, new_box: Any) -> None:
        await new_box().enrol(center)
        await center.edges.revoke("box-1")
        fresh = new_box()
        await fresh.enrol(center, await center.edges.issue_token("box-1"))
        key = await center.edges.key(fresh.key.public.key_id)
        assert key is not None
        assert key.revoked_ms is None
        with pytest.raises(EdgeNotFoundError):
            await center.edges.issue_token("box-9")

    async def test_a_key_that_is_none_is_refused(self, center: Center) -> None:
        low_order = "00" * 32
        request = EnrolRequest(edge_id="box-1", token=SecretStr("wrong"), public_key=low_order)
        with pytest.raises(EnrolmentError):
            await center.edges.enrol(request)


class TestLists:
    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({}, ["cam-2", "cam-1"]),
            ({"query": "cong truong"}, ["cam-1"]),
            ({"query": "TRẦN phú"}, ["cam-1"]),
            ({"query": "hồ gươm"}, ["cam-1"]),
            ({"query": "song hong ba dinh"}, ["cam-2"]),
            ({"query": "100%"}, []),
            ({"areas": ("p-ba-dinh",)}, ["cam-2"]),
            ({"areas": ("tp-ha-noi",)}, ["cam-2", "cam-1"]),
            ({"kind": "ptz"}, ["cam-2"]),
            ({"owner": "police"}, ["cam-2"]),
            ({"status": "online"}, ["cam-2", "cam-1"]),
            ({"status": "offline"}, []),
            ({"scope": Scope(("p-hoan-kiem",))}, ["cam-1"]),
            ({"scope": Scope(("tp-ha-noi",))}, ["cam-2", "cam-1"]),
            ({"scope": Scope(())}, []),
        ],
    )
    async def test_filters(self, center: Center, box: Any, filters: dict[str, Any], expected: list[str]) -> None:
        assert await ids(center, **filters) == expected

    async def test_pages(self, center: Center, box: Any) -> None:
        page = await center.cameras.list(EVERYWHERE, limit=1, offset=1)
        assert ([camera.id for camera in page.cameras], page.total) == (["cam-1"], 2)

    async def test_areas_are_those_of_the_settings(self, center: Center) -> None:
        assert [area.code for area in await center.cameras.areas()] == ["tp-ha-noi", "p-hoan-kiem", "p-ba-dinh"]


class TestStatus:
    async def test_says_what_the_box_said(self, center: Center, box: Any) -> None:
        status = await center.cameras.status(EVERYWHERE, "cam-1")
        assert (status.status, status.fps, status.edge.outbox_waiting) == ("online", 5.0, 3)

    async def test_outside_the_scope_there_is_no_such_camera(self, center: Center, box: Any) -> None:
        for camera, scope in (("cam-1", Scope(("p-ba-dinh",))), ("cam-9", EVERYWHERE)):
            with pytest.raises(CameraNotFoundError):
                await center.cameras.status(scope, camera)

    async def test_a_silent_boxs_cameras_are_offline(self, center: Center, box: Any) -> None:
        async with center.store.writing() as session:
            await session.run(update(edges).values(reported_ms=1))
        status = await center.cameras.status(EVERYWHERE, "cam-1")
        assert (status.status, status.camera.status, status.edge.online) == ("offline", "offline", False)
        assert await ids(center, status="online") == []
        assert await ids(center, status="offline") == ["cam-2", "cam-1"]
        assert [edge.online for edge in await center.cameras.edges()] == [False, False]


class TestReports:
    async def test_a_camera_stays_with_the_box_that_brought_it(self, center: Center, box: Any, new_box: Any) -> None:
        stolen = CameraReport(id="cam-2", name="Stolen", area="p-ba-dinh")
        other = await new_box("box-2", cameras=(stolen,)).enrol(center, "token-of-box-2")
        await other.report(center)
        status = await center.cameras.status(EVERYWHERE, "cam-2")
        assert (status.camera.name, status.camera.edge_id) == ("Bờ sông Hồng", "box-1")

    async def test_a_box_speaks_only_for_its_areas(self, center: Center, new_box: Any) -> None:
        cameras = (CameraReport(id="a", name="A", area="p-hoan-kiem"), CameraReport(id="b", name="B", area="p-ba-dinh"))
        box = await new_box("box-2", cameras=cameras).enrol(center, "token-of-box-2")
        await box.report(center)
        assert await ids(center) == ["b"]

    async def test_a_report_changes_what_was_known(self, center: Center, box: Any) -> None:
        box.cameras = (box.cameras[0].model_copy(update={"name": "Tên mới"}),)
        await box.report(center)
        assert (await center.cameras.status(EVERYWHERE, "cam-1")).camera.name == "Tên mới"


class TestAreaTree:
    def test_a_circle_of_parents_is_refused(self) -> None:
        with pytest.raises(ConfigurationError):
            AreaTree([Area(code="a", name="A", parent="b"), Area(code="b", name="B", parent="a")])

    def test_a_parent_that_is_not_there_is_refused(self) -> None:
        with pytest.raises(ConfigurationError):
            AreaTree([Area(code="a", name="A", parent="b")])

    def test_grandchildren_are_inside(self) -> None:
        tree = AreaTree(
            [Area(code="c", name="C", parent="b"), Area(code="b", name="B", parent="a"), Area(code="a", name="A")]
        )
        assert tree.expand(["a"]) == ("a", "b", "c")
        assert tree.lineage("c") == ("c", "b", "a")
        assert tree.expand_scope(Scope(("b",))).covers("c")
        assert not tree.expand_scope(Scope(("c",))).covers("b")
