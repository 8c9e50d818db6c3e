"""Everything under `/api/v1/auth`: signing in, second factors, providers, one's own sessions and tokens, accounts."""

from __future__ import annotations

from fastapi import APIRouter

from matpho_platform.access.api import factors, outside, own, sign_in, users
from matpho_platform.access.api.schemas import PROBLEMS

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], responses=PROBLEMS)
for room in (sign_in, outside, factors, own, users):
    router.include_router(room.router)
