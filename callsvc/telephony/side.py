"""One leg as its call sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from audio.receive import Receiver
from audio.rtp import Packet
from audio.suppressor import RATE
from callsvc.telephony import metrics
from callsvc.telephony.connection import Connection
from callsvc.types import Leg


class Owner(Protocol):
    """What the sides of a call tell it."""

    def side_ready(self, side: Side) -> None: ...

    def side_packet(self, side: Side, packet: Packet, now: float) -> None: ...

    def side_channel(self, side: Side) -> None: ...

    def side_message(self, side: Side, message: Mapping[str, object]) -> None: ...

    def side_digit(self, side: Side, digit: str) -> None: ...

    def side_recoded(self, side: Side) -> None: ...

    def side_left(self, side: Side, cause: str) -> None: ...

    def fail(self, error: Exception) -> None: ...


class Side:
    """A connection, its receive path, and which leg it is."""

    def __init__(
        self, owner: Owner, leg: Leg, connection: Connection, token: str, subject: str | None = None
    ) -> None:
        self.leg = leg
        self.connection = connection
        self.token = token
        """Id of the token that joined; it may hang up, too."""
        self.subject = subject
        """Who joined; the same may come back. None: nobody can."""
        self.away = False
        """Lost its connection, and may come back."""
        self.was_ready = False
        rate = RATE if leg is Leg.OPERATOR else connection.codec.rate_hz
        self.receiver = Receiver(connection.codecs, rate)
        self._owner = owner
        self._counted: dict[str, int] = {}
        connection.on_digit, connection.on_recoded = self.on_digit, self.on_recoded

    @property
    def awaited(self) -> bool:
        """Whether this is an operator who has answered and is not there yet: another one could be in that place."""
        return self.leg is Leg.OPERATOR and self.subject is not None and not self.was_ready

    def take_over(self, connection: Connection, token: str) -> Connection:
        """The same party over another connection; what it leaves behind is returned, and says nothing any more."""
        self.count()
        old = self.connection
        old.unlisten(self)
        self.connection = connection
        old.on_digit = old.on_recoded = None
        connection.on_digit, connection.on_recoded = self.on_digit, self.on_recoded
        self.token = token
        self.receiver = Receiver(connection.codecs, self.receiver.rate_hz)
        self._counted = {}
        return old

    def let_go(self) -> None:
        """The call is over and the connection closed: they know one another no longer."""
        connection = self.connection
        connection.unlisten(self)
        connection.on_digit = connection.on_recoded = None

    # Roots of what the network sets off: a fault in it is the call's, and stays in the call.

    def on_packet(self, packet: Packet, now: float) -> None:
        # Apart from the others, for it runs a hundred times a second.
        try:
            if self.receiver.put(packet, now):
                self._owner.side_packet(self, packet, now)
        except Exception as error:
            self._owner.fail(error)

    def on_ready(self) -> None:
        with self._contained():
            self._owner.side_ready(self)

    def on_channel(self) -> None:
        with self._contained():
            self._owner.side_channel(self)

    def on_message(self, message: Mapping[str, object]) -> None:
        with self._contained():
            self._owner.side_message(self, message)

    def on_digit(self, digit: str) -> None:
        with self._contained():
            self._owner.side_digit(self, digit)

    def on_recoded(self) -> None:
        with self._contained():
            self.receiver.agree(self.connection.codecs)
            self._owner.side_recoded(self)

    def on_left(self, cause: str) -> None:
        with self._contained():
            self._owner.side_left(self, cause)

    @contextmanager
    def _contained(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._owner.fail(error)

    def count(self) -> None:
        """Bring the metrics up to date with what the receive path has counted."""
        counts = self.receiver.counts
        figures = {
            "in": counts.received,
            "late": counts.late,
            "lost": counts.lost,
            "duplicate": counts.duplicate,
            "stray": counts.stray,
            "malformed": self.connection.malformed,
            "undecodable": self.receiver.undecodable,
        }
        for fate, total in figures.items():
            metrics.PACKETS.labels(self.leg.value, fate).inc(max(0, total - self._counted.get(fate, 0)))
        self._counted = figures
