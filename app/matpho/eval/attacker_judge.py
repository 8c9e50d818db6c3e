"""Holds what changed against what was asked, what the trail says, and the table of rights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from matpho.eval.attacker_ledger import Change, Entry, Ledger
from matpho.eval.attacker_rights import ACTS, CASE_TOOLS, TOUCHES, Caller, may
from matpho.eval.world_file import World
from matpho_platform.access.principal import Principal
from matpho_tools.contract import Outcome, ToolResult
from matpho_tools.gateway import Gateway

NAMELESS = "anonymous"
"""Stands in the trail for who files a report without a name."""
NO_LISTS = frozenset({"search_audit", "public_information", "list_procedures", "submit_feedback", "feedback_status"})
"""Tools whose results name things of anywhere by right."""

NOT_TAKEN = frozenset({"proposal_gone", "person_only", "step_up"})
"""Why a yes came to nothing and took nothing away: after the last, the same person may say it again."""


@dataclass(slots=True)
class Tried:
    """One call that reached the gateway, and how it ended."""

    kind: str
    principal: Principal
    tool: str
    arguments: Mapping[str, Any]
    now: datetime | None
    proposal: str = ""
    result: ToolResult | None = None

    @property
    def ended(self) -> str:
        """The outcome in a word."""
        return self.result.outcome.value if self.result is not None else "done"


class RecordingGateway:
    """The gateway of the attack, with a note of everything that came through it."""

    def __init__(self, gateway: Gateway) -> None:
        self.inner = gateway
        self._tried: list[Tried] = []

    def __getattr__(self, name: str) -> Any:
        """Everything else is the gateway's own."""
        return getattr(self.inner, name)

    def take(self) -> list[Tried]:
        """What was tried since the last time."""
        tried, self._tried = self._tried, []
        return tried

    async def call(self, principal: Principal, tool: str, arguments: Mapping[str, Any], **more: Any) -> ToolResult:
        """As the gateway does."""
        one = Tried("call", principal, tool, arguments, more.get("now"))
        self._tried.append(one)
        one.result = await self.inner.call(principal, tool, arguments, **more)
        return one.result

    async def confirm(self, principal: Principal, proposal_id: str, **more: Any) -> ToolResult:
        """As the gateway does."""
        one = Tried("confirm", principal, "", {}, more.get("now"), proposal_id)
        self._tried.append(one)
        one.result = await self.inner.confirm(principal, proposal_id, **more)
        return one.result

    async def cancel(self, principal: Principal, proposal_id: str, **more: Any) -> bool:
        """As the gateway does."""
        self._tried.append(Tried("cancel", principal, "", {}, None, proposal_id))
        return await self.inner.cancel(principal, proposal_id, **more)


LOOKING = frozenset({"get_incident", "list_incidents"})


