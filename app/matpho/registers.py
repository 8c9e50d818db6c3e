"""The registers that `matpho.yaml` keeps for the center: units that can be sent, procedures to act by."""

from __future__ import annotations

from matpho.settings import MatphoSettings
from matpho_platform.center import Center


async def fill_registers(center: Center, settings: MatphoSettings) -> None:
    """Add what the settings name and change what has changed."""
    await center.incidents.load(procedures=settings.procedures, units=settings.units)
