"""A door in which strangers stand: who sends half a question, who reads no answer, and who comes after them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from callsvc import http_door
from callsvc.http_door import Door, Server, Turnstile

pytestmark = pytest.mark.call

MOST = 6
LONG = "x" * 4_000_000


class Narrow(Door):
    most = MOST


async def _short(_request: Request) -> Response:
    return PlainTextResponse("here")


async def _long(_request: Request) -> Response:
    return PlainTextResponse(LONG)


async def _taken(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _late(_request: Request) -> Response:
    """All that was promised at once, and the end of it later: so do answers that are read from a file."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"here"
        await asyncio.sleep(0.1)

    return StreamingResponse(parts(), headers={"Content-Length": "4"})


async def _refused(_request: Request) -> Response:
    return PlainTextResponse("no", 401)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    routes = [
        Route("/short", _short),
        Route("/long", _long),
        Route("/late", _late),
        Route("/taken", _taken, methods=["POST"]),
        Route("/refused", _refused, methods=["POST"]),
    ]
    listening = socket.create_server(("127.0.0.1", 0))
    server = Server(Starlette(routes=routes), Narrow, stop_s=1)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield listening.getsockname()[1]
    server.should_exit = True
    await serving
    listening.close()


async def ask(port: int) -> bytes:
    """What somebody is answered who comes after all the others."""
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /short HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
    return answer


def question(path: str, rest: str = "") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n{rest}".encode()


GET_LONG = b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET /short HTTP/1.1\r\nX-",
        question("/taken", "half"),
        question("/refused"),
        GET_LONG,
        GET_LONG * 50,
    ],
    ids=[
        "nothing",
        "half a head",
        "half a body",
        "a refused half",
        "and reads nothing",
        "and asks on and on",
    ],
)
async def test_a_crowd_of_whatever_kind_keeps_nobody_out(port: int, said: bytes) -> None:
    crowd = []
    for _ in range(3 * MOST):
        stranger = socket.socket()
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stranger.connect(("127.0.0.1", port))
        stranger.sendall(said)
        crowd.append(stranger)
        await asyncio.sleep(0.01)
        assert (await ask(port)).endswith(b"here")

    for stranger in crowd:
        stranger.close()


@pytest.mark.parametrize(
    "said",
    [b"", b"GET /short HTTP/1.1\r\nX-", question("/taken", "half"), question("/refused")],
    ids=["nothing", "half a head", "half a body", "a refused half"],
)
async def test_who_does_not_end_a_question_is_let_go(
    port: int, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_door, "REQUEST_S", 0.2)

    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        # One whole question first: patience is not only for beginners.
        if said:
            writer.write(b"GET /short HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"here")
        writer.write(said)
        while await reader.read(1000):
            pass  # a refusal, perhaps; then the end
        writer.close()


async def test_who_asks_whole_questions_now_and_then_stays(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_door, "REQUEST_S", 0.2)
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(4):
            writer.write(b"GET /short HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"here")
            await asyncio.sleep(0.3)
        writer.close()


async def test_who_has_read_the_whole_answer_may_ask_on_though_the_server_is_not_done(port: int) -> None:
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(b"GET /late HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"here")
        writer.close()


async def test_who_asks_on_early_passes_the_turnstile_as_well(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Narrow, "turnstile", Turnstile(rate=0.001, burst=3))
    got = 0
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                writer.write(b"GET /late HTTP/1.1\r\nHost: x\r\n\r\n")
                await reader.readuntil(b"here")
                got += 1
        writer.close()
    assert got == 3


async def test_who_asks_on_without_waiting_is_answered_once_and_let_go(port: int) -> None:
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /short HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        answers = await reader.read()
        writer.close()
    assert answers.count(b"200 OK") == 1


async def test_an_address_that_asks_too_often_gets_no_answer_until_it_has_waited(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Narrow, "turnstile", Turnstile(rate=0.001, burst=3))
    got = []
    for _ in range(5):
        try:
            got.append(await ask(port))
        except ConnectionError:
            got.append(b"")
    assert [answer.endswith(b"here") for answer in got] == [True, True, True, False, False]


def test_a_turnstile_counts_each_address_for_itself_and_remembers_no_more_than_it_must() -> None:
    stile = Turnstile(rate=2, burst=4)
    assert [stile.lets_in("a", 0) for _ in range(5)] == [True] * 4 + [False]
    assert stile.lets_in("b", 0)
    assert [stile.lets_in("a", 0.5) for _ in range(2)] == [True, False]
    for n in range(3 * Turnstile.MOST_ADDRESSES):
        stile.lets_in(str(n), 1)
    assert len(stile._left) == Turnstile.MOST_ADDRESSES
