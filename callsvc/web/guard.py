"""What holds for every question and every answer, whatever the route.

host      the service answers only under its own names, so that no foreign name can be pointed at it
origin    what changes something must come from our own pages (OWASP: Sec-Fetch-Site, else Origin)
size      a question is small
headers   nothing is kept by a cache, framed, sniffed or fetched from elsewhere
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callsvc.web import problems

MAX_BODY: Final = 64 * 1024
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# What is built has its digest in its name and may be kept; nothing else is.
IMMUTABLE: Final = "public, max-age=31536000, immutable"
_NOT_STORED: Final = "private, no-store"


def policy(nonce: str, signalling: str = "") -> str:
    """The content security policy: our own files only, no inline script; the nonce is for the waveform's style.

    `signalling` are the media nodes' origins, the only other places that a screen speaks with: to join a call.
    """
    connect = f"connect-src 'self' {signalling}".rstrip()
    return (
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-" + nonce + "'; img-src 'self' data:;"
        " font-src 'self'; " + connect + "; media-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    )


class Guard:
    """Wraps the app. `hosts` are the names it answers to, without a port; empty answers to any."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], public_url: str = "") -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._public_origin = origin(public_url) if public_url else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _protect(MutableHeaders(scope=message), nonce)
            await send(message)

        refused = self._refusal(scope, headers)
        if refused is not None:
            response = problems.answer(refused, headers.get("accept-language", ""))
            await response(scope, receive, guarded)
            return
        await self._app(scope, _bounded(receive), guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if self._hosts and _name(host) not in self._hosts:
            return "unknown_host"
        if scope["method"] not in _READING and not self._ours(scope, headers, host):
            return "foreign_origin"
        try:
            if int(headers.get("content-length", "0")) > MAX_BODY:
                return "too_large"
        except ValueError:
            return "invalid"
        return None

    def _ours(self, scope: Scope, headers: Headers, host: str) -> bool:
        if site := headers.get("sec-fetch-site"):
            return site == "same-origin"
        if origin := headers.get("origin"):
            here = self._public_origin or f"{scope.get('scheme', 'http')}://{host.lower()}"
            return origin.lower() == here
        return True  # no browser: nobody's cookie is sent without being asked for


def _protect(headers: MutableHeaders, nonce: str) -> None:
    headers.setdefault("Content-Security-Policy", policy(nonce))
    headers.setdefault("Cache-Control", _NOT_STORED)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "microphone=(self), camera=(), geolocation=(), payment=(), usb=()"


def _bounded(receive: Receive) -> Receive:
    """A body without a declared length is cut off at the bound, too."""
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > MAX_BODY:
                raise HTTPException(413)  # FastAPI lets its own kind through while it reads a body
        return message

    return bounded


def _name(host: str) -> str:
    """The host without its port; IPv6 keeps its brackets off."""
    return (urlsplit(f"//{host}").hostname or "").lower()


def origin(url: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def hosts_for(host: str, public_url: str) -> frozenset[str]:
    """The names that a service bound to `host` answers to; none named when it is bound to all and has no address."""
    if host in ("0.0.0.0", "::", "") and not public_url:
        return frozenset()
    names = {"127.0.0.1", "localhost", "::1"}
    if host not in ("0.0.0.0", "::", ""):
        names.add(host)
    if public_url:
        names.add(urlsplit(public_url).hostname or "")
    return frozenset(names)
