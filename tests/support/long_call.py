"""A long call in little time: two legs whose clocks are wrong, a line that loses packets, holds and masks.

Each minute both parties clap at one moment; where the clap lies on the recorded tracks says how far they are out of step.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from audio.codecs import PCMA
from audio.rtp import Packet
from audio.taps import GapCause, Samples
from callsvc.telephony.policies import LinePolicy
from tests.support.calls import TwoLegs
from tests.support.legs import Tapes
from tests.support.packets import FRAME_S, Notebook, babble

CLAP_EVERY_S = 20.0
LOUD = 20_000
TICK_S = 0.010


@dataclass
class Lean(Notebook):
    """A tap that keeps gaps and claps, and no sound."""

    rate_hz: int = 8000
    gaps: list[tuple[int, int, GapCause]] = field(default_factory=list)
    claps: list[int] = field(default_factory=list)
    position: int = 0
    in_order: bool = True

    def write(self, start: int, samples: Samples) -> None:
        self._go_on(start, len(samples))
        loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > LOUD // 2)
        if len(loud):
            at = start + int(loud[0])
            if not self.claps or at - self.claps[-1] > self.rate_hz:
                self.claps.append(at)

    def gap(self, start: int, length: int, cause: GapCause) -> None:
        self._go_on(start, length)
        self.gaps.append((start, length, cause))

    def _go_on(self, start: int, length: int) -> None:
        self.in_order &= start == self.position
        self.position = start + length


class LeanTapes(Tapes):
    """A recording that keeps what `Lean` keeps."""

    def open(self, call_id: str, profile: str, tracks: Sequence[object]) -> Tapes:
        super().open(call_id, profile, tracks)  # type: ignore[arg-type]
        self.notebooks = {name: Lean(rate_hz=rate) for name, rate in self.tracks.items()}
        return self


@dataclass(frozen=True)
class Outcome:
    """How the tracks lie at the end."""

    length_s: float
    skews_ms: list[float]
    """Between the two tracks, at each clap that both have."""
    off_ms: list[float]
    """Between a track and the real time, at each clap."""
    concatenated_skew_ms: float
    """Of recordings that just put together what came, at the end."""
    lost: dict[str, int]
    """Frames that were lost outside of holds and masks, by track."""
    listed: dict[str, int]
    """Frames' worth of gaps of the cause loss."""
    whole: bool
    """Every sample was told of exactly once, in order, on every track."""
    masked_s: float
    held_s: float


