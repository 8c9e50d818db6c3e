"""`decide_identity_check`: the second person's word on exactly the request that was shown; never one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints

from matpho_platform.access.policy import Resource
from matpho_platform.identity.errors import changed
from matpho_tools.contract import Arguments, Call, Prepared, Produced, Row, Tool
from matpho_tools.identity_rows import PART, RequestId, short_hash, subject_rows
from matpho_tools.resources import identity_resource

if TYPE_CHECKING:
    from matpho_platform.center import Center

WORDS = {
    "approve": ("phê duyệt; trung tâm xác thực được hỏi ngay", "approve; the authentication centre is asked at once"),
    "reject": ("từ chối; không gửi gì đi", "reject; nothing is sent"),
}


class DecideIdentityCheckArguments(Arguments):
    """Which request, and yes or no."""

    request_id: RequestId
    decision: Literal["approve", "reject"]
    reason: str = Field(default="", max_length=1_000)
    content_hash: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")] = Field(
        default="", description="Filled in by the center with the hash of what it shows; leave it out."
    )


async def _about(center: Center, arguments: DecideIdentityCheckArguments) -> Sequence[Resource | None]:
    return (await identity_resource(center, arguments.request_id),)


async def _prepare(call: Call[DecideIdentityCheckArguments]) -> Prepared[DecideIdentityCheckArguments]:
    said = call.arguments
    shown = await call.center.identity.decidable(call.principal, said.request_id, call.now)
    if said.content_hash not in ("", shown.content_hash):
        raise changed(said.request_id)
    fields, vi_en = ", ".join(shown.fields), WORDS[said.decision]
    rows = (
        Row("request_id", "Yêu cầu", "Request", shown.id, shown.id),
        Row("decision", "Quyết định", "Decision", *vi_en),
        Row("reason", "Lý do", "Reason", said.reason or "không nêu", said.reason or "none given"),
        Row("requester", "Người yêu cầu", "Requested by", shown.requester, shown.requester, "center"),
        Row("case_number", "Số hồ sơ", "Case", shown.case_number, shown.case_number, "center"),
        Row("purpose", "Mục đích", "Purpose", shown.purpose, shown.purpose, "center"),
        *subject_rows(shown.subject, "center"),
        Row("fields", "Trường cần xác minh", "Fields asked for", fields, fields, "center"),
        Row(
            "content_hash",
            "Mã nội dung",
            "Content hash",
            short_hash(shown.content_hash),
            short_hash(shown.content_hash),
            "center",
        ),
    )
    arguments = said.model_copy(update={"content_hash": shown.content_hash})
    return Prepared(arguments, rows, (shown.id,))


async def _run(call: Call[DecideIdentityCheckArguments]) -> Produced:
    said = call.arguments
    view = await call.center.identity.decide(
        call.principal,
        said.request_id,
        said.decision,
        said.reason,
        content_hash=said.content_hash,
        now=call.now,
        key=call.key,
    )
    return Produced(view, (view.id,))


TOOL = Tool(
    name="decide_identity_check",
    summary="Approve or reject somebody else's identity request; the decision counts for exactly what is shown.",
    arguments=DecideIdentityCheckArguments,
    action="decide_identity_check",
    run=_run,
    part_vi=PART[0],
    part_en=PART[1],
    free_text=lambda arguments: (arguments.reason,) if arguments.reason else (),
    about=_about,
    prepare=_prepare,
    when_unlogged="stop",
    deadline_s=20.0,
)
