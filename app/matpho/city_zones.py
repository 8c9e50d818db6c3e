"""What an operator would draw on the simulated cameras' pictures, as the box's settings want it."""

from __future__ import annotations

from matpho_edge.rules import Zone, ZoneKind
from matpho_simcity.sites import SiteGuide

_KINDS = {"no_dumping": ZoneKind.DUMPING, "bus_stop": ZoneKind.WAITING}
"""Words of the guide that differ from the box's."""
_SHAPE = (16.0, 9.0)
"""The guide gives directions in pixels of a picture of this shape, the box wants shares of width and height."""


def zones_of(guide: SiteGuide) -> tuple[Zone, ...]:
    """The guide's zones; names made unique, since one camera may have several of a kind."""
    zones: list[Zone] = []
    for number, drawn in enumerate(guide.zones):
        direction = None
        if drawn.direction is not None:
            direction = (drawn.direction[0] / _SHAPE[0], drawn.direction[1] / _SHAPE[1])
        name = drawn.name if all(zone.name != drawn.name for zone in zones) else f"{drawn.name} {number}"
        kind = _KINDS.get(drawn.kind) or ZoneKind(drawn.kind)
        zones.append(Zone(name=name, kind=kind, polygon=drawn.polygon, direction=direction))
    return tuple(zones)
