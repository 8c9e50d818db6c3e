"""For whoever watches the center: alive, ready, and in numbers."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy import text

from matpho_contracts.errors import MatphoError
from matpho_platform.events.outbox import waiting
from matpho_platform.web.problems import problem
from matpho_platform.web.session import TheCenter

router = APIRouter(tags=["health"])


class Ready(BaseModel):
    """The center works."""

    status: str = "ok"
    index_jobs_waiting: int
    """Events that the search index has yet to take in."""


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", response_model=Ready)
async def readyz(center: TheCenter) -> Ready | Response:
    """The database answers and the workers run; 503 with the reason when not."""
    try:
        async with center.store.reading() as session:
            await session.scalar(text("SELECT 1"))
        behind = await waiting(center.store, "index")
    except MatphoError as error:
        return problem(503, error.code, error.message, error.action)
    if not center.workers.alive():
        return problem(503, "workers", "A background worker has stopped.", "Restart the center.")
    return Ready(index_jobs_waiting=behind)
