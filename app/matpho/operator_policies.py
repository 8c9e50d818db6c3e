"""Changed policy files put to work by the installation's owner, while the center runs; each try is on the log."""

from __future__ import annotations

import asyncio
import getpass

from fastapi import FastAPI

from matpho.operator_users import channel
from matpho_contracts.errors import ConfigurationError
from matpho_platform.audit.schemas import AuditEntry
from matpho_platform.center import Center

ACTION = "policies_reload"


def add_policy_routes(app: FastAPI, center: Center) -> None:
    """`/policies/reload` of the operator API."""

    async def note(outcome: str, before: str) -> None:
        await center.audit.append(
            AuditEntry(
                user_id=getpass.getuser(),
                role="operator",
                action=ACTION,
                outcome=outcome,
                policy_version=center.policy.version,
                arguments={"before": before},
                channel=channel(),
            )
        )

    @app.post("/policies/reload")
    async def reload() -> dict[str, str]:
        before = center.policy.version
        try:
            await asyncio.to_thread(center.policy.reload)
        except ConfigurationError:
            await note("failed", before)
            raise
        await note("answered", before)
        return {"before": before, "version": center.policy.version}
