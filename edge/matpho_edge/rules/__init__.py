"""Rules: what happened, judged from tracks alone. One file a rule; the registry lists them, the engine asks them."""

from matpho_edge.rules.camera_offline import CameraOffline, CameraOfflineParameters
from matpho_edge.rules.contract import Rule, RuleHit, RuleParameters
from matpho_edge.rules.engine import RuleEngine
from matpho_edge.rules.registry import RuleSettings, covered, make_rules
from matpho_edge.rules.zones import Zone, ZoneKind

__all__ = [
    "CameraOffline",
    "CameraOfflineParameters",
    "Rule",
    "RuleEngine",
    "RuleHit",
    "RuleParameters",
    "RuleSettings",
    "Zone",
    "ZoneKind",
    "covered",
    "make_rules",
]
