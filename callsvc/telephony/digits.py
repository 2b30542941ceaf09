"""Digits of a telephone's keys as RFC 4733 has them: read from a peer's packets, and made for a stream of our own."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from audio.rtp import Packet

DIGITS: Final = "0123456789*#ABCD"
STEP_S: Final = 0.020
"""Between two packets of a digit."""
STEPS: Final = 5
"""Packets while a key is down: 100 ms, which every receiver takes for one press."""
ENDS: Final = 3
"""Times that its end is said, in case one is lost."""
PAUSE_STEPS: Final = 3
"""Between two digits."""
MOST: Final = 32
"""Digits that wait to be sent."""
PER_SECOND: Final = 12
"""Presses that are heard; nobody's finger does more."""
_VOLUME: Final = 10
_END: Final = 0x80


def at_clock(payload: bytes, from_hz: int, to_hz: int) -> bytes:
    """The payload of a digit's packet where the stream that it goes into has another clock: its length alone changes."""
    if from_hz == to_hz or len(payload) < 4:
        return payload
    length = int.from_bytes(payload[2:4], "big") * to_hz // from_hz
    return payload[:2] + min(0xFFFF, length).to_bytes(2, "big") + payload[4:]


class Step(NamedTuple):
    """One packet of a digit."""

    payload: bytes
    begins: bool


class Heard:
    """Tells each press of a peer's keys once, whatever is lost or repeated of its packets."""

    def __init__(self) -> None:
        self._told: int | None = None
        self._lately: deque[float] = deque(maxlen=PER_SECOND)

    def take(self, packet: Packet, now: float) -> str | None:
        """The digit, when this packet is the first of a press."""
        if len(packet.payload) < 4 or packet.payload[0] >= len(DIGITS) or packet.timestamp == self._told:
            return None
        if self._told is not None and (packet.timestamp - self._told) & 0x8000_0000:
            return None  # of a press before the last: it came late
        self._told = packet.timestamp
        if len(self._lately) == PER_SECOND and now - self._lately[0] < 1.0:
            return None
        self._lately.append(now)
        return DIGITS[packet.payload[0]]


class ToPress:
    """Digits on their way to a peer: what is to be sent at each step."""

    def __init__(self, clock_hz: int) -> None:
        self._ticks = round(clock_hz * STEP_S)
        self._digits: deque[str] = deque()
        self._steps: deque[Step | None] = deque()

    def add(self, digit: str) -> bool:
        """One more; False when too many wait."""
        if len(self._digits) >= MOST:
            return False
        self._digits.append(digit)
        return True

    def __bool__(self) -> bool:
        return bool(self._digits or self._steps)

    def next(self) -> Step | None:
        """What is due now; None in the pause between two digits."""
        if not self._steps:
            self._steps.extend(self._spelled(self._digits.popleft()))
        return self._steps.popleft()

    def _spelled(self, digit: str) -> list[Step | None]:
        event = DIGITS.index(digit)

        def payload(steps: int, end: int = 0) -> bytes:
            return bytes([event, end | _VOLUME]) + min(0xFFFF, steps * self._ticks).to_bytes(2, "big")

        down = [Step(payload(n), n == 1) for n in range(1, STEPS)]
        up = [Step(payload(STEPS, _END), False)] * ENDS
        return [*down, *up, *[None] * PAUSE_STEPS]
