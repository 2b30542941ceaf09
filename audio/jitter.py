"""The jitter buffer: packets go in as they come, slots of sound come out in time and in order.

    put(packet, ticks, now) ──► ordered by timestamp ──► pop(now) ──► Slot (a packet, or a hole and its cause)

It is driven by time, not by packets: a slot falls due at `timestamp / clock + offset` whether its packet came or
not, so a loss is a hole of its own length and never a delay. `offset` keeps the depth between 40 and 200 ms. What is
wanted is what the slowest packets of the last ten seconds needed, but for two half-seconds out of the ordinary, and a
margin: a packet that comes too late is as good as lost, while a stall would be waited for in vain. The depth grows when
the buffer runs empty and is too shallow, and the reader shrinks it with `skip()` when `surplus()` says that a whole
frame could go. Less than a frame it gives back by itself on a line that has been calm for two seconds.

Times are seconds of a monotonic clock that the caller passes in; positions are unwrapped RTP timestamps.
"""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from audio.rtp import Packet, Unwrapper
from audio.taps import GapCause

MAX_PACKETS = 128
MAX_JUMP_S = 2.0
"""A timestamp further than this from where the clock says it should be begins a new stream, or is a stray."""
MAX_SEQUENCE_JUMP = 3000
WINDOW_PACKETS = 256
"""Among so many is the fastest one looked for."""
SPELL_PACKETS = 25
"""Of each spell of so many, the slowest one is remembered."""
SPELLS = 20
SPELLS_AN_EXCEPTION = 10
"""Among so many spells, one may be out of the ordinary: it need not be waited for."""
CALM_SPELLS = 4
"""How long a line must have been calm for the last milliseconds to be given back."""
UNTRUSTED_SPELLS = 120
"""After a packet that came too late, or needed the margin: a minute in which the line is given its whole depth."""
SHORTEST_HOLES = 400
"""At most so many holes a second, which is the least that Opus can say; a packet of one byte may claim to be shorter."""
REMEMBERED = 1024
NEVER = -(1 << 62)
"""No sequence number; those of packets that came before the first one are below zero."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How deep the buffer may be, in seconds."""

    start: float = 0.040
    least: float = 0.040
    most: float = 0.200
    margin: float = 0.020


class Slot(NamedTuple):
    """What is to be played next: a packet, or a hole."""

    timestamp: int
    """Unwrapped RTP timestamp."""
    ticks: int
    packet: Packet | None
    cause: GapCause | None
    """Why there is no packet."""
    inserted: bool = False
    """Lies between two timestamps: time that was won to wait for a packet that is late."""
    next: Packet | None = None
    """In a hole: the packet right after it, if it is here already. It may hold what is missing."""


class Fate(Enum):
    """What became of a packet that was put in."""

    FIRST = "first"
    """It began a new stream (the first packet, a new SSRC, a jump): positions start anew."""
    TAKEN = "taken"
    LATE = "late"
    DUPLICATE = "duplicate"
    STRAY = "stray"
    """It fits no stream; two that fit each other begin a new one."""


@dataclass(slots=True)
class Counts:
    """What became of the packets."""

    received: int = 0
    played: int = 0
    lost: int = 0
    late: int = 0
    duplicate: int = 0
    stray: int = 0
    inserted: int = 0
    skipped: int = 0
    restarts: int = 0


