"""One connection to the broker, and the patience to make the next.

The library waits with `asyncio.wait_for`, which (before Python 3.12) drops a cancellation that arrives in the same
turn of the loop as the answer. Whoever cancelled then waits for ever. So each use of a connection goes through
`heeding`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar
from uuid import uuid4

import aiomqtt

from callsvc import logs
from callsvc.bus.address import Broker, Resolve
from callsvc.errors import Unavailable

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
# A broker that stands still is noticed after about one and a half of these.
KEEPALIVE_S = 10
TIMEOUT_S = 10.0
T = TypeVar("T")


def client(broker: Broker, role: str, will: aiomqtt.Will | None = None) -> aiomqtt.Client:
    """A clean session: what the broker forgets, the outbox sends again."""
    return aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.user or None,
        password=broker.password or None,
        identifier=f"callsvc-{role}-{uuid4().hex[:12]}",
        protocol=aiomqtt.ProtocolVersion.V311,
        clean_session=True,
        keepalive=KEEPALIVE_S,
        timeout=TIMEOUT_S,
        max_queued_incoming_messages=2000,
        will=will,
        tls_context=ssl.create_default_context() if broker.tls else None,
    )


async def keep_connected(
    resolve: Resolve,
    role: str,
    use: Callable[[aiomqtt.Client], Awaitable[None]],
    *,
    will: aiomqtt.Will | None = None,
) -> None:
    """Connect, `use` the connection until it breaks, and again, until cancelled. `will`: said when it breaks."""
    log = logs.get("bus")
    pause = FIRST_PAUSE_S
    told = False
    while True:
        try:
            connection = client(resolve(), role, will)
            try:
                async with _opened(connection):
                    log.info("broker_connected", role=role)
                    pause, told = FIRST_PAUSE_S, False
                    await use(connection)
            finally:
                _settle(connection)
        except* (aiomqtt.MqttError, OSError, Unavailable) as group:
            if not told:
                told = True
                log.warning("broker_away", role=role, kind=type(group.exceptions[0]).__name__)
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_S)


async def heeding(asked: Awaitable[T]) -> T:
    """What `asked` gives; but when this task was cancelled meanwhile and a library swallowed that, it ends here.

    Counts only what came while `asked` ran: a task group in Python 3.11 may leave the count of its parent raised.
    """
    before = _cancels()
    answer = await asked
    _obey(before)
    return answer


@asynccontextmanager
async def _opened(connection: aiomqtt.Client) -> AsyncIterator[None]:
    before = _cancels()
    await connection.__aenter__()
    try:
        _obey(before)
        yield
    except asyncio.CancelledError:
        # A farewell that the broker does not answer is no reason to go on.
        with suppress(aiomqtt.MqttError, OSError):
            await connection.__aexit__(None, None, None)
        raise
    except BaseException:
        await heeding(connection.__aexit__(None, None, None))
        raise
    await heeding(connection.__aexit__(None, None, None))


def _cancels() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task else 0


def _obey(before: int) -> None:
    if _cancels() > before:
        raise asyncio.CancelledError


def _settle(connection: aiomqtt.Client) -> None:
    """Look at how the connection ended, for the library complains at exit of an ending that nobody looked at."""
    ending = getattr(connection, "_disconnected", None)
    if isinstance(ending, asyncio.Future) and ending.done() and not ending.cancelled():
        ending.exception()
