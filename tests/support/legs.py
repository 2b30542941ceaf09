"""Both ends of a leg without a network, and what a call tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar
from uuid import UUID

import numpy as np

from audio.codecs import Codec
from audio.rtp import Packet
from audio.taps import Samples, Tap, Track
from callsvc.clock import Clock
from callsvc.telephony.connection import Connection
from callsvc.telephony.out import OutStream
from callsvc.types import Event, EventKind
from tests.support.packets import Notebook

CALL = UUID("3f0c9c1e-52d8-4d0e-9f5e-6f3d8a7b1c20")


class PipedConnection(Connection):
    """A connection whose peer is the test: what it sends is kept, what it hears is put in by hand."""

    transport: ClassVar[str] = "rtp"

    may_return: ClassVar[bool] = True

    def __init__(self, codecs: Mapping[int, Codec], clock: Clock, *, ready: bool = True) -> None:
        super().__init__(codecs, OutStream(7, 100, 1000), clock)
        self.ready = ready
        self.sent: list[Packet] = []
        self.told: list[Mapping[str, object]] = []
        self.closed = False

    def _transmit(self, packet: Packet) -> None:
        self.sent.append(packet)

    def tell(self, message: Mapping[str, object]) -> None:
        self.told.append(message)

    async def close(self) -> None:
        self.closed = True

    def hear(self, packet: Packet) -> None:
        """The peer sends a packet."""
        self._heard(packet)

    def say(self, message: Mapping[str, object]) -> None:
        """The peer sends a message."""
        self._message(message)

    def leave(self, cause: str) -> None:
        """The peer goes."""
        self._leave(cause)

    def connect(self) -> None:
        """Sound can flow."""
        self._become_ready()

    def sound(self, codec: Codec) -> Samples:
        """What the peer heard so far."""
        decoder = codec.decoder()
        return np.concatenate([decoder.decode(packet.payload) for packet in self.sent])


class Events:
    """An event sink that remembers."""

    def __init__(self) -> None:
        self.all: list[Event] = []

    def emit(self, event: Event) -> None:
        self.all.append(event)

    @property
    def kinds(self) -> list[EventKind]:
        return [event.kind for event in self.all]

    def of(self, kind: EventKind) -> list[Mapping[str, object]]:
        """The fields of all events of a kind."""
        return [event.fields for event in self.all if event.kind is kind]


class Status:
    """A recording's condition."""

    def __init__(self, condition: str = "recording", why: str = "") -> None:
        self.condition = condition
        self.why = why
        self.safe_ms = 0
        self.masked_ms = 0


class Tapes:
    """A recording that keeps all in memory, or refuses."""

    def __init__(self, *, full: bool = False) -> None:
        self.full = full
        self.status = Status()
        self.tracks: dict[str, int] = {}
        self.notebooks: dict[str, Notebook] = {}
        self.notes: list[tuple[int, dict[str, object]]] = []
        self.masks: list[str | None] = []
        """Reasons of masks, None where one ended."""
        self.closed: tuple[dict[str, int], str] | None = None

    def open(self, call_id: str, profile: str, tracks: Sequence[Track]) -> Tapes:
        if self.full:
            raise OSError(28, "No space left on device")
        self.tracks = {track.name: track.rate_hz for track in tracks}
        self.notebooks = {track.name: Notebook() for track in tracks}
        return self

    def tap(self, track: str) -> Tap:
        return self.notebooks[track]

    def note(self, at_ms: int, content: dict[str, object]) -> None:
        self.notes.append((at_ms, content))

    def mask(self, reason: str) -> None:
        self.masks.append(reason)

    def unmask(self) -> None:
        self.masks.append(None)

    def close(self, lengths: Mapping[str, int], cause: str) -> None:
        self.closed = (dict(lengths), cause)

    def state(self, call_id: str) -> Status:
        return self.status
