"""Acts from chats: acknowledge, put off, report a false alarm; as the linked account, through the gateway, and no more.

1 the account as it is now: who was shut out since does nothing
2 of what the person pressed, the one tool and arguments that it stands for; there is no way to name another
3 the gateway judges, proposes and, since pressing the button of this very alert is the person's yes, runs exactly that
Nothing here can agree to any other proposal, or to a request that waits for a second person.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from matpho_platform.access.principal import Principal, Role
from matpho_platform.incidents.schemas import Status
from matpho_platform.notify.chats import Acts, Done, Wish
from matpho_platform.notify.schemas import Action
from matpho_tools.contract import Outcome, ToolResult
from matpho_tools.gateway import Gateway

if TYPE_CHECKING:
    from matpho_platform.center import Center

NOTE = "Báo động giả (trả lời từ tin nhắn) / False alarm (answered from a message)"
NOBODY = Done(good=False, why="-")


def open_chats(center: Center, gateway: Gateway) -> None:
    """From now on a center's chats may act."""
    if center.desk is not None:
        center.desk.chats.acts = chat_acts(center, gateway)


def chat_acts(center: Center, gateway: Gateway) -> Acts:
    """What a center's chats may do."""

    async def act(wish: Wish) -> Done:
        principal = await _principal(center, wish.user_id)  # 1
        asked = _call_of(wish)  # 2
        if principal is None or asked is None:
            return NOBODY
        channel = wish.channel.value
        result = await gateway.call(principal, *asked, channel=channel)  # 3
        if result.outcome is Outcome.CONFIRM:
            proposal = str(result.data["proposal"]["id"])
            result = await gateway.confirm(principal, proposal, channel=channel)
        return _done(result, wish)

    return act


async def _principal(center: Center, user_id: str) -> Principal | None:
    row = await center.accounts.find(user_id)
    if row is None or row["disabled"]:
        return None
    return Principal(row["user_id"], row["name"], Role(row["role"]), tuple(json.loads(row["areas"])))


def _call_of(wish: Wish) -> tuple[str, dict[str, Any]] | None:
    incident = wish.notice.facts.incident_id
    if wish.action is Action.SNOOZE:
        return ("snooze_notices", {"subject": wish.notice.about}) if wish.notice.about else None
    if incident is None:
        return None
    if wish.action is Action.ACKNOWLEDGE:
        return "acknowledge_alert", {"incident_id": incident}
    return "update_incident", {"incident_id": incident, "status": Status.RESOLVED.value, "note": NOTE}


def _done(result: ToolResult, wish: Wish) -> Done:
    if result.outcome is Outcome.ANSWERED:
        return Done(good=True)
    return Done(good=False, why=(result.message_vi if wish.language == "vi" else result.message_en) or "-")
