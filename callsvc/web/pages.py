"""The built screens: files with a digest in their name, and one page that stands for every address of a screen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, Response

from callsvc.errors import MissingPart
from callsvc.web.guard import IMMUTABLE, origin, policy
from callsvc.web.health import media_urls
from callsvc.web.problems import Problem

BUILT: Final = Path(__file__).parent / "static"
NONCE: Final = "{{csp-nonce}}"
_ASSET: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.(js|css|woff2|svg|ogg)")
_TYPES: Final = {
    "js": "text/javascript",
    "css": "text/css",
    "woff2": "font/woff2",
    "svg": "image/svg+xml",
    "ogg": "audio/ogg",
}


class ScreensMissing(MissingPart):
    """The screens have not been built."""

    default_hint = (
        "Run `make run`, or `python hatch_build.py` in the project; in a wheel they are always there."
    )


def check(built: Path) -> Path:
    """The page that stands for every screen. Raises `ScreensMissing` when the screens have not been built."""
    index = built / "index.html"
    if not index.is_file():
        raise ScreensMissing
    return index


def router(built: Path = BUILT) -> APIRouter:
    """Routes for the files in `built`. Raises `ScreensMissing` when there are none."""
    check(built)
    routes = APIRouter(include_in_schema=False)

    @routes.get("/assets/{name}")
    async def asset(name: str) -> Response:
        return _file(built / "assets", name, IMMUTABLE)

    @routes.get("/theme.js")
    async def theme() -> Response:
        return _file(built, "theme.js", "no-cache")

    @routes.get("/mark.svg")
    async def mark() -> Response:
        return _file(built, "mark.svg", "no-cache")

    @routes.get("/{address:path}")
    async def screen(request: Request, address: str) -> Response:
        # The API's own addresses, and what looks like a file, are no screens.
        if address.split("/")[0] in ("api", "assets") or "." in address.rsplit("/", 1)[-1]:
            raise Problem("missing")
        # Read anew each time: it names the files that were built with it, also after they were built again.
        nonce = request.state.nonce
        page = check(built).read_text(encoding="utf-8").replace(NONCE, nonce)
        nodes = " ".join(origin(one) for one in media_urls(request.app.state.site.settings))
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": policy(nonce, nodes)}
        return HTMLResponse(page, headers=headers)

    return routes


def _file(folder: Path, name: str, keep: str) -> Response:
    match = _ASSET.fullmatch(name)
    path = folder / name
    if match is None or not path.is_file():
        raise Problem("missing")
    return FileResponse(path, media_type=_TYPES[match[2]], headers={"Cache-Control": keep})
