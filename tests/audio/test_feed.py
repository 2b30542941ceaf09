"""The feed: sound to another process, that can never slow the one it comes from."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest

from audio import feed as feeds
from audio.feed import HEADER, Feed, Kind, Message, unpack
from audio.taps import GapCause, Track

pytestmark = pytest.mark.media

TRACKS = (Track("caller.rx", 8000), Track("operator.tx", 16000))


def wait_for(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.005)


class Listener:
    """Whoever listens at the socket."""

    def __init__(self, path: Path) -> None:
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._server.settimeout(30)
        self._conn, _ = self._server.accept()
        self._conn.settimeout(30)

    def next(self) -> Message:
        message, size = unpack(self._read(HEADER.size))
        return Message(message.kind, message.call, message.track, message.start, self._read(size))

    def _read(self, size: int) -> bytes:
        whole = b""
        while len(whole) < size:
            part = self._conn.recv(size - len(whole))
            assert part
            whole += part
        return whole

    def close(self) -> None:
        self._conn.close()
        self._server.close()


@pytest.fixture
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("f") / "s"


@pytest.fixture
def feed(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Feed]:
    monkeypatch.setattr(feeds, "RETRY_S", 0.02)
    one = Feed(path, most_bytes=100_000)
    one.start()
    yield one
    one.stop()


def call_of(feed: Feed) -> tuple[UUID, list[feeds.FeedTap]]:
    call = uuid4()
    return call, feed.open(call, TRACKS)


def test_a_listener_gets_every_sample_with_its_place_and_the_end(feed: Feed, path: Path) -> None:
    listener = Listener(path)
    wait_for(lambda: feed.listened)
    call, (caller, operator) = call_of(feed)
    caller.write(0, np.arange(160, dtype=np.int16))
    operator.write(320, np.full(320, -5, np.int16))
    operator.gap(640, 320, GapCause.LOSS)
    feed.close(call)
    opening = listener.next()
    assert (opening.kind, opening.call, opening.tracks) == (
        Kind.OPEN, call, {0: ("caller.rx", 8000), 1: ("operator.tx", 16000)},
    )  # fmt: skip
    first, second, gap, end = (listener.next() for _ in range(4))
    assert (first.track, first.start, first.samples.tolist()) == (0, 0, list(range(160)))
    assert (second.track, second.start, second.samples.tolist()) == (1, 320, [-5] * 320)
    assert (gap.kind, gap.start, gap.length) == (Kind.GAP, 640, 320)
    assert (end.kind, end.call) == (Kind.CLOSE, call)
    listener.close()


def test_without_a_listener_nothing_is_kept_and_nothing_waits(feed: Feed) -> None:
    _, (caller, _) = call_of(feed)
    for n in range(5000):
        caller.write(n * 160, np.zeros(160, np.int16))
    assert not feed.listened
    assert feed.dropped == 0


def test_a_listener_that_does_not_read_costs_sound_and_never_time(feed: Feed, path: Path) -> None:
    listener = Listener(path)
    wait_for(lambda: feed.listened)
    _, (caller, _) = call_of(feed)
    for n in range(20_000):
        caller.write(n * 160, np.zeros(160, np.int16))
    assert feed.dropped > 0
    assert feed._waiting <= 100_000
    listener.close()


def test_one_who_comes_late_is_told_of_the_calls_that_go_on(feed: Feed, path: Path) -> None:
    call, (caller, _) = call_of(feed)
    listener = Listener(path)
    wait_for(lambda: feed.listened)
    caller.write(800, np.ones(160, np.int16))
    assert listener.next().call == call
    assert listener.next().start == 800
    listener.close()


def test_a_listener_that_dies_is_found_again(feed: Feed, path: Path) -> None:
    call, (caller, _) = call_of(feed)
    first = Listener(path)
    wait_for(lambda: feed.listened)
    first.close()
    path.unlink()
    wait_for(lambda: not feed.listened)
    second = Listener(path)
    assert second.next().call == call
    wait_for(lambda: feed.listened)
    caller.write(0, np.ones(160, np.int16))
    assert second.next().kind is Kind.SOUND
    second.close()


def test_what_is_masked_goes_to_nobody(feed: Feed, path: Path) -> None:
    listener = Listener(path)
    wait_for(lambda: feed.listened)
    _, (caller, _) = call_of(feed)
    caller.covered = True
    caller.write(0, np.full(160, 77, np.int16))
    caller.covered = False
    caller.write(160, np.full(160, 1, np.int16))
    listener.next()
    masked, after = listener.next(), listener.next()
    assert (masked.kind, masked.length) == (Kind.GAP, 160)
    assert after.samples.tolist() == [1] * 160
    listener.close()


@pytest.mark.parametrize(
    "header", [b"\x00" * HEADER.size, b"\xff" * HEADER.size, b"\x02\x00" + b"\x00" * 16 + b"\xff" * 12]
)
def test_what_is_no_message_is_refused(header: bytes) -> None:
    with pytest.raises(ValueError, match=r"none of ours|not a valid Kind"):
        unpack(header)
