"""For those who run the service: is it alive, is it ready, how is every part, what are its figures."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse, Response

from callsvc import metrics
from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.web import door
from callsvc.web.door import OneSite
from callsvc.web.shapes import HealthOut

router = APIRouter(tags=["operations"])
Operator = Annotated[Session, Depends(door.may(Action.HEALTH_READ))]


@router.get("/healthz", include_in_schema=False)
async def alive() -> Response:
    """The process answers."""
    return JSONResponse({"status": "alive"})


@router.get("/readyz", include_in_schema=False)
async def ready(here: OneSite) -> Response:
    """Whether people can work: 200, or 503 with what is missing."""
    missing = [] if await here.database.ready() else ["database"]
    return JSONResponse({"ready": not missing, "missing": missing}, status_code=503 if missing else 200)


@router.get("/metrics", include_in_schema=False)
async def figures() -> Response:
    """Prometheus metrics."""
    body, kind = metrics.exposition()
    return Response(body, media_type=kind)


@router.get("/api/health")
async def health(here: OneSite, _session: Operator) -> HealthOut:
    """How every part of the service is."""
    return await here.probe.look()