def stretches(minutes: float) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Holds and masks: half a minute each, from a tenth of the call on."""
    length = minutes * 60
    holds = [(length * 0.2 + 5, length * 0.2 + 35), (length * 0.6 + 5, length * 0.6 + 35)]
    masks = [(length * 0.4 + 5, length * 0.4 + 35), (length * 0.8 + 5, length * 0.8 + 35)]
    return holds, masks


class Sender:
    """One party: a clock that is wrong, and a line."""

    def __init__(self, ppm: float, loss: float, seed: int, seconds: float) -> None:
        self.pace = 1 + ppm / 1e6
        self._chance = random.Random(seed)
        self._loss = loss
        self._frames = _frames(seed)
        self._quiet = PCMA.encoder().encode(np.zeros(160, np.int16))
        self._claps = self._claps_in_frames(seconds)
        self.next = 0
        self.lost_at: list[float] = []
        self.received = 0

    def _claps_in_frames(self, seconds: float) -> dict[int, Samples]:
        found: dict[int, Samples] = {}
        at = CLAP_EVERY_S
        while at < seconds:
            sample = round(at * 8000 * self.pace)
            for n in range(40):
                frame, place = divmod(sample + n, 160)
                found.setdefault(frame, np.zeros(160, np.int16))[place] = LOUD
            at += CLAP_EVERY_S
        return found

    def due(self, now: float) -> list[tuple[float, Packet]]:
        """What comes in until now."""
        packets = []
        # A frame can be sent when its last sample was spoken, by the sender's own clock.
        while (sent := (self.next + 1) * FRAME_S / self.pace) <= now:
            number, spoken_s = self.next, self.next * FRAME_S / self.pace
            self.next += 1
            clap = self._claps.get(number)
            if clap is None and self._chance.random() < self._loss:
                self.lost_at.append(spoken_s)
                continue
            near = abs((spoken_s + 1.0) % CLAP_EVERY_S - 1.0) < 0.7
            talks = spoken_s % 4 < 2 and not near
            payload = self._frames[number % len(self._frames)] if talks else self._quiet
            if clap is not None:
                payload = PCMA.encoder().encode(clap)
            self.received += 1
            packets.append((sent, Packet(8, number & 0xFFFF, number * 160 & 0xFFFFFFFF, 77, payload)))
        return packets


def _frames(seed: int) -> list[bytes]:
    sound = np.clip(babble(8000, 2.0, seed) // 2, -LOUD // 3, LOUD // 3).astype(np.int16)
    encoder = PCMA.encoder()
    return [encoder.encode(sound[at : at + 160]) for at in range(0, len(sound), 160)]


async def long_call(minutes: float, *, ppm: tuple[float, float], loss: float) -> Outcome:
    """Caller and operator with these errors of their clocks, in millionths."""
    seconds = minutes * 60
    tapes = LeanTapes()
    legs = TwoLegs(tapes=tapes, policy=LinePolicy(record=True, keep_raw=False)).join()
    ends = {
        "caller.rx": (legs.caller, Sender(ppm[0], loss, 5, seconds)),
        "operator.tx": (legs.operator, Sender(ppm[1], loss, 6, seconds)),
    }
    holds, masks = stretches(minutes)
    orders = sorted(
        [(at, "hold", on) for pair in holds for at, on in zip(pair, (True, False), strict=True)]
        + [(at, "mask", on) for pair in masks for at, on in zip(pair, (True, False), strict=True)]
    )
    for tick in range(round((seconds + 0.5) / TICK_S)):
        now = (tick + 1) * TICK_S
        came = [
            (at, name, packet)
            for name, (_, sender) in ends.items()
            if now <= seconds
            for at, packet in sender.due(now)
        ]
        for at, name, packet in sorted(came, key=lambda one: one[:2]):
            legs.clock.advance(max(0.0, at - legs.clock.monotonic()))
            ends[name][0].hear(packet)
        legs.clock.advance(now - legs.clock.monotonic())
        while orders and orders[0][0] <= now:
            _, what, on = orders.pop(0)
            fields: dict[str, object] = {"reason": "other"} if what == "mask" and on else {}
            assert legs.command(what, on=on, **fields)["t"] == "done"
        legs.call.tick(now)
        legs.caller.sent.clear()
        legs.operator.sent.clear()
    legs.call.end("hangup")
    return _outcome(legs, tapes, {name: sender for name, (_, sender) in ends.items()}, holds + masks)


def _outcome(
    legs: TwoLegs, tapes: LeanTapes, senders: dict[str, Sender], covered: list[tuple[float, float]]
) -> Outcome:
    books = {name: book for name, book in tapes.notebooks.items() if isinstance(book, Lean)}
    claps: dict[str, dict[int, float]] = {name: {} for name in books}
    for name, book in books.items():
        for at in book.claps:
            seconds = at / book.rate_hz
            claps[name][round(seconds / CLAP_EVERY_S)] = seconds
    both = sorted(set(claps["caller.rx"]) & set(claps["operator.tx"]))
    off = [(claps[name][number] - number * CLAP_EVERY_S) * 1000 for name in books for number in claps[name]]

    end_s = min(sender.next * FRAME_S / sender.pace for sender in senders.values()) - FRAME_S

    def frames(name: str, cause: GapCause) -> float:
        rate = books[name].rate_hz
        return (
            sum(n for at, n, why in books[name].gaps if why is cause and at < end_s * rate) / rate / FRAME_S
        )

    def clear(at: float) -> bool:
        return not any(begin - 0.04 <= at < end + 0.04 for begin, end in covered)

    return Outcome(
        legs.call.length_ms / 1000,
        [round((claps["operator.tx"][n] - claps["caller.rx"][n]) * 1000, 2) for n in both],
        [round(one, 2) for one in off],
        round(abs(senders["caller.rx"].received - senders["operator.tx"].received) * FRAME_S * 1000, 1),
        {name: sum(clear(at) for at in sender.lost_at) for name, sender in senders.items()},
        {name: round(frames(name, GapCause.LOSS)) for name in books},
        all(book.in_order for book in books.values()),
        round(frames("caller.rx", GapCause.MASK) * FRAME_S, 2),
        round(frames("caller.rx", GapCause.HOLD) * FRAME_S, 2),
    )
