"""Who cancels the work on a connection is obeyed, also when the answer of the broker arrives in the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from aiomqtt import MqttError

from callsvc.bus import Ack, Broker, Outbox, connection, publish, subscribe
from callsvc.bus.envelope import Message, dump
from callsvc.types import Event, EventKind

pytestmark = pytest.mark.call


class Received:
    def __init__(self, payload: bytes) -> None:
        self.payload = payload


class Swallowing:
    """A connection that waits as the library does, and is answered in the very turn of the loop it is cancelled in."""

    def __init__(self, swallow: str) -> None:
        self.swallow = swallow
        self.swallowed = asyncio.Event()
        self.uses = 0

    async def __aenter__(self) -> Swallowing:
        self.uses += 1
        await self._answered("connect")
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self.swallow == "farewell":
            raise MqttError("Operation timed out")

    async def subscribe(self, *_args: object, **_options: object) -> None:
        await self._answered("subscribe")

    async def publish(self, *_args: object, **_options: object) -> None:
        await self._answered("publish")

    async def _answered(self, what: str) -> None:
        if what != self.swallow:
            return
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[None] = loop.create_future()
        current = asyncio.current_task()
        assert current is not None
        loop.call_soon(answer.set_result, None)
        loop.call_soon(current.cancel)
        try:
            await answer
        except asyncio.CancelledError:
            self.swallowed.set()  # what `asyncio.wait_for` does before Python 3.12

    @property
    def messages(self) -> AsyncIterator[Received]:
        return self._messages()

    async def _messages(self) -> AsyncIterator[Received]:
        record = {"seq": 1, "prev": 0, "at": "x", "call": str(uuid4()), "kind": "call.ended", "fields": {}}
        yield Received(dump(record, node="node-1", acked=0))
        await asyncio.Event().wait()


class Breaking(Swallowing):
    """A connection on which nothing can be sent."""

    def __init__(self) -> None:
        super().__init__("")

    async def publish(self, *_args: object, **_options: object) -> None:
        await asyncio.sleep(0.02)
        raise MqttError("gone")


async def take(message: Message) -> Ack:
    return Ack(message.node, message.seq)


@pytest.mark.parametrize("swallow", ["connect", "subscribe", "publish"])
@pytest.mark.parametrize("who", ["subscriber", "publisher"])
async def test_a_cancellation_that_the_library_swallows_is_obeyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swallow: str, who: str
) -> None:
    peer = Swallowing(swallow)
    monkeypatch.setattr(connection, "client", lambda *_: peer)

    def resolve() -> Broker:
        return Broker("127.0.0.1", 1)

    if who == "subscriber":
        work = asyncio.create_task(subscribe(resolve, take))
    else:
        outbox = Outbox(tmp_path / "outbox", node="node-1")
        outbox.emit(Event(uuid4(), EventKind.CALL_ENDED, {"cause": "hangup", "length_ms": 1}))
        work = asyncio.create_task(publish(outbox, resolve))
        # The publisher's parts are tasks of their own; what one of them obeys, all do at the end of the group.
    await asyncio.wait_for(peer.swallowed.wait(), 30)
    if who == "publisher":
        # Here a part of it was cancelled; it must have ended for the whole to end.
        work.cancel()
    done, _ = await asyncio.wait([work], timeout=30)
    assert done
    assert work.cancelled()
    assert peer.uses == 1


async def test_a_connection_that_breaks_under_a_group_of_tasks_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.11's task group leaves its parent's count of cancellations raised; that is no cancellation."""
    peers = [Breaking(), Breaking(), Swallowing("")]
    waiting = iter(peers)
    monkeypatch.setattr(connection, "client", lambda *_: next(waiting))
    monkeypatch.setattr(connection, "FIRST_PAUSE_S", 0.01)
    outbox = Outbox(tmp_path / "outbox", node="node-1")
    outbox.emit(Event(uuid4(), EventKind.CALL_ENDED, {"cause": "hangup", "length_ms": 1}))
    work = asyncio.create_task(publish(outbox, lambda: Broker("127.0.0.1", 1), again_s=0.05))
    while not peers[-1].uses:
        await asyncio.sleep(0.01)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work


async def test_a_cancellation_outlives_a_farewell_that_is_not_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    peer = Swallowing("farewell")
    monkeypatch.setattr(connection, "client", lambda *_: peer)
    work = asyncio.create_task(subscribe(lambda: Broker("127.0.0.1", 1), take))
    while not peer.uses:
        await asyncio.sleep(0.01)
    work.cancel()
    done, _ = await asyncio.wait([work], timeout=30)
    assert done
    assert work.cancelled()