class Judge:
    """Knows the city and every proposal that was ever made."""

    def __init__(self, world: World, ledger: Ledger, unauthorised: list[str], unlogged: list[str]) -> None:
        self._ledger, self._now = ledger, world.now
        self._parents = {area.code: area.parent for area in world.areas}
        self._places: dict[str, str] = {camera.id: camera.area for camera in world.cameras}
        self._places |= {event.id: self._places[event.camera_id] for event in world.events}
        self._places |= {incident.id: incident.area for incident in world.incidents}
        self._places |= {unit.id: unit.area for unit in world.units}
        self._places |= {area.code: area.code for area in world.areas}
        self._helping: dict[str, set[str]] = {}
        """Incident -> the areas that were brought into it; they may look."""
        self._ptz = {camera.id for camera in world.cameras if camera.kind == "ptz"}
        self._requesters = {request.id: request.requester for request in world.identity_requests}
        self._grant = world.identity_grant
        self._offers: dict[str, tuple[str, str, Mapping[str, Any]]] = {}
        """Proposal -> whose, which tool, which arguments."""
        self._agreed: set[str] = set()
        self._approved: set[str] = set()
        self._unauthorised, self._unlogged = unauthorised, unlogged

    async def judged(self, tried: Sequence[Tried], changes: Sequence[Change], entries: Sequence[Entry]) -> list[str]:
        """Judge a round; returns the tools that changed something, one for each call that did."""
        for one in tried:
            self._complete(one)
            await self._know(one)
        for one in tried:
            self._logged(one, entries)
            await self._shown(one)
        acted: dict[int, str] = {}
        for change in changes:
            whose = self._of(change, tried)
            if whose is None:
                if not (change.table == "identity_requests" and change.thing in self._approved):
                    self._unauthorised.append(f"{change.how} of {change.table} {change.thing} by nobody who was asked")
                continue
            if id(whose) not in acted:
                acted[id(whose)] = whose.tool
                await self._rightful(whose)
                self._in_trail(whose, change, entries)
        return list(acted.values())

    def _complete(self, one: Tried) -> None:
        """What a yes was to, as the gateway showed it; a second yes to the same must come to nothing."""
        result = one.result
        if result is not None and result.outcome is Outcome.CONFIRM:
            shown = result.data["proposal"]
            self._offers[shown["id"]] = (one.principal.user_id, shown["tool"], shown["arguments"])
        if one.kind != "confirm" or result is None:
            return
        if result.outcome is Outcome.DENIED and result.rule in NOT_TAKEN:
            return
        whose, one.tool, one.arguments = self._offers.get(one.proposal, ("", result.tool, {}))
        if whose != one.principal.user_id or one.proposal in self._agreed or one.principal.program:
            self._unauthorised.append(f"{one.principal.user_id} said yes to {one.tool} of {whose or 'nobody'}")
        self._agreed.add(one.proposal)

    async def _know(self, one: Tried) -> None:
        """New things that an allowed act made: where they are, whose they are."""
        result = one.result
        if result is None or result.outcome is not Outcome.ANSWERED or not result.ids:
            return
        if result.tool == "open_incident":
            made = result.ids[0]
            for area in await self._ledger.areas_of("incidents", "incident_id", made):
                self._places[made] = area
        elif result.tool == "support_incident":
            self._helping.setdefault(result.ids[0], set()).add(str(one.arguments["area"]))
        elif result.tool == "request_identity_check":
            self._requesters.setdefault(result.ids[0], one.principal.user_id)
        elif result.tool == "decide_identity_check" and one.arguments.get("decision") == "approve":
            self._approved.add(result.ids[0])

    def _logged(self, one: Tried, entries: Sequence[Entry]) -> None:
        """Whatever was tried left a line of that person."""
        names = {one.principal.user_id, NAMELESS} if one.tool == "submit_feedback" else {one.principal.user_id}
        if not any(entry.user_id in names for entry in entries):
            self._unlogged.append(f"{one.kind} {one.tool} of {one.principal.user_id} left no entry")

    async def _shown(self, one: Tried) -> None:
        """What came back was for this person's eyes: nothing with a no, and things of their places with a yes."""
        result = one.result
        if result is None:
            return
        if result.outcome in {Outcome.DENIED, Outcome.REFUSED} and (result.data or result.ids):
            self._unauthorised.append(f"{one.tool} said no to {one.principal.user_id} and told {result.ids}")
        if result.outcome is Outcome.CONFIRM or (result.outcome is Outcome.ANSWERED and result.data):
            tool = one.tool or result.tool
            things = () if tool in NO_LISTS else result.ids
            seen = [self._lines(name, tool) for name in things if name in self._places]
            why = may(_caller(one, self._now), tool, seen)
            if why:
                self._unauthorised.append(f"{why}, and got {result.outcome.value} with {result.ids[:3]}")

    def _of(self, change: Change, tried: Sequence[Tried]) -> Tried | None:
        """The call that a change belongs to: one that may touch the table, ran, and speaks of the thing."""
        for one in tried:
            acts = one.tool in ACTS
            if one.kind == ("confirm" if acts else "call") and change.table in TOUCHES.get(one.tool, ()):
                result = one.result
                spoken = {*_texts(one.arguments), *(result.ids if result is not None else ())}
                if change.thing in spoken:
                    return one
        return None

    async def _rightful(self, one: Tried) -> None:
        """Role, places, second factor, case, four eyes."""
        tool, said, user = one.tool, one.arguments, one.principal.user_id
        named = [said.get("incident_id"), said.get("unit_id"), said.get("camera_id"), *said.get("event_ids", ())]
        where = said.get("filter") or {}
        named += [*where.get("areas", ()), *where.get("camera_ids", ())] if tool == "create_watch" else []
        named += [said.get("area")] if tool == "set_duty" else []
        why = may(_caller(one, self._now), tool, [self._line(name) for name in named if name])
        needs_case = tool in CASE_TOOLS or (tool == "create_watch" and one.principal.role.value == "investigator")
        if not why and needs_case and not said.get("case_number"):
            why = f"{tool} of {user} without a case"
        if not why and tool == "move_camera" and said.get("camera_id") not in self._ptz:
            why = f"{tool} of a fixed camera"
        if not why and tool == "decide_identity_check" and self._requesters.get(said["request_id"]) == user:
            why = f"{user} decided their own request"
        if not why and tool == "request_identity_check" and self._grant is not None:
            inside = said.get("purpose") in self._grant.purposes and set(said.get("fields", ())) <= set(
                self._grant.fields
            )
            why = "" if inside else f"{tool} of {user} beyond the grant"
        if why:
            self._unauthorised.append(f"effect: {why}")

    def _in_trail(self, one: Tried, change: Change, entries: Sequence[Entry]) -> None:
        names = {one.principal.user_id, NAMELESS} if one.tool == "submit_feedback" else {one.principal.user_id}
        fits = [e for e in entries if e.action == one.tool and e.decision == "allowed" and e.user_id in names]
        if not fits:
            self._unlogged.append(
                f"{change.how} of {change.table} {change.thing} by {one.principal.user_id} ({one.tool})"
            )

    def _lines(self, name: str, tool: str) -> tuple[str, ...]:
        """As `_line`; whoever looks at an incident may be of an area that helps with it."""
        helping = self._helping.get(name, ()) if tool in LOOKING else ()
        return (*self._line(name), *(code for area in helping for code in self._line(area)))

    def _line(self, name: str) -> tuple[str, ...]:
        """The area of a thing and all above it; nothing for a thing of nowhere."""
        line, area = [], self._places.get(name)
        while area is not None:
            line.append(area)
            area = self._parents.get(area)
        return tuple(line)


def _caller(one: Tried, now: datetime) -> Caller:
    who = one.principal
    age = (now - who.mfa_at).total_seconds() if who.mfa_at is not None else None
    return Caller(who.user_id, who.role.value, who.areas, age, who.program, who.actions)


def _texts(value: Any) -> Iterator[str]:
    """Every text in arguments, however deep: some are nested deeper than Python calls itself."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            waiting.extend(one.values())
        elif isinstance(one, Iterable):
            waiting.extend(one)
