"""/healthz, /readyz and /metrics of a process that serves nothing else."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callsvc import metrics
from callsvc.errors import PortTaken

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


def listen(host: str, port: int, setting: str) -> socket.socket:
    """A bound socket. Raises `PortTaken` that names the setting."""
    try:
        return socket.create_server((host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(f"Port {port} ({setting}) is taken by another program.") from None
        raise


class Server(uvicorn.Server):
    """Serves until `should_exit`; leaves signals to the process."""

    def __init__(self, app: Starlette) -> None:
        super().__init__(
            uvicorn.Config(
                app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
