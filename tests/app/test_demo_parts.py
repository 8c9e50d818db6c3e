"""The demo's parts: what it writes is what box and center read, its sign-ins are private, its children obey."""

import asyncio
import stat
from pathlib import Path

import pytest

from matpho.city_zones import zones_of
from matpho.demo.children import Child, ChildFailedError
from matpho.demo.files import CAMERA_PASSWORD, ENROL_TOKEN, write_box, write_installation
from matpho.demo.signins import sign_ins, write_private
from matpho.home import Home
from matpho.settings import MatphoSettings
from matpho_contracts.errors import ConfigurationError
from matpho_contracts.settings import load_settings
from matpho_edge.rules import ZoneKind
from matpho_edge.settings import EdgeSettings
from matpho_platform.access.principal import Role
from matpho_simcity.sites import Site, city


@pytest.fixture(scope="module")
def sites() -> list[Site]:
    return city("1")


class TestFiles:
    def test_the_boxs_settings_are_read_by_the_box(
        self, tmp_path: Path, sites: list[Site], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(CAMERA_PASSWORD, "camera secret")
        monkeypatch.setenv(ENROL_TOKEN, "token secret")
        path = write_box(
            Home(tmp_path), sites, center_url="http://127.0.0.1:8080", discovery_port=3702, detector="city-detector"
        )
        settings = load_settings(path, EdgeSettings)
        assert [camera.id for camera in settings.cameras] == [site.guide.camera_id for site in sites]
        assert "secret" not in path.read_text(encoding="utf-8")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_the_installation_names_every_area_of_the_cameras(self, tmp_path: Path, sites: list[Site]) -> None:
        home = Home(tmp_path)
        write_installation(home, sites)
        settings = MatphoSettings.of(home)
        assert {site.guide.area_code for site in sites} <= {area.code for area in settings.areas}

    def test_another_installation_is_never_overwritten(self, tmp_path: Path, sites: list[Site]) -> None:
        home = Home(tmp_path)
        home.settings_file.write_text("name: ours\n")
        with pytest.raises(ConfigurationError, match="installation of its own"):
            write_installation(home, sites)
        assert home.settings_file.read_text() == "name: ours\n"

    def test_every_site_has_a_carriageway_whose_direction_the_box_understands(self, sites: list[Site]) -> None:
        zones = [zone for site in sites for zone in zones_of(site.guide)]
        assert {ZoneKind.CARRIAGEWAY, ZoneKind.DUMPING, ZoneKind.NO_PARKING} <= {zone.kind for zone in zones}
        assert any(zone.direction for zone in zones if zone.kind is ZoneKind.CARRIAGEWAY)

    def test_zone_names_of_a_camera_are_unique(self, sites: list[Site]) -> None:
        for site in sites:
            names = [zone.name for zone in zones_of(site.guide)]
            assert len(names) == len(set(names))


class TestSignIns:
    def test_one_for_each_role_kept_for_the_owner_and_made_once(self, tmp_path: Path) -> None:
        path = tmp_path / "sign-ins.json"
        first = sign_ins(path, ["a1", "a2"])
        assert {one.role for one in first} == set(Role)
        assert len({one.password for one in first}) == len(first)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert sign_ins(path, ["other"]) == first

    def test_a_private_file_replaces_what_was_there(self, tmp_path: Path) -> None:
        path = tmp_path / "x.json"
        write_private(path, "one")
        write_private(path, "two")
        assert path.read_text() == "two"
        assert list(tmp_path.iterdir()) == [path]


CHILD = "matpho_test_child"


@pytest.fixture
def child_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder / f"{CHILD}.py"


def child(tmp_path: Path, *arguments: str) -> Child:
    return Child("The part", CHILD, arguments, tmp_path / "child.log")


READY = """import json, sys, time
print(json.dumps({"progress": "half"}))
print(json.dumps({"ready": {"port": 7}}), flush=True)
"""


class TestChildren:
    async def test_it_is_ready_when_it_says_so(self, tmp_path: Path, child_module: Path) -> None:
        child_module.write_text(READY + "time.sleep(60)\n")
        heard: list[str] = []
        part = child(tmp_path)
        assert await part.start(heard.append, 30) == {"port": 7}
        assert heard == ["half"]
        await part.stop()
        assert part.process is not None
        assert part.process.returncode is not None

    async def test_its_own_words_are_the_error(self, tmp_path: Path, child_module: Path) -> None:
        child_module.write_text('print(\'{"error": "Port 1 is taken."}\', flush=True)\n')
        part = child(tmp_path)
        with pytest.raises(ChildFailedError, match=r"Port 1 is taken\."):
            await part.start(lambda _: None, 30)
        await part.stop()

    async def test_a_part_that_dies_silently_names_its_log(self, tmp_path: Path, child_module: Path) -> None:
        child_module.write_text("raise SystemExit(3)\n")
        part = child(tmp_path)
        with pytest.raises(ChildFailedError, match=r"child\.log"):
            await part.start(lambda _: None, 30)
        await part.stop()

    async def test_a_part_that_never_gets_ready_is_given_up(self, tmp_path: Path, child_module: Path) -> None:
        child_module.write_text("import time\ntime.sleep(60)\n")
        part = child(tmp_path)
        with pytest.raises(ChildFailedError, match="not ready"):
            await part.start(lambda _: None, 0.5)
        await part.stop()

    async def test_one_that_ends_later_is_noticed(self, tmp_path: Path, child_module: Path) -> None:
        child_module.write_text(READY)
        part = child(tmp_path)
        await part.start(lambda _: None, 30)
        error = await asyncio.wait_for(part.ended(), 30)
        assert "ended unexpectedly" in error.message
        await part.stop()

    async def test_one_that_will_not_stop_is_made_to(
        self, tmp_path: Path, child_module: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("matpho.demo.children.STOP_SECONDS", 0.3)
        child_module.write_text(
            "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + READY + "time.sleep(60)\n"
        )
        part = child(tmp_path)
        await part.start(lambda _: None, 30)
        await part.stop()
        assert part.process is not None
        assert part.process.returncode == -9
