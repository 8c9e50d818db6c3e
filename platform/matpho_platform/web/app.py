"""The web application of a center: API for boxes, signing in, health, and whatever routers the floors above bring."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.staticfiles import StaticFiles

from matpho_platform.access.endpoints import router as access_router
from matpho_platform.audit.endpoints import router as audit_router
from matpho_platform.cameras.endpoints import edge_router
from matpho_platform.center import Center
from matpho_platform.events.endpoints import router as intake_router
from matpho_platform.notify.endpoints import BODY_LIMITS as NOTIFY_LIMITS
from matpho_platform.notify.endpoints import router as notify_router
from matpho_platform.web.headers import SecurityHeaders
from matpho_platform.web.health import router as health_router
from matpho_platform.web.limits import BodyLimit
from matpho_platform.web.problems import DECLARED, Unforeseen, add_problem_handlers

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    center: Center,
    routers: Sequence[APIRouter] = (),
    lifespans: Sequence[Lifespan] = (),
    *,
    pages: Path | None = None,
    body_limits: Mapping[str, int] | None = None,
) -> FastAPI:
    """The app of an open center; whoever opened the center closes it.

    `routers` and `lifespans` come from above (tools, chat); `pages` is a folder of static files served at `/`;
    `body_limits` raises the limit of a request's body in bytes for paths that begin so.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for enter in lifespans:
                await stack.enter_async_context(enter(app))
            yield

    app = FastAPI(
        title=f"Matpho: {center.settings.name}",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        responses=DECLARED,
    )
    app.state.center = center
    add_problem_handlers(app)
    for router in (intake_router, edge_router(), access_router, audit_router, notify_router, health_router, *routers):
        app.include_router(router)
    if pages is not None:
        app.mount("/", StaticFiles(directory=pages, html=True), name="pages")
    app.add_middleware(Unforeseen)
    app.add_middleware(BodyLimit, limits={**NOTIFY_LIMITS, **(body_limits or {})})
    app.add_middleware(SecurityHeaders, https=center.settings.behind_proxy)
    return app
