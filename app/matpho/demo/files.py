"""The settings that the demo writes: the installation's and the box's, as a person would write them for a real city."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from matpho.city_zones import zones_of
from matpho.demo.registers import grant, units
from matpho.demo.signins import write_private
from matpho.home import Home
from matpho_contracts.errors import ConfigurationError
from matpho_contracts.times import now
from matpho_simcity.sites import Site, SiteGuide
from matpho_simcity.world.scene import Place

MARK = "# Written by `matpho demo`: the simulated city. It is written anew at every start.\n"
PROVINCE = "HN"
EDGE_ID = "demo-box"
CAMERA_PASSWORD = "MATPHO_DEMO_CAMERA_PASSWORD"  # noqa: S105 - the name of an environment variable
ENROL_TOKEN = "MATPHO_DEMO_ENROL_TOKEN"  # noqa: S105 - the name of an environment variable
CAMERA_USER = "matpho"
_GIB = 1024**3


def require_own_home(home: Home) -> None:
    """Raises ConfigurationError where the home holds another installation."""
    path = home.settings_file
    if path.exists() and not path.read_text(encoding="utf-8").startswith(MARK):
        message = f"{home.root} holds an installation of its own."
        raise ConfigurationError(message, action="Give the demo another folder: --home FOLDER.")


def write_installation(home: Home, sites: Sequence[Site], centre: Mapping[str, Any] | None = None) -> None:
    """`matpho.yaml` of the demo; `centre`: address and key of the authentication centre, where one runs.

    Raises ConfigurationError where the home holds another installation.
    """
    require_own_home(home)
    areas = _areas(sites)
    document = {
        "name": "Thành phố mô phỏng",
        # The demo's ready sign-ins have no second factor; whoever sets one up in it must show it all the same.
        "access": {"mfa_required": False},
        "areas": areas,
        "units": units(areas[1:], PROVINCE),
    }
    if centre is not None:
        document["identity"] = {"grant": grant(now()), "centre": dict(centre)}
    write_private(home.settings_file, MARK + _yaml(document))


def write_box(home: Home, sites: Sequence[Site], *, center_url: str, discovery_port: int, detector: str) -> Path:
    """The box's settings: cameras known by serial number, zones drawn, accounts from the environment."""
    document = {
        "edge_id": EDGE_ID,
        "area": PROVINCE,
        "data_dir": str(home.edge),
        "center": {"url": center_url, "enrol_token": f"${{{ENROL_TOKEN}}}", "heartbeat_s": 3.0},
        "discovery": {"targets": [f"127.0.0.1:{discovery_port}"], "interfaces": ["127.0.0.1"], "seconds": 1.5},
        "account": {"username": CAMERA_USER, "password": f"${{{CAMERA_PASSWORD}}}"},
        "cameras": [_camera(site.guide) for site in sites],
        "models": {"threads": 1, "detector": detector},
        "recorder": {"max_bytes": 5 * _GIB, "max_hours": 6.0},
        "fps": 3.0,
    }
    path = home.demo / "edge.yaml"
    write_private(path, MARK + _yaml(document))
    return path


def _areas(sites: Sequence[Site]) -> list[dict[str, Any]]:
    province = {"code": PROVINCE, "name": "Thành phố Hà Nội", "level": "province", "aliases": ["Hà Nội", "Hanoi"]}
    communes: dict[str, dict[str, Any]] = {}
    for site in sites:
        guide = site.guide
        bare = guide.area_name.removeprefix("Phường ")
        communes.setdefault(
            guide.area_code,
            {
                "code": guide.area_code,
                "name": guide.area_name,
                "level": "commune",
                "parent": PROVINCE,
                "aliases": [bare],
                "center": {"lat": guide.latitude, "lon": guide.longitude},
            },
        )
    return [province, *communes.values()]


def _camera(guide: SiteGuide) -> dict[str, Any]:
    camera: dict[str, Any] = {
        "id": guide.camera_id,
        "name": guide.name_vi,
        "name_en": guide.name_en,
        "area": guide.area_code,
        "kind": guide.kind,
        "location": {"lat": guide.latitude, "lon": guide.longitude},
        "match": {"serial": guide.camera_id},
        "zones": [zone.model_dump(mode="json", exclude_none=True) for zone in zones_of(guide)],
    }
    if guide.place == Place.ALLEY:
        # An alley has no pavement: people walk where vehicles drive, and nobody calls that an event.
        camera["rules"] = {"pedestrian_on_road": {"enabled": False}}
    return camera


def _yaml(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)
