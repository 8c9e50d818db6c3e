"""From notices to messages: who gets it, over which channel, when. One transaction for each handful of notices.

1 the people: the account, or everybody of a post as accounts are now
2 for each: a message that is on its way, or that reached them: nothing to do; the rest have their next channel
3 a notice's wishes come first, then the person's channels; each once in a round
4 the console shows every notice, whatever else carries it
5 manners say when; what waits for the same person and channel is told together
6 no channel left for anybody: another round later, until nobody needs it any more
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import RowMapping

from matpho_contracts.ids import new_event_id
from matpho_contracts.vocabulary import Severity
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.feedback.codes import ALPHABET
from matpho_platform.notify import address_repository, posts, repository
from matpho_platform.notify.manners import MINUTE_MS, Situation, judge
from matpho_platform.notify.people import People, Reach
from matpho_platform.notify.reading import notice_of
from matpho_platform.notify.schemas import Channel, State
from matpho_platform.notify.settings import Manners
from matpho_platform.store.session import WriteSession

AT_ONCE = 64
GROUP_AT_ONCE = 3
"""Notices for one person and channel, found at once, that make one message."""
TOKEN_LENGTH = 10
"""30**10: nobody guesses one, and it is good for its owner's account alone."""
ROUND_MS, MAX_ROUND_MS = 15_000, 300_000
LAST_ROUND = 2
"""Of a notice that is no alert."""
_CRITICAL = Severity.CRITICAL.rank
_ON_THE_WAY = frozenset({State.PROMISED.value, State.SENDING.value})
_REACHED = frozenset({State.SENT.value, State.DELIVERED.value, State.SEEN.value})


@dataclass(slots=True)
class _Batch:
    """What one transaction works on: what was read at its beginning, and what is written at its end."""

    at_ms: int
    reaches: Mapping[str, Reach]
    messages: Mapping[str, Sequence[RowMapping]]
    muted: Mapping[tuple[str, str], int]
    told: dict[tuple[str, str], int]
    recent: dict[tuple[str, str], int]
    owed: dict[str, int] = field(default_factory=dict)
    settled: list[str] = field(default_factory=list)
    wanted: dict[tuple[str, Channel], list[RowMapping]] = field(default_factory=dict)
    made: list[dict[str, Any]] = field(default_factory=list)
    contents: list[dict[str, Any]] = field(default_factory=list)
    waiting: dict[tuple[str, Channel], dict[str, Any]] = field(default_factory=dict)

    def make(self, message: dict[str, Any], rows: Sequence[RowMapping]) -> None:
        """A new message with what it tells of."""
        self.made.append(message)
        self.tell_of(message["message_id"], rows)

    def tell_of(self, message_id: str, rows: Sequence[RowMapping]) -> None:
        """What a message tells of, or tells of too."""
        self.contents += [
            {"message_id": message_id, "notice_id": row["notice_id"], "round": row["round"]} for row in rows
        ]


