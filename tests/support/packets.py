"""Packets to put into a receive path: a sound cut up, with a list that says which are lost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from audio.codecs import PCMA, Codec
from audio.receive import Heard, Receiver
from audio.rtp import Packet
from audio.taps import GapCause, Samples

FRAME_S = 0.020
SSRC = 0x1234


@dataclass(frozen=True, slots=True)
class Arrival:
    """A packet and when it comes, in seconds."""

    at: float
    packet: Packet


def tone(rate_hz: int, seconds: float, hz: float = 440.0, peak: int = 8000) -> Samples:
    """A sine."""
    return (peak * np.sin(2 * np.pi * hz * np.arange(round(rate_hz * seconds)) / rate_hz)).astype(np.int16)


def babble(rate_hz: int, seconds: float, seed: int = 1) -> Samples:
    """Noise without repetition, so that every stretch of it can be found again by correlation."""
    noise = np.random.default_rng(seed).normal(0, 1, round(rate_hz * seconds) + 8)
    smooth = np.convolve(noise, np.hanning(8), "valid")[: round(rate_hz * seconds)]
    return np.clip(smooth * 2500, -30000, 30000).astype(np.int16)


def payloads(samples: Samples, codec: Codec = PCMA) -> list[bytes]:
    """The sound as frames of 20 ms."""
    encoder = codec.encoder()
    frame = codec.frame_samples
    return [encoder.encode(samples[at : at + frame]) for at in range(0, len(samples) - frame + 1, frame)]


def stream(
    frames: Iterable[bytes],
    *,
    lost: Collection[int] = (),
    codec: Codec = PCMA,
    payload_type: int = 8,
    first_sequence: int = 65_530,
    first_timestamp: int = 0xFFFFFF00,
    ssrc: int = SSRC,
    start_s: float = 0.0,
    transit_s: float = 0.010,
) -> list[Arrival]:
    """The frames as packets sent every 20 ms; by default both counters soon wrap."""
    return [
        Arrival(
            start_s + index * FRAME_S + transit_s,
            Packet(
                payload_type,
                (first_sequence + index) & 0xFFFF,
                (first_timestamp + index * codec.clock_hz // 50) & 0xFFFFFFFF,
                ssrc,
                payload,
                index == 0,
            ),
        )
        for index, payload in enumerate(frames)
        if index not in lost
    ]


def delayed(arrivals: Iterable[Arrival], by_s: dict[int, float]) -> list[Arrival]:
    """The same packets, some later than they were; in the order of their arrival."""
    moved = [replace(one, at=one.at + by_s.get(index, 0.0)) for index, one in enumerate(arrivals)]
    return sorted(moved, key=lambda one: one.at)


def play(receiver: Receiver, arrivals: Iterable[Arrival], step_s: float = 0.010) -> Iterator[Heard]:
    """Run a receive path on a clock of our own: what comes goes in, what is due comes out, and at last what waits."""
    waiting = sorted(arrivals, key=lambda one: one.at)
    tick = 0
    while waiting:
        tick += 1
        now = tick * step_s
        while waiting and waiting[0].at <= now:
            arrival = waiting.pop(0)
            receiver.put(arrival.packet, arrival.at)
        yield from receiver.pop(now)
    yield from receiver.drain()


class Notebook:
    """A tap that writes down what it is told."""

    def __init__(self) -> None:
        self.samples: list[Samples] = []
        self.gaps: list[tuple[int, int, GapCause]] = []
        self.order: list[tuple[int, int]] = []

    def write(self, start: int, samples: Samples) -> None:
        self.samples.append(samples)
        self.order.append((start, len(samples)))

    def gap(self, start: int, length: int, cause: GapCause) -> None:
        self.gaps.append((start, length, cause))
        self.order.append((start, length))

    @property
    def whole(self) -> bool:
        """Whether every sample was told of exactly once, in order."""
        position = 0
        for start, length in self.order:
            if start != position:
                return False
            position += length
        return True

    @property
    def sound(self) -> Samples:
        """The track, with silence in its gaps."""
        track = np.zeros(sum(length for _, length in self.order), np.int16)
        written = iter(self.samples)
        gaps = {start for start, _, _ in self.gaps}
        for start, length in self.order:
            if start not in gaps:
                track[start : start + length] = next(written)
        return track


def key(event: int, timestamp: int, *, end: bool = False, sequence: int = 0) -> Packet:
    """A packet of a key that is pressed on a telephone (RFC 4733)."""
    return Packet(101, sequence, timestamp, 9, bytes([event, 0x80 * end | 10, 0, 160]))
