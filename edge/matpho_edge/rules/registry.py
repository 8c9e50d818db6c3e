"""The list of rules, and their parameters as a settings file writes them."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from matpho_contracts.settings import SettingsBase
from matpho_contracts.vocabulary import EventType
from matpho_edge.rules.camera_offline import CameraOfflineParameters
from matpho_edge.rules.contract import Rule
from matpho_edge.rules.crowd import Crowd, CrowdParameters
from matpho_edge.rules.fire import Fire, FireParameters
from matpho_edge.rules.illegal_dumping import IllegalDumping, IllegalDumpingParameters
from matpho_edge.rules.illegal_parking import IllegalParking, IllegalParkingParameters
from matpho_edge.rules.intrusion import Intrusion, IntrusionParameters
from matpho_edge.rules.object_seen import ObjectSeen, ObjectSeenParameters
from matpho_edge.rules.pedestrian_on_road import PedestrianOnRoad, PedestrianOnRoadParameters
from matpho_edge.rules.smoke import Smoke, SmokeParameters
from matpho_edge.rules.stopped_vehicle import StoppedVehicle, StoppedVehicleParameters
from matpho_edge.rules.wrong_way import WrongWay, WrongWayParameters


class RuleSettings(SettingsBase):
    """Parameters of every rule; a rule is left out with `enabled: false`."""

    wrong_way: WrongWayParameters = Field(default_factory=WrongWayParameters)
    intrusion: IntrusionParameters = Field(default_factory=IntrusionParameters)
    crowd: CrowdParameters = Field(default_factory=CrowdParameters)
    stopped_vehicle: StoppedVehicleParameters = Field(default_factory=StoppedVehicleParameters)
    illegal_parking: IllegalParkingParameters = Field(default_factory=IllegalParkingParameters)
    fire: FireParameters = Field(default_factory=FireParameters)
    smoke: SmokeParameters = Field(default_factory=SmokeParameters)
    illegal_dumping: IllegalDumpingParameters = Field(default_factory=IllegalDumpingParameters)
    pedestrian_on_road: PedestrianOnRoadParameters = Field(default_factory=PedestrianOnRoadParameters)
    object_seen: ObjectSeenParameters = Field(default_factory=ObjectSeenParameters)
    camera_offline: CameraOfflineParameters = Field(default_factory=CameraOfflineParameters)


def make_rules(settings: RuleSettings | None = None) -> list[Rule]:
    """Fresh rules for one camera; those that judge pictures, so `camera_offline` is not among them."""
    chosen = settings or RuleSettings()
    rules: list[Rule] = [
        Fire(chosen.fire),
        Smoke(chosen.smoke),
        WrongWay(chosen.wrong_way),
        Intrusion(chosen.intrusion),
        Crowd(chosen.crowd),
        IllegalDumping(chosen.illegal_dumping),
        StoppedVehicle(chosen.stopped_vehicle),
        IllegalParking(chosen.illegal_parking),
        PedestrianOnRoad(chosen.pedestrian_on_road),
        ObjectSeen(chosen.object_seen),
    ]
    enabled = {name for name in RuleSettings.model_fields if getattr(chosen, name).enabled}
    return [rule for rule in rules if rule.name in enabled]


def covered(rules: Iterable[Rule], labels: Iterable[str]) -> tuple[EventType, ...]:
    """The event types that these rules can find with a detector that knows these labels; the rest is not covered."""
    known = frozenset(labels)
    return tuple(rule.event_type for rule in rules if not rule.needs() or rule.needs() & known)