class Router:
    """Turns notices that are due into messages."""

    def __init__(self, areas: AreaTree, people: People, manners: Manners) -> None:
        self._areas = areas
        self._people = people
        self._manners = manners

    async def route(self, session: WriteSession, at_ms: int) -> int:
        """Do what is due, as far as one transaction goes; returns how many notices that were."""
        rows = await repository.take_due(session, at_ms, AT_ONCE)
        if not rows:
            return 0
        addressed = await posts.resolve(session, self._areas, rows)  # 1
        batch = await self._read(session, rows, {user_id for users in addressed.values() for user_id in users}, at_ms)
        for row in rows:
            await self._one(session, row, addressed[row["notice_id"]], batch)
        for (user_id, channel), notices in batch.wanted.items():
            await self._tell(session, user_id, channel, notices, batch)
        await repository.add_messages(session, batch.made, batch.contents)
        await repository.change(session, batch.settled, {"due_ms": None})
        for notice_id, owed_ms in batch.owed.items():
            if owed_ms > at_ms:
                await repository.change(session, [notice_id], {"owed_ms": owed_ms})
        return len(rows)

    async def _read(
        self, session: WriteSession, rows: Sequence[RowMapping], users: Collection[str], at_ms: int
    ) -> _Batch:
        messages: dict[str, list[RowMapping]] = {row["notice_id"]: [] for row in rows}
        for message in await repository.messages_of(session, list(messages)):
            messages[message["notice_id"]].append(message)
        since_ms = at_ms - self._manners.cooldown_s * 1000
        cameras = {row["camera_id"] for row in rows if row["camera_id"]}
        return _Batch(
            at_ms,
            await self._people.reach(session, users),
            messages,
            await address_repository.muted(session, users, at_ms),
            await repository.told_of_cameras(session, users, cameras, since_ms),
            await repository.counted(session, users, at_ms - MINUTE_MS),
        )

    async def _one(self, session: WriteSession, row: RowMapping, users: Sequence[str], batch: _Batch) -> None:
        over = row["expires_ms"] <= batch.at_ms or row["ended_ms"] is not None or row["acted_ms"] is not None
        if over or (row["round"] > LAST_ROUND and not row["alert"]):
            batch.settled.append(row["notice_id"])
            return
        busy = [self._person(row, user_id, batch) for user_id in users]
        if any(busy):
            batch.settled.append(row["notice_id"])
            return
        wait = min(ROUND_MS * 2 ** min(row["round"], 10), MAX_ROUND_MS)  # 6
        later = {"due_ms": batch.at_ms + wait, "round": row["round"] + 1}
        await repository.change(session, [row["notice_id"]], later)

    def _person(self, row: RowMapping, user_id: str, batch: _Batch) -> bool:
        """Whether something carries a notice to somebody, or will."""
        mine = [one for one in batch.messages[row["notice_id"]] if one["user_id"] == user_id]
        if not mine:
            values = _message(row, user_id, Channel.IN_APP, batch.at_ms)
            batch.make(values | {"state": State.SENT.value, "sent_ms": batch.at_ms}, [row])  # 4
        outward = [one for one in mine if one["channel"] != Channel.IN_APP.value]
        shown = any(one["delivered_ms"] is not None for one in mine)
        if shown or {one["state"] for one in outward} & (_ON_THE_WAY | _REACHED):  # 2
            return True
        channel = _next_channel(row, batch.reaches[user_id], outward)  # 3
        if channel is not None:
            batch.wanted.setdefault((user_id, channel), []).append(row)
        return channel is not None

    async def _tell(
        self, session: WriteSession, user_id: str, channel: Channel, rows: Sequence[RowMapping], batch: _Batch
    ) -> None:
        """Step 5: one message for several quiet notices at once, else one each, or what waits already tells of it."""
        calm = [row for row in rows if row["severity"] < _CRITICAL]
        together = calm if len(calm) >= GROUP_AT_ONCE else []
        groups = [[row] for row in rows if row not in together] + ([together] if together else [])
        for group in sorted(groups, key=lambda each: -max(row["severity"] for row in each)):
            due_ms = min(self._when(row, user_id, channel, batch) for row in group)
            if due_ms > batch.at_ms and await self._joined(session, user_id, channel, group, due_ms, batch):
                continue
            lead = max(group, key=lambda row: row["severity"])
            message = _message(lead, user_id, channel, batch.at_ms, due_ms)
            batch.make(message, group)
            batch.recent[user_id, channel.value] = batch.recent.get((user_id, channel.value), 0) + 1
            batch.told |= {(user_id, row["camera_id"]): batch.at_ms for row in group if row["camera_id"]}
            if due_ms > batch.at_ms:
                batch.waiting[user_id, channel] = message

    async def _joined(
        self, session: WriteSession, user_id: str, channel: Channel, rows: Sequence[RowMapping], due_ms: int,
        batch: _Batch,
    ) -> bool:  # fmt: skip
        """Whether a message that waits tells of these too; it goes out when the first of all may."""
        fresh = batch.waiting.get((user_id, channel))
        if fresh is not None:
            batch.tell_of(fresh["message_id"], rows)
            fresh["due_ms"] = min(fresh["due_ms"], due_ms)
            return True
        waiting = await repository.open_message(session, user_id, channel.value, batch.at_ms)
        if waiting is None:
            return False
        batch.tell_of(waiting["message_id"], rows)
        if due_ms < waiting["due_ms"]:
            await repository.change_message(session, waiting["message_id"], {"due_ms": due_ms})
        return True

    def _when(self, row: RowMapping, user_id: str, channel: Channel, batch: _Batch) -> int:
        """When somebody may be told of a notice. Another channel after one that failed need not wait."""
        again = bool(batch.messages[row["notice_id"]])
        situation = Situation(
            at_ms=batch.at_ms,
            critical=again or row["severity"] >= _CRITICAL,
            expires_ms=row["expires_ms"],
            preferences=batch.reaches[user_id].preferences,
            muted_until_ms=batch.muted.get((user_id, row["subject"]), 0),
            told_of_camera_ms=batch.told.get((user_id, row["camera_id"])),
            in_last_minute=batch.recent.get((user_id, channel.value), 0),
        )
        verdict = judge(situation, self._manners)
        if not again:
            owed = batch.owed.get(row["notice_id"], verdict.owed_ms)
            batch.owed[row["notice_id"]] = min(owed, verdict.owed_ms)
        return verdict.due_ms


def _next_channel(row: RowMapping, reach: Reach, outward: Sequence[RowMapping]) -> Channel | None:
    """The first channel of the person's that this round has not tried; a notice's wishes come first."""
    tried = {one["channel"] for one in outward if one["round"] == row["round"]}
    wishes = [channel for channel in notice_of(row).channels if channel in reach.channels]
    return next((one for one in dict.fromkeys((*wishes, *reach.channels)) if one.value not in tried), None)


def _message(row: RowMapping, user_id: str, channel: Channel, at_ms: int, due_ms: int | None = None) -> dict[str, Any]:
    return {
        "message_id": new_event_id(),
        "key": f"{row['notice_id']}:{user_id}:{channel.value}:{row['round']}",
        "token": "".join(secrets.choice(ALPHABET) for _ in range(TOKEN_LENGTH)),
        "user_id": user_id,
        "channel": channel.value,
        "critical": row["severity"] >= _CRITICAL,
        "state": State.PROMISED.value,
        "attempts": 0,
        "due_ms": due_ms,
        "created_ms": at_ms,
        "sent_ms": None,
        "error": "",
    }
