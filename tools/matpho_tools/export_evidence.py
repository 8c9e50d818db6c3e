"""`export_evidence`: events of a case as one signed package, with stills and clips where they can be had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from matpho_contracts.ids import EventId
from matpho_contracts.times import VIETNAM
from matpho_contracts.vocabulary import EVENT_TYPES, EventType
from matpho_platform.access.policy import Facts, Resource
from matpho_platform.evidence.schemas import MAX_EVENTS, MAX_PURPOSE, EventLine
from matpho_platform.identity.cases import read_case_number
from matpho_platform.identity.errors import UnclearError
from matpho_tools.contract import Arguments, Call, MissingError, Prepared, Produced, Row, Tool
from matpho_tools.resources import event_resources

if TYPE_CHECKING:
    from matpho_platform.center import Center


class ExportEvidenceArguments(Arguments):
    """Which events, for which case, why."""

    event_ids: tuple[EventId, ...] = Field(min_length=1, max_length=MAX_EVENTS)
    case_number: str = Field(min_length=1, max_length=64)
    purpose: Annotated[str, StringConstraints(min_length=1, max_length=MAX_PURPOSE, strip_whitespace=True)]


async def _about(center: Center, arguments: ExportEvidenceArguments) -> Sequence[Resource | None]:
    return await event_resources(center, arguments.event_ids)


def _case(said: str) -> str:
    try:
        return read_case_number(said)
    except UnclearError as error:
        raise MissingError(error.argument, error.message) from None


async def _prepare(call: Call[ExportEvidenceArguments]) -> Prepared[ExportEvidenceArguments]:
    said = call.arguments
    number = _case(said.case_number)
    lines = await call.center.evidence.preview(call.scope, said.event_ids)
    rows = (
        *(_event_row(line) for line in lines),
        Row("case_number", "Số hồ sơ", "Case", number, number),
        Row("purpose", "Mục đích", "Purpose", said.purpose, said.purpose),
        Row(
            "content",
            "Trong gói",
            "In the package",
            "dữ liệu sự kiện đã ký, ảnh tĩnh, đoạn ghi hình nếu lấy được, bản kê có chữ ký; không che mặt và biển số",
            "signed event data, stills, clips where they can be had, a signed manifest; faces and plates not masked",
            "center",
        ),
    )
    arguments = said.model_copy(update={"case_number": number, "event_ids": tuple(line.id for line in lines)})
    return Prepared(arguments, rows, arguments.event_ids)


def _event_row(line: EventLine) -> Row:
    name = EVENT_TYPES[EventType(line.type)][2]
    at = line.time.astimezone(VIETNAM).strftime("%H:%M:%S %d/%m/%Y")
    return Row(
        "event_ids",
        "Sự kiện",
        "Event",
        f"{name.vi} · {at} · {line.camera_name} ({line.camera_id}) · {line.id}",
        f"{name.en} · {at} · {line.camera_name} ({line.camera_id}) · {line.id}",
        "center",
    )


async def _run(call: Call[ExportEvidenceArguments]) -> Produced:
    said = call.arguments
    package = await call.center.evidence.export(
        call.principal,
        call.scope,
        said.event_ids,
        _case(said.case_number),
        said.purpose,
        now=call.now,
        key=call.key,
    )
    return Produced(package, (package.id, *package.event_ids))


TOOL = Tool(
    name="export_evidence",
    summary="Export events of a case as one signed package of evidence (at most 20 events).",
    arguments=ExportEvidenceArguments,
    action="export_evidence",
    run=_run,
    part_vi="kho bằng chứng",
    part_en="the evidence store",
    free_text=lambda arguments: (arguments.purpose,),
    about=_about,
    facts=lambda arguments: Facts(case_number=arguments.case_number, purpose=arguments.purpose),
    prepare=_prepare,
    when_unlogged="stop",
    deadline_s=300.0,
)
