"""What auditors and witnesses fetch: the signed checkpoint, proofs, tiles. Every read is itself on the log.

Who may is the policy's word on `search_audit`, and only where it lets the whole log be seen.
"""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse
from starlette.requests import Request

from matpho_contracts.errors import NotFoundError
from matpho_contracts.times import now
from matpho_platform.access.decisions import Allowed
from matpho_platform.access.errors import DeniedError
from matpho_platform.access.principal import Principal
from matpho_platform.audit.note import origin_of, verifier_key
from matpho_platform.audit.proofs import ConsistencyProof, InclusionProof
from matpho_platform.audit.schemas import AuditEntry
from matpho_platform.center import Center
from matpho_platform.web.session import CurrentPrincipal, TheCenter, client_of

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])

ACTION = "search_audit"
_MAX = 2**53 - 1
"""The largest whole number that every reader of JSON, and so the log itself, takes as it is."""
_TILE = re.compile(r"tile/(?:entries|[0-9]|[1-5][0-9]|6[0-3])/(?:x[0-9]{3}/){0,5}[0-9]{3}(?:\.p/[1-9][0-9]{0,2})?")
_TILE_ANSWER: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": {}}}}
Size = Annotated[int, Query(ge=0, le=_MAX)]


@router.get("/checkpoint", response_class=PlainTextResponse)
async def checkpoint(request: Request, principal: CurrentPrincipal, center: TheCenter) -> PlainTextResponse:
    """The log's head as a signed note, C2SP tlog-checkpoint. Keep it: with it you find out a log that was rewritten."""
    await _permit(request, principal, center, "checkpoint", {})
    return PlainTextResponse(await center.audit.checkpoint(), headers={"cache-control": "no-store"})


@router.get("/key", response_class=PlainTextResponse)
async def key(request: Request, principal: CurrentPrincipal, center: TheCenter) -> PlainTextResponse:
    """The log's verifier key: name, id and Ed25519 key."""
    await _permit(request, principal, center, "key", {})
    public = center.audit.key.public
    return PlainTextResponse(verifier_key(origin_of(public), public) + "\n")


@router.get("/proof/inclusion")
async def inclusion(
    request: Request, principal: CurrentPrincipal, center: TheCenter, index: Size, size: Size | None = None
) -> InclusionProof:
    """That an entry is in the tree; `size` is that of a checkpoint, by default the newest."""
    await _permit(request, principal, center, "inclusion", {"index": index, "size": size})
    return await center.audit.inclusion(index, size)


@router.get("/proof/consistency")
async def consistency(
    request: Request, principal: CurrentPrincipal, center: TheCenter, old: Size, size: Size | None = None
) -> ConsistencyProof:
    """That the log of `old` entries is the beginning of that of `size`, by default the newest."""
    await _permit(request, principal, center, "consistency", {"old": old, "size": size})
    return await center.audit.consistency(old, size)


@router.get("/tile/{path:path}", response_class=Response, responses=_TILE_ANSWER)
async def tile(request: Request, principal: CurrentPrincipal, center: TheCenter, path: str) -> Response:
    """A tile or an entry bundle as C2SP tlog-tiles names them."""
    name = f"tile/{path}"
    await _permit(request, principal, center, "tile", {"path": name[:100]})
    file = center.audit.folder / name
    if not _TILE.fullmatch(name) or not await asyncio.to_thread(file.is_file):
        raise NotFoundError("There is no such tile.")
    return Response(await asyncio.to_thread(file.read_bytes), media_type="application/octet-stream")


async def _permit(
    request: Request, principal: Principal, center: Center, what: str, arguments: dict[str, int | str | None]
) -> None:
    """Ask the policy, log the answer, and go on only with an unconditional yes over the whole log."""
    verdict = center.policy.decide(principal, ACTION, now=now())
    whole = isinstance(verdict, Allowed) and not verdict.conditions and verdict.scope.areas is None
    entry = AuditEntry(
        user_id=principal.user_id,
        role=principal.role.value,
        action=f"audit_{what}",
        decision="allowed" if whole else "denied",
        outcome="answered" if whole else "denied",
        policies=verdict.policies,
        policy_version=center.policy.version[:200],
        arguments=dict(arguments),
        channel="web",
        session_id=principal.session_id[:200],
        device=client_of(request)[:200],
    )
    await center.audit.append(entry)
    if not whole:
        raise DeniedError("role", "Chỉ kiểm toán viên được đọc toàn bộ nhật ký.", "Only auditors read the whole log.")
