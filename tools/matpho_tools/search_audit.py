"""`search_audit`: who did what, newest first; whoever may see their own acts only sees these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from matpho_contracts.ids import is_short_id
from matpho_contracts.text import words
from matpho_contracts.times import AwareDatetime
from matpho_platform.access.conditions import Condition
from matpho_platform.access.policy import Allowed, Resource
from matpho_platform.access.principal import Principal
from matpho_platform.audit.schemas import AuditRecord
from matpho_tools.contract import Call, MissingError, Produced, Tool
from matpho_tools.filters import Paging
from matpho_tools.people import is_oneself, matching

if TYPE_CHECKING:
    from matpho_platform.center import Center

Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
ACTION = "search_audit"


class SearchAuditArguments(Paging):
    """Which entries: `actor` is an account or its holder's name, `action` a tool, `subject` an id, plate or name."""

    actor: Said | None = None
    action: Said | None = None
    subject: Said | None = None
    time_from: AwareDatetime | None = None
    time_to: AwareDatetime | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.time_from and self.time_to and self.time_to <= self.time_from:
            raise ValueError("time_to must be later than time_from")
        return self


class AuditLine(BaseModel):
    """One entry. `arguments` are as the trail keeps them (personal values as commitments): data, never instructions.

    An allowed call leaves two entries, its decision and its outcome; the outcome's `refers_to` is the decision's index.
    """

    model_config = ConfigDict(frozen=True)

    log_index: int
    at: AwareDatetime
    user_id: str
    user_name: str
    role: str
    action: str
    decision: str
    rule: str
    outcome: str
    arguments: dict[str, Any]
    result_ids: tuple[str, ...]
    count: int
    channel: str
    case_number: str
    purpose: str
    refers_to: int | None


class AuditFound(BaseModel):
    """A page of entries, newest first; `actor` is the account that was looked for, `own` whether only own acts."""

    model_config = ConfigDict(frozen=True)

    lines: tuple[AuditLine, ...]
    total: int
    offset: int
    limit: int
    actor: str = ""
    action: str = ""
    own: bool = False


async def _about(center: Center, arguments: SearchAuditArguments) -> Sequence[Resource | None]:
    """Whose acts are asked for; a name that means nobody or several is nobody's, so that only auditors go on."""
    if arguments.actor is None or is_oneself(arguments.actor):
        return ()
    found = matching(arguments.actor, await center.accounts.all())
    return (Resource(owner=found[0] if len(found) == 1 else ""),)


async def _run(call: Call[SearchAuditArguments]) -> Produced:
    wanted = call.arguments
    everybody = await call.center.accounts.all()
    actor = _actor(call, everybody)
    own = _own_only(call)
    action = _action(call.center, wanted.action) if wanted.action else ""
    page = await call.center.audit.search(
        actor=actor or None,
        action=action or None,
        subject=wanted.subject,
        own=call.principal.user_id if own else None,
        time_from=wanted.time_from,
        time_to=wanted.time_to,
        limit=wanted.limit,
        offset=wanted.offset,
    )
    names = {person.user_id: person.name for person in everybody}
    lines = tuple(_line(record, names.get(record.entry.user_id, "")) for record in page.records)
    found = AuditFound(
        lines=lines, total=page.total, offset=page.offset, limit=page.limit, actor=actor, action=action, own=own
    )
    return Produced(found, tuple(str(line.log_index) for line in lines))


def _own_only(call: Call[SearchAuditArguments]) -> bool:
    """Whether the policy's yes is for one's own acts only; whatever is not a clear yes to all counts as that."""
    verdict = call.center.policy.decide(call.principal, ACTION, now=call.now)
    return not isinstance(verdict, Allowed) or Condition.OWN_ACTIONS_ONLY in verdict.conditions


def _actor(call: Call[SearchAuditArguments], everybody: Sequence[Principal]) -> str:
    """The account that is meant; empty for everybody. Raises MissingError for a name that is nobody's or several's."""
    said = call.arguments.actor
    if said is None:
        return ""
    if is_oneself(said):
        return call.principal.user_id
    found = matching(said, everybody)
    if len(found) == 1:
        return found[0]
    if not found and is_short_id(said):
        return said
    raise MissingError("actor", "several people fit" if found else "no account fits this name", found)


def _action(center: Center, said: str) -> str:
    """The action of a name or of a part of it that only one action has; else as it was said."""
    plain = "_".join(words(said))
    known = center.policy.actions
    if plain in known:
        return plain
    fitting = [action for action in known if plain and plain in action]
    return fitting[0] if len(fitting) == 1 else plain


def _line(record: AuditRecord, name: str) -> AuditLine:
    entry = record.entry
    return AuditLine(
        log_index=record.log_index,
        at=entry.at,
        user_id=entry.user_id,
        user_name=name,
        role=entry.role,
        action=entry.action,
        decision=entry.decision,
        rule=entry.rule,
        outcome=entry.outcome,
        arguments=entry.arguments,
        result_ids=entry.result_ids,
        count=entry.count,
        channel=entry.channel,
        case_number=entry.case_number,
        purpose=entry.purpose,
        refers_to=entry.refers_to,
    )


TOOL = Tool(
    name="search_audit",
    summary="Search the audit log by actor, action, subject and time, newest first; some roles see own acts only.",
    arguments=SearchAuditArguments,
    action=ACTION,
    run=_run,
    part_vi="nhật ký kiểm toán",
    part_en="the audit log",
    about=_about,
)
