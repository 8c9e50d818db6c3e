"""The registers that `matpho.yaml` keeps for the center: units that can be sent, procedures to act by."""

from __future__ import annotations

import asyncio

from matpho.settings import MatphoSettings
from matpho_platform.center import Center
from matpho_platform.incidents.procedure_files import SHIPPED, read_procedures


async def fill_registers(center: Center, settings: MatphoSettings) -> None:
    """Add what the settings name and change what has changed; without any procedure, those that ship."""
    procedures = settings.procedures
    if not procedures and not await center.procedures.all(public_only=False):
        procedures = await asyncio.to_thread(read_procedures, SHIPPED)
    await center.incidents.load(procedures=procedures, units=settings.units)
