"""How a call ends when it does not run to its end: denied, refused, waiting for a yes, lacking a piece, failed."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from matpho_platform.access.policy import Denied
from matpho_platform.proposals.schemas import Proposal
from matpho_tools.contract import Outcome, ToolResult
from matpho_tools.refusals import Refusal
from matpho_tools.wording import NOT_FOUND, denial, failure, missing


def denied(tool: str, verdict: Denied) -> ToolResult:
    """The policy says no: which rule, who may."""
    vi, en = denial(verdict.rule, verdict.who_can)
    return ToolResult(
        tool=tool, outcome=Outcome.DENIED, decision="deny", rule=verdict.rule, message_vi=vi, message_en=en
    )


def denied_now(tool: str, rule: str, message_vi: str, message_en: str) -> ToolResult:
    """A service says no at the moment of acting."""
    return ToolResult(
        tool=tool, outcome=Outcome.DENIED, decision="deny", rule=rule, message_vi=message_vi, message_en=message_en
    )


def refused(tool: str, refusal: Refusal) -> ToolResult:
    """A built-in rule says no to everybody."""
    return ToolResult(
        tool=tool,
        outcome=Outcome.REFUSED,
        decision="refuse",
        rule=refusal.rule,
        message_vi=refusal.message("vi"),
        message_en=refusal.message("en"),
    )


def unfit(tool: str, error: ValidationError) -> ToolResult:
    """Arguments that do not fit the tool; the first of them is asked for."""
    first = error.errors(include_url=False, include_input=False)[0]
    return lacking(tool, ".".join(str(part) for part in first["loc"]) or "arguments", first["msg"])


def lacking(
    tool: str, argument: str, reason: str, options: Sequence[str] = (), rule: str = "bad_arguments"
) -> ToolResult:
    """A piece is missing or wrong; `options` are the ids that would fit."""
    vi, en = missing(argument, reason)
    data: dict[str, object] = {"missing": argument, "reason": reason}
    if options:
        data["options"] = list(options)
    return ToolResult(tool=tool, outcome=Outcome.CLARIFY, data=data, rule=rule, message_vi=vi, message_en=en)


def waiting(proposal: Proposal, ids: Sequence[str]) -> ToolResult:
    """An act that waits for the person's yes, with exactly what will run."""
    shown = {
        "id": proposal.id,
        "tool": proposal.tool,
        "arguments": proposal.arguments,
        "rows": list(proposal.rows),
        "expires_at": proposal.expires_at.isoformat(),
    }
    return ToolResult(
        tool=proposal.tool, outcome=Outcome.CONFIRM, decision="confirm", data={"proposal": shown}, ids=tuple(ids)
    )


def not_found(tool: str, rule: str = "not_found") -> ToolResult:
    """There is no such thing within what the caller may see."""
    vi, en = NOT_FOUND
    return ToolResult(tool=tool, outcome=Outcome.ANSWERED, rule=rule, message_vi=vi, message_en=en)


def failed(tool: str, part: tuple[str, str], reason: str) -> ToolResult:
    """A part did not answer."""
    vi, en = failure(*part, reason)
    return ToolResult(tool=tool, outcome=Outcome.FAILED, rule=reason, part=part[1], message_vi=vi, message_en=en)
