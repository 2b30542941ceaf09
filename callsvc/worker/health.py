"""/healthz, /readyz and /metrics of a process that serves nothing else."""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callsvc import metrics

Reasons = Callable[[], list[str]]


def application(reasons: Reasons) -> Starlette:
    """`reasons` tells why the process is not ready; an empty list says that it is."""

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"alive": True})

    async def readyz(_request: Request) -> Response:
        found = reasons()
        return JSONResponse({"ready": not found, "reasons": found}, 503 if found else 200)

    async def scrape(_request: Request) -> Response:
        body, content_type = metrics.exposition()
        return Response(body, headers={"content-type": content_type})

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", scrape)])
