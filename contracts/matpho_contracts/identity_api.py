"""What a unit and the authentication centre say to each other: one subject, one signed request, one signed answer.

    POST /v1/checks   CheckRequest -> CheckAnswer   (signed request, RFC 9421; the answer carries its own signature)

There is no call that takes several subjects, and none that lists anybody. A refusal is a signed answer too, so that
nobody between the two can end a request for good. Personal values show in no repr and in no validation error.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date
from typing import Annotated, Literal

import rfc8785
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from matpho_contracts.ids import ShortId
from matpho_contracts.signing import PublicKey, SignatureError, SigningKey
from matpho_contracts.text import normalise_plate
from matpho_contracts.times import AwareDatetime, to_rfc3339

CHECKS_PATH = "/v1/checks"
TAG = "matpho-identity"
"""The RFC 9421 tag of these requests: a signature made for another purpose is none here."""
CONTENT_TYPE = "application/json"
MAX_REQUEST_BYTES = 16 * 1024
MAX_ANSWER_BYTES = 64 * 1024
MAX_FIELDS = 16
MAX_VALUE = 500
_ANSWER_CONTEXT = "matpho-identity-answer-v1"
_PLATE = re.compile(r"[0-9A-Z]{5,12}")


def _plate(value: str) -> str:
    plain = normalise_plate(value)
    if _PLATE.fullmatch(plain) is None or sum(map(str.isdigit, plain)) < 4:
        raise ValueError("this is no licence plate")
    return plain


def _with_digits(value: str) -> str:
    if not any(map(str.isdigit, value)):
        raise ValueError("a case number has a digit")
    return value


Word = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
CheckId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
CaseNumber = Annotated[
    str, StringConstraints(pattern=r"^[\p{Lu}0-9][\p{Lu}0-9/._ -]{1,62}[\p{Lu}0-9]$"), AfterValidator(_with_digits)
]
"""Capitals, digits and `/ . _ -` or spaces between them, at least one digit: `HS-2026-0139`, `12/2026/HSST`."""
CitizenId = Annotated[str, StringConstraints(pattern=r"^\d{12}$")]
Plate = Annotated[str, AfterValidator(_plate)]
Fields = Annotated[tuple[Word, ...], Field(min_length=1, max_length=MAX_FIELDS)]
_Hex32 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Hex64 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Person(_Value):
    """A person by what stands on the card; all three must agree (a 1:1 check, never a search)."""

    citizen_id: CitizenId = Field(repr=False)
    name: Word = Field(repr=False)
    date_of_birth: date = Field(repr=False)


class Vehicle(_Value):
    """A vehicle by its whole plate, letters and digits alone."""

    plate: Plate = Field(repr=False)


Subject = Person | Vehicle


class CheckRequest(_Value):
    """One check, as a unit sends it. Sent again under the same `check_id` it gets the same answer and costs nothing."""

    check_id: CheckId
    unit_code: ShortId
    case_number: CaseNumber
    purpose: Word
    subject: Subject = Field(repr=False)
    fields: Fields
    requested_by: ShortId
    approved_by: ShortId
    asked_at: AwareDatetime

    def canonical(self) -> bytes:
        """The bytes that travel and that an answer refers to: RFC 8785 JSON."""
        document = self.model_dump(mode="json")
        document["asked_at"] = to_rfc3339(self.asked_at)
        return rfc8785.dumps(document)

    def digest(self) -> str:
        """SHA-256 of the canonical bytes but the time of asking: the same check asked again has the same digest."""
        document = self.model_dump(mode="json", exclude={"asked_at"})
        return hashlib.sha256(rfc8785.dumps(document)).hexdigest()


AnswerOutcome = Literal["found", "not_found", "refused"]


class CheckAnswer(_Value):
    """The centre's word on one request. `values` holds granted fields only, `rule` names what refused."""

    check_id: CheckId
    unit_code: ShortId
    request_digest: _Hex32
    outcome: AnswerOutcome
    values: dict[Word, Annotated[str, StringConstraints(max_length=MAX_VALUE)]] = Field(
        default_factory=dict, max_length=MAX_FIELDS, repr=False
    )
    rule: Annotated[str, StringConstraints(pattern=r"^[a-z_]{0,32}$")] = ""
    answer_number: Annotated[str, StringConstraints(max_length=64)] = ""
    """The entry of the centre's own log."""
    answered_at: AwareDatetime
    key_id: _Hex32
    signature: _Hex64

    def statement(self) -> bytes:
        """The canonical bytes under the signature."""
        document = self.model_dump(mode="json", exclude={"signature"})
        document["answered_at"] = to_rfc3339(self.answered_at)
        return rfc8785.dumps({"context": _ANSWER_CONTEXT, "answer": document})


def sign_answer(
    request: CheckRequest,
    key: SigningKey,
    *,
    outcome: AnswerOutcome,
    answered_at: AwareDatetime,
    answer_number: str,
    values: dict[str, str] | None = None,
    rule: str = "",
) -> CheckAnswer:
    """An answer to `request` with the centre's signature."""
    unsigned = CheckAnswer(
        check_id=request.check_id,
        unit_code=request.unit_code,
        request_digest=request.digest(),
        outcome=outcome,
        values=values or {},
        rule=rule,
        answer_number=answer_number,
        answered_at=answered_at,
        key_id=key.public.key_id,
        signature="0" * 128,
    )
    return unsigned.model_copy(update={"signature": key.sign(unsigned.statement()).hex()})


def verify_answer(answer: CheckAnswer, request: CheckRequest, key: PublicKey) -> None:
    """Check an answer against what was asked; raises SignatureError, whose message names no value.

    1 it is signed by the centre's key; 2 it speaks of this very request; 3 it holds no field that was not asked for.
    """
    if answer.key_id != key.key_id:
        raise SignatureError("The answer is signed by another key than the authentication centre's.")
    key.verify(answer.statement(), bytes.fromhex(answer.signature))  # 1
    asked = (request.check_id, request.unit_code, request.digest())
    if (answer.check_id, answer.unit_code, answer.request_digest) != asked:  # 2
        raise SignatureError("The answer belongs to another request.")
    if not set(answer.values) <= set(request.fields) or (answer.outcome != "found" and answer.values):  # 3
        raise SignatureError("The answer holds more than was asked for.")
