"""Notices, as an installation's owner handles them from the command line: try a channel, see what waits."""

from __future__ import annotations

import getpass
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from matpho.operator_users import channel
from matpho_contracts.errors import NotFoundError
from matpho_contracts.ids import ShortId
from matpho_platform.audit.schemas import AuditEntry
from matpho_platform.center import Center
from matpho_platform.notify.schemas import Channel


class Trial(BaseModel):
    """A channel to try, and on whom."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: Channel
    user: ShortId


def add_notify_routes(app: FastAPI, center: Center) -> None:
    """`/notify` of the operator API."""

    @app.get("/notify")
    async def figures() -> dict[str, Any]:
        desk = center.desk
        channels = [] if desk is None else [one.value for one in desk.senders]
        return {"channels": channels, "waiting": {} if desk is None else await desk.notifier.figures()}

    @app.post("/notify/test")
    async def try_out(trial: Trial) -> dict[str, Any]:
        if center.desk is None:
            raise NotFoundError("This installation tells nobody anything.")
        number = await center.desk.own.try_out(trial.channel, trial.user)
        await center.audit.append(
            AuditEntry(
                user_id=getpass.getuser(),
                role="operator",
                action="try_notice",
                outcome="answered",
                channel=channel(),
                result_ids=(trial.user,),
                count=number,
            )
        )
        return {"channel": trial.channel.value, "user": trial.user, "addresses": number}
