"""The service's API as a client of it uses it: signing in, placing a call, asking how it went."""

from __future__ import annotations

import asyncio
import http.cookiejar
import json
import urllib.error
import urllib.request
from typing import Any

from callsvc.errors import CallsvcError, Unavailable

TIMEOUT_S = 20.0


class ServiceRefused(CallsvcError):
    """The service refused what the demonstration asked of it."""


class Api:
    """One signed-in client."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )

    async def sign_in(self, name: str, password: str) -> None:
        await self.post("/api/login", {"name": name, "password": password})

    async def get(self, path: str) -> Any:
        """The JSON of an answer. Raises `ServiceRefused`, `Unavailable`."""
        return json.loads(await asyncio.to_thread(self._ask, "GET", path, None))

    async def post(self, path: str, body: dict[str, object]) -> Any:
        """The JSON of an answer, or None for an empty one. Raises `ServiceRefused`, `Unavailable`."""
        answer = await asyncio.to_thread(self._ask, "POST", path, json.dumps(body).encode())
        return json.loads(answer) if answer else None

    async def download(self, path: str) -> bytes:
        """The bytes of an answer. Raises `ServiceRefused`, `Unavailable`."""
        return await asyncio.to_thread(self._ask, "GET", path, None)

    def _ask(self, method: str, path: str, body: bytes | None) -> bytes:
        headers = {"Content-Type": "application/json", "Origin": self._base}
        request = urllib.request.Request(self._base + path, body, headers, method=method)
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise ServiceRefused(
                    "{method} {path}: {code} {title}",
                    method=method,
                    path=path,
                    code=error.code,
                    title=_title(error.read()),
                ) from None
        except OSError as error:
            raise Unavailable("The service does not answer ({kind}).", kind=type(error).__name__) from None


def _title(raw: bytes) -> str:
    try:
        found = json.loads(raw)
    except ValueError:
        return ""
    return str(found.get("title", "")) if isinstance(found, dict) else ""
