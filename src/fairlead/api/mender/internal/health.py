"""Is the server there, can it do its work, and how is it doing?"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from litestar import Request, Response, get

from fairlead.api.mender.context import Context
from fairlead.base.http.metrics import CONTENT_TYPE

_SERVICES = ("devauth", "inventory", "deployments", "useradm", "tenantadm", "deviceconnect")
_ALIVE = [f"/api/internal/v1/{service}/alive" for service in _SERVICES]
_ALIVE += ["/api/internal/v1/auditlogs/health/alive"]
_HEALTH = [f"/api/internal/v1/{service}/health" for service in _SERVICES]
_HEALTH += ["/api/v1/health", "/health"]


@get(_ALIVE, status_code=204, summary="Is the process there?", tags=["Health"])
async def alive() -> None:
    """Yes, whatever the state of what it stands on."""


@get("/status", summary="Check Liveliness", tags=["Health"])
async def status() -> dict[str, str]:
    """The same as the workflows service says it."""
    return {"status": "ok"}


@get(_HEALTH, status_code=204, summary="Can it do its work?", tags=["Health"])
async def health(request: Request[Any, Any, Any], context: Context) -> None:
    """204 when the database answers and the payload store can be reached, 503 with the reason otherwise."""
    await request.app.state.in_thread(_make_sure_all_is_there, context)


def _make_sure_all_is_there(context: Context) -> None:
    with context.database.across_tenants("is it there?", writing=False) as tx:
        tx.scalar(sa.select(sa.literal(1)))
    context.blobs.size("health/none")


@get("/metrics", sync_to_thread=True, media_type="text/plain", tags=["Health"])
def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Figures for Prometheus."""
    return Response(request.app.state.metrics.render(), media_type=CONTENT_TYPE)


handlers = [alive, status, health, metrics]
