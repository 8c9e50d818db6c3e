"""The city has enough cameras, and their guides say in picture coordinates what lies where."""

from __future__ import annotations

import json

import pytest

from matpho_simcity.drawing.atmosphere import Light
from matpho_simcity.sites import Site, city, light_of_hour


@pytest.fixture(scope="module")
def sites() -> list[Site]:
    return city(1)


class TestCity:
    def test_enough_cameras_and_moving_ones(self, sites: list[Site]) -> None:
        assert len(sites) >= 10
        assert sum(site.has_ptz for site in sites) >= 3
        assert len({site.guide.camera_id for site in sites}) == len(sites)
        assert len({site.guide.place for site in sites}) >= 10

    def test_guides_survive_json(self, sites: list[Site]) -> None:
        for site in sites:
            rows = json.loads(json.dumps(site.guide.to_json(), ensure_ascii=False))
            assert rows["camera_id"] == site.guide.camera_id
            assert rows["area_name"].startswith("Phường")

    def test_zones_lie_in_the_picture(self, sites: list[Site]) -> None:
        for site in sites:
            kinds = {zone.kind for zone in site.guide.zones}
            assert ("carriageway" in kinds) is (site.guide.place != "alley"), "in an alley everybody goes everywhere"
            assert kinds, site.guide.camera_id
            for zone in site.guide.zones:
                assert len(zone.polygon) >= 3
                assert all(0 <= u <= 1 and 0 <= v <= 1 for u, v in zone.polygon)

    def test_carriageways_say_which_way(self, sites: list[Site]) -> None:
        for site in sites:
            ways = {zone.name: zone.direction for zone in site.guide.zones if zone.kind == "carriageway"}
            assert all(way is not None for way in ways.values())
            if site.guide.place == "alley":
                assert not ways
                continue
            up, down = ways["up"], ways["down"]
            assert up is not None
            assert down is not None
            assert up[1] < 0 < down[1], "up leads away from the lens, down towards it"

    def test_the_junction_has_crossings_and_waiting_zones(self, sites: list[Site]) -> None:
        junction = next(site for site in sites if site.guide.place == "junction")
        kinds = [zone.kind for zone in junction.guide.zones]
        assert kinds.count("crossing") == 2
        assert "waiting" in kinds

    def test_the_yard_is_restricted(self, sites: list[Site]) -> None:
        yard = next(site for site in sites if site.guide.place == "construction")
        assert "restricted" in {zone.kind for zone in yard.guide.zones}

    def test_same_seed_same_city(self, sites: list[Site]) -> None:
        assert [site.guide for site in city(1)] == [site.guide for site in sites]
        assert [site.guide for site in city(2)] != [site.guide for site in sites]

    def test_light_follows_the_hour(self) -> None:
        assert [light_of_hour(hour) for hour in (12, 18, 23, 3)] == [Light.DAY, Light.DUSK, Light.NIGHT, Light.NIGHT]
        assert {site.air.light for site in city(3, hour=23.0)} == {Light.NIGHT}
