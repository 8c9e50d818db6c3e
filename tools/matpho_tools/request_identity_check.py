"""`request_identity_check`: asks for one check of one subject; it runs only after a second person agrees."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from matpho_contracts.identity_api import MAX_FIELDS, Person, Subject, Vehicle, Word
from matpho_platform.access.policy import Facts
from matpho_platform.identity.errors import UnclearError
from matpho_platform.identity.schemas import NewRequest, RequestView, plain
from matpho_tools.contract import Arguments, Call, MissingError, Prepared, Produced, Row, Tool
from matpho_tools.identity_rows import PART, subject_rows

_VIETNAMESE_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


class SubjectArguments(BaseModel):
    """One person (all three fields) or one vehicle (its plate)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    citizen_id: str | None = Field(default=None, max_length=20, repr=False)
    name: str | None = Field(default=None, max_length=120, repr=False)
    date_of_birth: date | None = Field(default=None, repr=False)
    plate: str | None = Field(default=None, max_length=20, repr=False)

    @field_validator("date_of_birth", mode="before")
    @classmethod
    def _day_first(cls, value: Any) -> Any:
        """`14/07/1985`, as it stands on a card, is a date too."""
        match = _VIETNAMESE_DATE.fullmatch(value.strip()) if isinstance(value, str) else None
        return f"{match[3]}-{int(match[2]):02d}-{int(match[1]):02d}" if match else value


class RequestIdentityCheckArguments(Arguments):
    """Case, subject, purpose and fields; the last two from the grant's lists."""

    model_config = ConfigDict(hide_input_in_errors=True)

    case_number: str = Field(min_length=1, max_length=64)
    subject: SubjectArguments = Field(repr=False)
    purpose: str = Field(default="", max_length=120, description="Required: one of the purposes of the unit's grant.")
    fields: tuple[Word, ...] = Field(
        default=(), max_length=MAX_FIELDS, description="Required: which fields of the unit's grant are needed."
    )


def read_subject(said: SubjectArguments) -> Subject:
    """The one subject that was named; raises MissingError (`subject`) when it is none, half a one, or two."""
    person = (said.citizen_id, said.name, said.date_of_birth)
    try:
        if said.plate is not None and not any(person):
            return Vehicle(plate=said.plate)
        if said.plate is None and all(person):
            return Person.model_validate(said.model_dump(exclude={"plate"}))
    except ValidationError:
        raise MissingError(
            "subject", "Số căn cước có 12 chữ số; biển số ghi đủ. A citizen id has 12 digits; a plate is whole"
        ) from None
    raise MissingError(
        "subject",
        "Cần đúng một đối tượng: số căn cước, họ tên và ngày sinh của một người, hoặc biển số của một xe. "
        "Exactly one subject is needed: a person's citizen id, name and date of birth, or one plate",
    )


def _read(call: Call[RequestIdentityCheckArguments]) -> NewRequest:
    said = call.arguments
    subject = read_subject(said.subject)
    try:
        return call.center.identity.read(said.case_number, said.purpose, subject, said.fields, call.now)
    except UnclearError as error:
        raise MissingError(error.argument, error.message, error.options) from None


async def _prepare(
    call: Call[RequestIdentityCheckArguments],
) -> Prepared[RequestIdentityCheckArguments]:
    new = _read(call)
    subject = plain(new.subject)
    arguments = RequestIdentityCheckArguments(
        case_number=new.case_number,
        purpose=new.purpose,
        subject=SubjectArguments.model_validate(subject),
        fields=new.fields,
    )
    fields = ", ".join(new.fields)
    unit = call.center.identity.grant
    code = unit.unit_code if unit is not None else ""
    rows = (
        Row("case_number", "Số hồ sơ", "Case", new.case_number, new.case_number),
        Row("purpose", "Mục đích", "Purpose", new.purpose, new.purpose),
        *subject_rows(subject),
        Row("fields", "Trường cần xác minh", "Fields asked for", fields, fields),
        Row("unit_code", "Đơn vị hỏi trung tâm xác thực", "Unit that asks the centre", code, code, "center"),
        Row(
            "approval",
            "Phê duyệt",
            "Approval",
            "một chỉ huy khác phải duyệt trong 24 giờ; chưa duyệt thì chưa gửi đi đâu",
            "another commander must approve within 24 hours; nothing is sent before",
            "center",
        ),
    )
    return Prepared(arguments, rows)


async def _run(call: Call[RequestIdentityCheckArguments]) -> Produced:
    opened: RequestView = await call.center.identity.request(call.principal, _read(call), now=call.now, key=call.key)
    return Produced(opened, (opened.id,))


TOOL = Tool(
    name="request_identity_check",
    summary="Ask for an identity check of exactly one person or one vehicle in a case; a second person must approve.",
    arguments=RequestIdentityCheckArguments,
    action="request_identity_check",
    run=_run,
    part_vi=PART[0],
    part_en=PART[1],
    free_text=lambda arguments: (arguments.purpose,),
    facts=lambda arguments: Facts(case_number=arguments.case_number, purpose=arguments.purpose, subjects=1),
    prepare=_prepare,
    when_unlogged="stop",
)
