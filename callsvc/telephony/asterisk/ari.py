"""Asterisk's REST interface (ARI): requests over HTTP, events over one WebSocket.

Names and numbers of callers pass through here and are neither kept nor logged.
"""

from __future__ import annotations

import asyncio
import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from callsvc.errors import Unavailable

REQUEST_S = 10.0
THREADS = 4
"""Requests at once; each waits for Asterisk in a thread of its own."""
MAX_EVENT_BYTES = 256 * 1024
PING_S = 5.0
"""How often Asterisk must show that it is there; a host that is gone closes no connection."""

SUBPROTOCOL = Subprotocol("ari")

Fields = dict[str, Any]


class AriRefused(Unavailable):
    """Asterisk refused a request, or did not answer it."""

    def __init__(self, status: int) -> None:
        self.status = status
        """The HTTP status; 0 when no answer came."""
        if status:
            super().__init__("Asterisk answered {status}.", status=status)
        else:
            super().__init__("Asterisk did not answer.")


class Ari:
    """One Asterisk. Close it at the end."""

    def __init__(self, url: str, user: str, password: str, app: str) -> None:
        self.app = app
        self._url = url.rstrip("/") + "/ari"
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}"}
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="ari")

    def close(self) -> None:
        """Wait for no request any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def request(self, method: str, path: str, **query: str | int) -> Any:
        """Ask; the answer's JSON, or None. Raises `AriRefused`."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, self._request, method, path, query)
        except RuntimeError:
            raise AriRefused(0) from None  # the pool is closed

    def _request(self, method: str, path: str, query: dict[str, str | int]) -> Any:
        url = self._url + path + ("?" + urllib.parse.urlencode(query) if query else "")
        request = urllib.request.Request(url, method=method, headers=self._headers)
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_S) as answer:
                text = answer.read()
            return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            error.close()
            raise AriRefused(error.code) from None
        except (OSError, ValueError):
            raise AriRefused(0) from None

    async def events(self) -> AsyncIterator[Fields]:
        """Connect and give every event; ends or raises `OSError` or `WebSocketException` when the line is lost.

        Asterisk hands the calls of `app` to us while this runs. The first thing given is `{"type": "Connected"}`.
        """
        query = urllib.parse.urlencode({"app": self.app, "subscribeAll": "false"})
        address = "ws" + self._url.removeprefix("http") + "/events?" + query
        async with connect(
            address,
            additional_headers=self._headers,
            subprotocols=[SUBPROTOCOL],
            max_size=MAX_EVENT_BYTES,
            open_timeout=REQUEST_S,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            proxy=None,
        ) as line:
            yield {"type": "Connected"}
            async for text in line:
                try:
                    event = json.loads(text)
                except (ValueError, RecursionError):
                    continue
                if isinstance(event, dict):
                    yield event
