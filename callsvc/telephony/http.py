"""Signalling over HTTP, in the manner of WHIP (RFC 9725): an SDP offer in, the answer out.

POST   /whip/{call}/{leg}   Authorization: Bearer <token>, Content-Type: application/sdp  ->  201, the answer
DELETE /whip/{call}/{leg}   Authorization: Bearer <token>                                 ->  204
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callsvc.clock import Clock
from callsvc.errors import CallsvcError, UsageError
from callsvc.telephony import metrics, sdp, tokens
from callsvc.telephony.errors import BadOffer, NoSuchLeg, TelephonyError, TokenRefused
from callsvc.telephony.switchboard import Switchboard
from callsvc.types import Leg

RETRY_AFTER_S = 5
BODY_S = 10.0
"""Time for a client to send its offer."""


def routes(switchboard: Switchboard, public_key: Callable[[], Ed25519PublicKey], clock: Clock) -> list[Route]:
    """The two endpoints; `public_key` is asked for each time, so that a key may come later or change."""

    def claims_of(request: Request, leg: Leg) -> tokens.Claims:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise TokenRefused("none was given")
        call = request.path_params["call"]
        return tokens.read(public_key(), clock.utc_now(), token.strip(), call=call, leg=leg)

    async def join(request: Request) -> Response:
        try:
            leg = _leg(request)
            claims = claims_of(request, leg)
            if claims.expired(clock.utc_now()):
                raise TokenRefused("expired")
            body = await _body(request)
            answer = await switchboard.join(request.path_params["call"], leg, claims, body)
        except CallsvcError as error:
            return refusal(error)
        return Response(
            answer, 201, {"Location": request.url.path, "Cache-Control": "no-store"}, "application/sdp"
        )

    async def hang_up(request: Request) -> Response:
        try:
            leg = _leg(request)
            claims = claims_of(request, leg)
            expired = claims.expired(clock.utc_now())
            switchboard.hang_up(request.path_params["call"], leg, claims, expired=expired)
        except CallsvcError as error:
            return refusal(error)
        return Response(status_code=204)

    path = "/whip/{call}/{leg}"
    return [Route(path, join, methods=["POST"]), Route(path, hang_up, methods=["DELETE"])]


def _leg(request: Request) -> Leg:
    try:
        return Leg(request.path_params["leg"])
    except ValueError:
        raise NoSuchLeg("a call has the legs caller and operator") from None


async def _body(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/sdp":
        raise BadOffer("send it as application/sdp")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > sdp.MAX_BYTES:
                    raise BadOffer("too long")
    except (ClientDisconnect, TimeoutError):
        raise BadOffer("it broke off") from None
    return bytes(body)


def _code(error: CallsvcError) -> str:
    """The error's kind in a word that a screen can look up: `token_refused`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()


def refusal(error: CallsvcError) -> Response:
    """An error as a problem document (RFC 9457)."""
    if isinstance(error, TelephonyError):
        status = error.status
    else:
        status = 400 if isinstance(error, UsageError) else 500
    metrics.JOINS_REFUSED.labels(str(status)).inc()
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    content = {"title": error.message, "status": status, "code": _code(error), "hint": error.hint}
    return JSONResponse(content, status, headers, "application/problem+json")
