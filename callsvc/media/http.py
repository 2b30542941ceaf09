"""The node's web application: signalling, and what a supervisor and a scraper ask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from callsvc import metrics

METRICS_S: Final = 0.5
"""As old as figures may be."""


def application(
    signalling: list[Route],
    reasons: Callable[[], dict[str, str]],
    degraded: Callable[[], list[str]],
    in_force: Callable[[], dict[str, dict[str, Any]]] = dict,
) -> Starlette:
    """`reasons` says why the node is not ready to take calls, `degraded` what they must do without; empty when all is well.
    `in_force` says which version of what was put in force the node goes by.

    Any page may signal: what lets a client in is its token alone, never a cookie.
    """

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        why = reasons()
        content = {"ready": not why, "reasons": why, "degraded": degraded(), "in_force": in_force()}
        return JSONResponse(content, 503 if why else 200)

    written: tuple[float, bytes, str] | None = None

    async def metrics_text(_request: Request) -> Response:
        # Writing them takes longer than anything else that a stranger can ask for.
        nonlocal written
        now_s = asyncio.get_running_loop().time()
        if written is None or now_s - written[0] > METRICS_S:
            written = (now_s, *metrics.exposition())
        return Response(written[1], headers={"Content-Type": written[2]})

    routes: list[BaseRoute] = [
        *signalling,
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics_text),
    ]
    anybody = Middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "POST", "DELETE", "OPTIONS"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["Location", "Retry-After", "Link"],
    )
    return Starlette(routes=routes, middleware=[anybody])
