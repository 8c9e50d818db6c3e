"""The names of the city: aliases and people are there, and cameras are read again only when a name has changed."""

from __future__ import annotations

import pytest

from matpho_contracts.edge_api import CameraHealth, CameraReport, StatusReport
from matpho_contracts.signing import SigningKey
from matpho_contracts.times import now
from matpho_platform.access.principal import Role, Scope
from matpho_platform.cameras.edges import EdgeKey
from matpho_platform.center import Center
from matpho_tools import city as city_module
from matpho_tools.city import CityNames

CAMERA = CameraReport(
    id="HC-01", name="Chợ Cồn - cổng chính", area="DN-HC", kind="ptz", aliases=("cam Chợ Cồn",), presets=("toàn cảnh",)
)


async def report(center: Center, camera: CameraReport, status: str = "online") -> None:
    key = EdgeKey(SigningKey.generate().public, "box-1", (), None)
    health = CameraHealth.model_validate({"id": camera.id, "status": status, "since": now(), "fps": 5.0})
    said = StatusReport(edge_id="box-1", sent_at=now(), cameras=(camera,), health=(health,))
    await center.registry.report(said, key)


@pytest.fixture
def names(center: Center, monkeypatch: pytest.MonkeyPatch) -> CityNames:
    monkeypatch.setattr(city_module, "KEEP_SECONDS", 0.0)
    return CityNames(center)


async def test_an_alias_reaches_the_names_and_the_list(center: Center, names: CityNames) -> None:
    await report(center, CAMERA)
    city = await names.read()
    camera = city.camera("HC-01")
    assert camera is not None
    assert camera.aliases == ("cam Chợ Cồn",)
    assert camera.presets == ("toàn cảnh",)
    found = await center.cameras.list(Scope(None), query="cam cho con")
    assert [one.id for one in found.cameras] == ["HC-01"]
    assert found.cameras[0].aliases == ("cam Chợ Cồn",)


async def test_a_heartbeat_that_changes_no_name_changes_nothing_here(center: Center, names: CityNames) -> None:
    await report(center, CAMERA)
    before = await names.read()
    await report(center, CAMERA, status="offline")
    assert await names.read() is before
    known = await center.cameras.names()
    assert await center.cameras.names(known) is known


async def test_a_renamed_camera_is_found_under_its_new_name(center: Center, names: CityNames) -> None:
    await report(center, CAMERA)
    await names.read()
    await report(center, CAMERA.model_copy(update={"name": "Chợ Hàn"}))
    camera = (await names.read()).camera("HC-01")
    assert camera is not None
    assert camera.name == "Chợ Hàn"


async def test_people_are_known_by_name(center: Center, names: CityNames) -> None:
    await center.accounts.create("off-1", "Trung úy Nguyễn Văn Thử", Role.OFFICER, "a long password", areas=["DN-HC"])
    people = {person.id: person for person in (await names.read()).people}
    assert people["off-1"].name == "Trung úy Nguyễn Văn Thử"
    assert people["off-1"].role == "officer"
