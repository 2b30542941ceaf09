"""Sound to another process of the same machine: what taps hear, over a local socket.

    media loop ── write/gap ──► bounded queue ──► a thread ──► socket ──► whoever listens there

Nothing here can slow or end a call. Nobody listens: what comes is let go. The listener is slow: what does not fit in
the queue is let go and counted, and the listener sees by the sample count that something is missing. When one begins to
listen, it is first told of every call that goes on.

A message is a header, then `size` bytes:

    kind (1)  track (1)  call (16)  start sample (8)  size (4)     little endian

    OPEN    JSON: {"tracks": {"<number>": ["caller.rx", 8000], ...}}
    SOUND   16-bit samples from `start` on
    GAP     how many samples there are not, 8 bytes
    CLOSE   nothing
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from uuid import UUID

import numpy as np

from audio.taps import GapCause, Samples, Track

HEADER = struct.Struct("<BB16sQI")
LENGTH = struct.Struct("<Q")
MOST_BYTES = 8 << 20
"""What may wait: some four minutes of one telephone call, or ten seconds of twenty-five."""
RETRY_S = 0.5
SEND_S = 2.0
LONGEST = 1 << 20


class Kind(IntEnum):
    """What a message tells of: a call begins, sound, a hole in it, the call is over."""

    OPEN = 1
    SOUND = 2
    GAP = 3
    CLOSE = 4


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that a listener is told. `start` and `body` as the kind has them."""

    kind: Kind
    call: UUID
    track: int = 0
    start: int = 0
    body: bytes = b""

    def packed(self) -> bytes:
        """As it goes over the socket."""
        return HEADER.pack(self.kind, self.track, self.call.bytes, self.start, len(self.body)) + self.body

    @property
    def samples(self) -> Samples:
        """Of a SOUND: one int16 a sample, at the track's rate. Raises `ValueError` for half a sample."""
        return np.frombuffer(self.body, "<i2").astype(np.int16)

    @property
    def length(self) -> int:
        """Of a GAP: samples."""
        return LENGTH.unpack(self.body)[0] if len(self.body) == LENGTH.size else 0

    @property
    def tracks(self) -> dict[int, tuple[str, int]]:
        """Of an OPEN: name and rate by number."""
        told = json.loads(self.body)["tracks"]
        return {int(number): (str(name), int(rate)) for number, (name, rate) in told.items()}


def unpack(header: bytes) -> tuple[Message, int]:
    """The message of a header, without its body, and how long that is. Raises `ValueError` for what is no header."""
    kind, track, call, start, size = HEADER.unpack(header)
    if size > LONGEST:
        raise ValueError("a message that long is none of ours")
    return Message(Kind(kind), UUID(bytes=call), track, start), size


class FeedTap:
    """A tap of one track of one call."""

    def __init__(self, feed: Feed, call: UUID, track: int) -> None:
        self._feed = feed
        self._call = call
        self._track = track
        self.covered = False
        """No sound goes out while this is set: what is masked in the recording is nobody else's either."""

    def write(self, start: int, samples: Samples) -> None:
        if not self._feed.listened:
            return
        if self.covered:
            self._gap(start, len(samples))
        else:
            sound = samples.astype("<i2").tobytes()
            self._feed.put(Message(Kind.SOUND, self._call, self._track, start, sound))

    def gap(self, start: int, length: int, cause: GapCause) -> None:
        self._gap(start, length)

    def _gap(self, start: int, length: int) -> None:
        self._feed.put(Message(Kind.GAP, self._call, self._track, start, LENGTH.pack(length)))


class Feed:
    """Sends what taps hear to the one that listens at `path`. `start` and `stop` it."""

    def __init__(self, path: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._path = path
        self._most = most_bytes
        self._queue: deque[Message] = deque()
        self._waiting = 0
        self._lock = threading.Lock()
        self._some = threading.Event()
        self._stop = threading.Event()
        self._open: dict[UUID, Message] = {}
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self.listened = False
        """Whether somebody takes what comes."""
        self.dropped = 0
        """Messages of sound, or of a gap in it, that did not fit."""

    def start(self) -> None:
        """Begin to look for a listener; once."""
        self._thread.start()

    def stop(self) -> None:
        """Send nothing more; waits for what is being sent, three and a half seconds at most."""
        self._stop.set()
        self._some.set()
        if self._thread.is_alive():
            self._thread.join(RETRY_S + SEND_S + 1)

    def open(self, call: UUID, tracks: Sequence[Track]) -> list[FeedTap]:
        """Begin to tell of a call; a tap for each of the tracks."""
        told = {str(n): [track.name, track.rate_hz] for n, track in enumerate(tracks)}
        opening = Message(Kind.OPEN, call, body=json.dumps({"tracks": told}).encode())
        with self._lock:
            self._open[call] = opening
        self.put(opening)
        return [FeedTap(self, call, n) for n in range(len(tracks))]

    def close(self, call: UUID) -> None:
        """The call is over. Any thread; returns at once."""
        with self._lock:
            self._open.pop(call, None)
        self.put(Message(Kind.CLOSE, call))

    def put(self, message: Message) -> None:
        """Any thread; returns at once."""
        if not self.listened:
            return
        with self._lock:
            if message.kind in (Kind.SOUND, Kind.GAP) and self._waiting + len(message.body) > self._most:
                self.dropped += 1
                return
            self._waiting += len(message.body)
            self._queue.append(message)
        self._some.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as out:
                out.settimeout(SEND_S)
                out.connect(str(self._path))
                self._talk(out)
            self.listened = False
            with self._lock:
                self._queue.clear()
                self._waiting = 0
            self._stop.wait(RETRY_S)

    def _talk(self, out: socket.socket) -> None:
        with self._lock:
            self._queue.extend(self._open.values())
            self._waiting += sum(len(one.body) for one in self._open.values())
            self.listened = True
        while not self._stop.is_set():
            self._some.wait(RETRY_S)
            self._some.clear()
            while self._queue:
                with self._lock:
                    message = self._queue.popleft()
                    self._waiting -= len(message.body)
                out.sendall(message.packed())
            if _gone(out):
                return


def _gone(out: socket.socket) -> bool:
    """Whether the listener has hung up: it never sends anything."""
    out.setblocking(False)
    try:
        return out.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        out.settimeout(SEND_S)
