"""Signalling over HTTP, in the manner of WHIP (RFC 9725): an SDP offer in, the answer out; and an operator's commands.

POST   /whip/{call}/{leg}       Authorization: Bearer <token>, Content-Type: application/sdp  ->  201, the answer
DELETE /whip/{call}/{leg}       Authorization: Bearer <token>                                 ->  204
OPTIONS /whip/{call}/{leg}      Authorization: Bearer <token>                                 ->  204, ICE servers in Link
POST   /calls/{call}/commands   Authorization: Bearer <operator's token>, a command as JSON   ->  200, how it went
GET    /calls/{call}/messages   Authorization: Bearer <operator's token>                      ->  200, text/event-stream
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from callsvc.clock import Clock
from callsvc.errors import CallsvcError, UsageError
from callsvc.telephony import metrics, sdp, tokens
from callsvc.telephony.call import Call
from callsvc.telephony.errors import BadCommand, BadOffer, NoSuchLeg, TelephonyError, TokenRefused
from callsvc.telephony.protocol import Message
from callsvc.telephony.switchboard import Switchboard
from callsvc.telephony.turn import Turn
from callsvc.types import Leg

RETRY_AFTER_S = 5
MAX_COMMAND_BYTES = 4096
WAITING = 32
"""Messages that may wait for a page that does not read; of more, the oldest are left out."""
BODY_S = 10.0
"""Time for a client to send its offer."""


def routes(
    switchboard: Switchboard,
    public_key: Callable[[], Ed25519PublicKey],
    clock: Clock,
    turn: Turn | None = None,
    node: str = "",
) -> list[Route]:
    """The endpoints; `public_key` is asked for each time, so that a key may come later or change. `node` is this one's id:
    nodes know nothing of one another, so a token that was used at one is refused by the others by its name alone.
    """

    def claims_of(request: Request, leg: Leg) -> tokens.Claims:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise TokenRefused("none was given")
        call = request.path_params["call"]
        claims = tokens.read(public_key(), clock.utc_now(), token.strip(), call=call, leg=leg)
        if claims.node not in ("", node):
            raise TokenRefused("made for another node")
        return claims

    async def join(request: Request) -> Response:
        try:
            leg = _leg(request)
            claims = claims_of(request, leg)
            if claims.expired(clock.utc_now()):
                raise TokenRefused("expired")
            if request.headers.get("content-type", "").partition(";")[0].strip() != "application/sdp":
                raise BadOffer("send it as application/sdp")
            body = await _body(request, sdp.MAX_BYTES)
            answer = await switchboard.join(request.path_params["call"], leg, claims, body)
        except CallsvcError as error:
            return refusal(error)
        return Response(
            answer, 201, {"Location": request.url.path, "Cache-Control": "no-store"}, "application/sdp"
        )

    async def servers(request: Request) -> Response:
        try:
            claims = claims_of(request, _leg(request))
            if claims.expired(clock.utc_now()):
                raise TokenRefused("expired")
        except CallsvcError as error:
            return refusal(error)
        links = turn.links(clock.utc_now(), claims.subject) if turn else ""
        headers = {"Cache-Control": "no-store", "Accept-Post": "application/sdp"}
        return Response(status_code=204, headers=headers | ({"Link": links} if links else {}))

    async def hang_up(request: Request) -> Response:
        try:
            leg = _leg(request)
            claims = claims_of(request, leg)
            expired = claims.expired(clock.utc_now())
            switchboard.hang_up(request.path_params["call"], leg, claims, expired=expired)
        except CallsvcError as error:
            return refusal(error)
        return Response(status_code=204)

    def commanded(request: Request) -> Call:
        claims = claims_of(request, Leg.OPERATOR)
        expired = claims.expired(clock.utc_now())
        return switchboard.commanded(request.path_params["call"], claims, expired=expired)

    async def command(request: Request) -> Response:
        answers: list[Message] = []
        try:
            call = commanded(request)
            call.command(await _command(request), answers.append)
        except CallsvcError as error:
            return refusal(error)
        return JSONResponse(answers[0], headers={"Cache-Control": "no-store"})

    async def messages(request: Request) -> Response:
        try:
            call = commanded(request)
        except CallsvcError as error:
            return refusal(error)
        return StreamingResponse(
            _told(call), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    on_leg = {"POST": join, "DELETE": hang_up, "OPTIONS": servers}

    async def leg(request: Request) -> Response:
        # One route: whoever asks for anything else (PATCH, to trickle) is told all that there is.
        return await on_leg[request.method](request)

    path = "/whip/{call}/{leg}"
    return [
        Route(path, leg, methods=list(on_leg)),
        Route("/calls/{call}/commands", command, methods=["POST"]),
        Route("/calls/{call}/messages", messages, methods=["GET"]),
    ]


async def _told(call: Call) -> AsyncIterator[str]:
    """What a page beside a SIP phone is told, until the call is over or the page goes."""
    waiting: asyncio.Queue[Message] = asyncio.Queue(WAITING)

    def tell(message: Message) -> None:
        if waiting.full():
            waiting.get_nowait()
        waiting.put_nowait(message)

    stop = call.watch(tell)
    try:
        while True:
            message = await waiting.get()
            yield f"data: {json.dumps(message, separators=(',', ':'))}\n\n"
            if message["t"] == "bye":
                return
    finally:
        stop()


async def _command(request: Request) -> Message:
    body = await _body(request, MAX_COMMAND_BYTES)
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise BadCommand
    return message


def _leg(request: Request) -> Leg:
    try:
        return Leg(request.path_params["leg"])
    except ValueError:
        raise NoSuchLeg("a call has the legs caller and operator") from None


async def _body(request: Request, most: int) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
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
