"""The file of a package that `export_evidence` made, for downloads; models do not see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from matpho_platform.access.policy import Facts, Resource
from matpho_platform.identity.errors import UnclearError
from matpho_tools.contract import Arguments, Call, MissingError, Produced, Tool

if TYPE_CHECKING:
    from matpho_platform.center import Center

PackageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class OpenEvidenceArguments(Arguments):
    """Which package, and the case that it was made for."""

    package_id: PackageId
    case_number: str = Field(min_length=1, max_length=64)


class EvidenceFile(BaseModel):
    """Where the package lies at the center; never leaves the server."""

    model_config = ConfigDict(frozen=True)

    package_id: str
    path: str = Field(exclude=True)
    sha256: str


async def _about(center: Center, said: OpenEvidenceArguments) -> tuple[Resource | None, ...]:
    """The package in each area that it has events of, with the one who made it."""
    origin = await center.evidence.origin(said.package_id)
    if origin is None:
        return (None,)
    maker, areas = origin
    return tuple(Resource(lineage=center.areas.lineage(area), owner=maker) for area in areas)


async def _run(call: Call[OpenEvidenceArguments]) -> Produced:
    said = call.arguments
    try:
        package, path = await call.center.evidence.open(call.scope, said.package_id, said.case_number)
    except UnclearError as error:
        raise MissingError(error.argument, error.message) from None
    return Produced(EvidenceFile(package_id=package.id, path=str(path), sha256=package.sha256), (package.id,))


TOOL = Tool(
    name="open_evidence",
    summary="The file of an evidence package.",
    arguments=OpenEvidenceArguments,
    action="export_evidence",
    run=_run,
    part_vi="kho bằng chứng",
    part_en="the evidence store",
    about=_about,
    facts=lambda arguments: Facts(case_number=arguments.case_number),
    when_unlogged="stop",
    exposed=False,
)
