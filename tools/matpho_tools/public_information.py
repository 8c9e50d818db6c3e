"""`public_information`: what everybody may know, with passages of public procedures where these answer too."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from matpho_platform.incidents.procedure import Passage as ProcedurePassage
from matpho_platform.information.library import MAX_QUERY, Passage
from matpho_tools.contract import Arguments, Call, Produced, Tool

MAX_PROCEDURE_PASSAGES = 2


class PublicInformationArguments(Arguments):
    """The question, in Vietnamese or English; without one, the topics there are."""

    query: Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_QUERY)] = ""


class PublicInformation(BaseModel):
    """Passages that answer, best first; where nothing does, `passages` is empty and `topics` is what one can ask about.

    `procedures` are sentences of public procedures, quoted as they stand.
    """

    model_config = ConfigDict(frozen=True)

    passages: tuple[Passage, ...] = ()
    procedures: tuple[ProcedurePassage, ...] = ()
    topics: tuple[Passage, ...] = ()


async def _run(call: Call[PublicInformationArguments]) -> Produced:
    query = call.arguments.query
    found = tuple(call.center.information.search(query)) if query else ()
    procedures: tuple[ProcedurePassage, ...] = ()
    if query:
        page = await call.center.procedures.search(query, public_only=True)
        procedures = tuple(passage for passage in page.passages if passage.kind == "text")[:MAX_PROCEDURE_PASSAGES]
    topics = () if found else tuple(call.center.information.topics())
    ids = [passage.id for passage in found] + [passage.procedure_id for passage in procedures]
    return Produced(PublicInformation(passages=found, procedures=procedures, topics=topics), tuple(dict.fromkeys(ids)))


TOOL = Tool(
    name="public_information",
    summary="Answer what everybody may know: hours, hotlines, how reports are handled, what cameras record, own data.",
    arguments=PublicInformationArguments,
    action="public_information",
    run=_run,
    part_vi="kho thông tin công khai",
    part_en="the public information",
)