class JitterBuffer:
    """One incoming stream on one RTP clock."""

    def __init__(self, clock_hz: int, depth: Depth | None = None) -> None:
        self.clock_hz = clock_hz
        self.counts = Counts()
        self._depth = depth or Depth()
        self._frame = clock_hz // 50
        self._ssrc: int | None = None
        self._suspect: Packet | None = None
        self._anchor()

    def _anchor(self) -> None:
        self._timestamps = Unwrapper(32)
        self._sequences = Unwrapper(16)
        self._store: dict[int, tuple[Packet, int, int]] = {}
        self._seen = [NEVER] * REMEMBERED
        self._transits: deque[float] = deque(maxlen=WINDOW_PACKETS)
        self._slowest: deque[float] = deque(maxlen=SPELLS)
        self._since_evaluated = 0
        self._wary = SPELLS
        self._untrusted = 0
        self._wanted = self._depth.start
        self._base = 0.0
        self._offset = 0.0
        self._next: int | None = None
        self._last_sequence: int | None = None
        self._silent_from: int | None = None
        self._begun = False
        self.spare = 0.0
        """Seconds of depth that a line which has been calm did not need in ten seconds, beyond the margin."""

    def timestamp_at(self, when: float) -> int:
        """The timestamp that would have come then, as fast as the fastest packet of late."""
        return round((when - self._base) * self.clock_hz)

    @property
    def depth(self) -> float:
        """Seconds from the fastest packet's arrival to its turn."""
        return self._offset - self._base

    @property
    def waiting(self) -> bool:
        """Whether any packet is still to be played."""
        return bool(self._store)

    def followed_by(self, packet: Packet) -> bool:
        """Whether this is the packet right after the newest."""
        newest = self._sequences.last
        return newest is not None and packet.ssrc == self._ssrc and packet.sequence == (newest + 1) & 0xFFFF

    def unwrapped(self, timestamp: int) -> int:
        """An RTP timestamp near those that came, as the growing number that `Slot` has; nothing is remembered."""
        return self._timestamps.peek(timestamp)

    def put(self, packet: Packet, ticks: int, now: float, *, silence: bool = False) -> Fate:
        """Take a packet of `ticks` length in; 0 for one without sound (comfort noise, telephone-event).

        `silence` says that the sender announces with it that nothing may follow for a while.
        """
        self.counts.received += 1
        sequence, timestamp = self._sequences.peek(packet.sequence), self._timestamps.peek(packet.timestamp)
        first = packet.ssrc != self._ssrc or self._jumps(sequence, timestamp, now)
        if first:
            if self._ssrc is not None:
                suspect, self._suspect = self._suspect, packet
                follows = (
                    suspect is not None
                    and suspect.ssrc == packet.ssrc
                    and (suspect.sequence + 1) & 0xFFFF == packet.sequence
                )
                if not follows:
                    self.counts.stray += 1
                    return Fate.STRAY
                self.counts.restarts += 1
            self._anchor()
            self._ssrc = packet.ssrc
            sequence, timestamp = packet.sequence, packet.timestamp
        self._suspect = None
        seen, place = self._seen, sequence % REMEMBERED
        if seen[place] == sequence:
            self.counts.duplicate += 1
            return Fate.DUPLICATE
        seen[place] = sequence
        self._sequences.advance(sequence)
        self._timestamps.advance(timestamp)
        transit = now - timestamp / self.clock_hz
        if first:
            self._base = transit
            self._offset = transit + self._depth.start
            self._next = timestamp
        if silence:
            self._silent_from = timestamp + ticks
        fate = Fate.FIRST if first else Fate.TAKEN
        if ticks == 0:
            return fate
        self._measure(transit)
        if self._next is not None and timestamp < self._next:
            if self._begun:
                self.counts.late += 1
                self._wary = SPELLS
                self._untrusted = UNTRUSTED_SPELLS
                self.spare = 0.0
                return Fate.LATE
            # The very first packets came out of order, and nothing has been played yet.
            self._next = timestamp
        if len(self._store) >= MAX_PACKETS:
            self.counts.stray += 1
            return Fate.STRAY
        self._frame = ticks
        self._store[timestamp] = (packet, ticks, sequence)
        return fate

    def _jumps(self, sequence: int, timestamp: int, now: float) -> bool:
        """Whether a packet of our stream lies too far from where it should to be one of it."""
        newest = self._sequences.last
        if newest is not None and not -MAX_SEQUENCE_JUMP <= sequence - newest <= MAX_SEQUENCE_JUMP:
            return True
        return not -MAX_JUMP_S <= now - timestamp / self.clock_hz - self._base <= MAX_JUMP_S

    def _measure(self, transit: float) -> None:
        self._transits.append(transit)
        if transit < self._base:
            self._base = transit
        self._since_evaluated += 1
        if self._since_evaluated < SPELL_PACKETS:
            return
        self._since_evaluated = 0
        self._wary = max(0, self._wary - 1)
        self._untrusted = max(0, self._untrusted - 1)
        transits = self._transits
        self._base = min(transits)
        self._slowest.append(max(itertools.islice(transits, len(transits) - SPELL_PACKETS, None)))
        ordered = sorted(self._slowest)
        exceptions = (len(ordered) + SPELLS_AN_EXCEPTION // 2) // SPELLS_AN_EXCEPTION
        usual = ordered[-1 - exceptions] - self._base
        self._wanted = min(max(usual + self._depth.margin, self._depth.least), self._depth.most)
        calm = self._calm()
        if calm and 0 < (over := self.surplus()) < self._frame / self.clock_hz:
            # What the first packet was slower than others would be waited for throughout the call. Less than a frame
            # can be had back unheard: what comes next is played that much earlier, once. On a rough line it is of use.
            self._offset -= over
        # An exception need not be waited for, but where there is depth for it, it is not to be lost either.
        # In the first spell of all, one may be slow because everything has to begin.
        if len(self._slowest) > 1 and self._needed(1) > self.depth:
            self._untrusted = UNTRUSTED_SPELLS
        trusted = calm and not self._untrusted
        self.spare = max(0.0, self.depth - self._needed(SPELLS)) if trusted else 0.0

    def _calm(self) -> bool:
        """Whether the line has needed no more than the least depth for a while."""
        least = self._depth.least
        return (
            len(self._slowest) >= CALM_SPELLS and self._wanted <= least and self._needed(CALM_SPELLS) <= least
        )

    def _needed(self, spells: int) -> float:
        """How deep it would have had to be in so many spells of late."""
        return max(list(self._slowest)[-spells:]) - self._base + self._depth.margin

    def pop(self, now: float) -> Slot | None:
        """The next slot, if it is due."""
        at = self._next
        if at is None or now < at / self.clock_hz + self._offset:
            return None
        self._begun = True
        entry = self._store.pop(at, None)
        if entry is not None:
            packet, ticks, sequence = entry
            self._next = at + ticks
            self._last_sequence = sequence
            if self._silent_from is not None and at >= self._silent_from:
                self._silent_from = None
            self.counts.played += 1
            return Slot(at, ticks, packet, None)
        return self._hole(at)

    def _hole(self, at: int) -> Slot:
        length = max(self._frame, self.clock_hz // SHORTEST_HOLES)
        follower: Packet | None = None
        for overlapped in [timestamp for timestamp in self._store if timestamp < at]:
            # The packet before it claimed to be longer than the step to this one.
            del self._store[overlapped]
            self.counts.stray += 1
        if self._store:
            later = min(self._store)
            length = min(length, later - at)
            if later == at + length:
                follower = self._store[later][0]
            silent = not self._missing_before(later)
        else:
            silent = self._silent_from is not None and at >= self._silent_from
        cause = GapCause.SILENCE if silent else GapCause.LOSS
        if not silent and self.surplus() < -self._depth.margin / (2 if self._wary else 1):
            # The best place to grow: the packet may still come, and nothing that came is put off audibly. A line that is
            # known, and on which nothing comes too late, may use the margin up.
            self._offset += length / self.clock_hz
            self.counts.inserted += 1
            return Slot(at, length, None, cause, inserted=True)
        self.counts.lost += not silent
        self._next = at + length
        return Slot(at, length, None, cause, next=follower)

    def _missing_before(self, timestamp: int) -> bool:
        """Whether a packet between the last one played and this one never came."""
        if self._last_sequence is None:
            return True
        between = range(self._last_sequence + 1, self._store[timestamp][2])
        return len(between) >= REMEMBERED or any(self._seen[s % REMEMBERED] != s for s in between)

    def surplus(self) -> float:
        """Seconds of depth beyond what is wanted; negative when it is too shallow."""
        return self.depth - self._wanted

    def skip(self) -> None:
        """Come one frame closer: everything that is still to be played falls due one frame earlier."""
        self._offset -= self._frame / self.clock_hz
        self.counts.skipped += 1

    def wait(self) -> None:
        """Stand one frame further off: the sender's clock runs slower than ours, and what was won is used up."""
        self._offset += self._frame / self.clock_hz
        self.counts.inserted += 1

    def deepen(self, depth: Depth) -> None:
        """Wait longer from now on: for a listener that is in no hurry, such as a recorder."""
        self._depth = depth
        self._wanted = depth.start
        self._offset = max(self._offset, self._base + depth.start)

    def drain(self) -> list[Slot]:
        """All that is still here, in order, at once: at the end of a call."""
        slots: list[Slot] = []
        while self._store:
            slot = self.pop(float("inf"))
            if slot is None:
                break
            slots.append(slot)
        return slots
