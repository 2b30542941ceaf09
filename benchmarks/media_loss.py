"""What is heard of a line that loses packets: our receive path and aiortc's, over the same losses.

    python -m benchmarks.media_loss [--seconds 60]

Speech is sent as PCMA and as Opus over lines of four kinds; each line is a list of which packet comes when. Ours is
`audio.receive.Receiver`; the peer's is the jitter buffer of aiortc with its own capacity and prefetch, the decoder it
uses, and a player that plays what it is given, 20 ms each. Counted are frames that were sent and never played, the delay
from being sent to being played, and PESQ and eSTOI of what comes out. The roughest line is drawn several times, long and
short: how many more frames than were lost are not played. Results go to benchmarks/results/media-loss.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any

import av
import numpy as np
from aiortc.codecs import get_decoder
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RtpPacket
from numpy.typing import NDArray
from pesq import pesq
from pystoi import stoi

from audio.codecs import OPUS, PCMA, Codec, at_rate
from audio.codecs.opus import OpusEncoder
from audio.conceal import joined
from audio.files import read
from audio.receive import Receiver
from audio.resample import whole
from audio.taps import Samples
from tests.support.packets import FRAME_S, Arrival, stream

RESULT = Path(__file__).with_name("results") / "media-loss.json"
TRANSIT_S = 0.010
SETTLED_S = 1.0
"""How long after a disturbance the delay must be back."""
NEAR_S = 0.020
SCORED_S = 8.0
"""Stretches that are scored at once."""

DRAWS = range(8)
LENGTHS_S = (40.0, 60.0, 180.0)

Line = list[float | None]
"""For each packet how much later than usual it comes, in seconds; None: never."""


@dataclass(frozen=True)
class Heard:
    """What came out: the sound, and when each frame that was sent was played (-1: never)."""

    sound: Samples
    delays: NDArray[np.float64]


def lines(count: int) -> dict[str, Line]:
    """The four kinds of line."""
    chance = random.Random(7)
    single: Line = [None if chance.random() < 0.01 else 0.0 for _ in range(count)]
    bursts: Line = [None if n % 200 in range(100, 105) else 0.0 for n in range(count)]
    reorder: Line = [0.030 if chance.random() < 0.03 else 0.0 for _ in range(count)]
    return {"1 % lost at random": single, "bursts of 100 ms": bursts, "3 % out of order": reorder,
            "5 % lost, jitter": rough(count, chance)}  # fmt: skip


def rough(count: int, chance: random.Random) -> Line:
    return [
        None if chance.random() < 0.05 else min(0.060, chance.expovariate(1 / 0.008)) for _ in range(count)
    ]


def arrivals(frames: list[bytes], codec: Codec, number: int, line: Line) -> list[Arrival]:
    sent = stream(frames, codec=codec, payload_type=number, transit_s=TRANSIT_S)
    came = [
        Arrival(one.at + late, one.packet) for one, late in zip(sent, line, strict=True) if late is not None
    ]
    return sorted(came, key=lambda one: one.at)


def ours(frames: list[bytes], codec: Codec, number: int, line: Line, rate_hz: int) -> Heard:
    receiver = Receiver({number: codec}, rate_hz)
    receiver.start(0.0)
    waiting = arrivals(frames, codec, number, line)
    first = stream(frames[:1], codec=codec, payload_type=number)[0].packet.timestamp
    delays = np.full(len(frames), -1.0)
    parts: list[Samples] = []
    clock = 0.0
    at, tick = 0, 0
    while tick * 0.010 < len(frames) * FRAME_S + 0.5:
        tick += 1
        now = tick * 0.010
        while at < len(waiting) and waiting[at].at <= now:
            receiver.put(waiting[at].packet, waiting[at].at)
            at += 1
        for heard in receiver.pop(now):
            if not heard.played:
                continue
            clock = max(clock, now)
            if heard.cause is None and heard.start is not None:
                # Told by its timestamp: the place alone is off by what the first packet was slower than the others.
                begin = receiver.place_of(first) or 0
                place = round((heard.start - begin) / rate_hz / FRAME_S)
                if 0 <= place < len(frames):
                    delays[place] = clock - place * FRAME_S
            if not parts:
                parts.append(np.zeros(round(clock * rate_hz), np.int16))
            parts.append(joined(heard.samples, heard.lead))
            clock += len(heard.samples) / rate_hz
    return Heard(np.concatenate(parts), delays)


def theirs(frames: list[bytes], codec: Codec, number: int, line: Line, rate_hz: int) -> Heard:
    buffer = JitterBuffer(capacity=16, prefetch=4)
    stereo = codec is OPUS
    parameters = RTCRtpCodecParameters(
        mimeType=f"audio/{codec.name}", clockRate=codec.clock_hz, channels=2 if stereo else 1,
        payloadType=number,
    )  # fmt: skip
    decoder = get_decoder(parameters)
    delays = np.full(len(frames), -1.0)
    first = stream(frames, codec=codec, payload_type=number)[0].packet.timestamp
    ticks = codec.clock_hz // 50
    parts: list[Samples] = []
    played = 0.0
    for one in arrivals(frames, codec, number, line):
        packet = RtpPacket(
            payload_type=number, sequence_number=one.packet.sequence, timestamp=one.packet.timestamp
        )
        packet._data = one.packet.payload  # type: ignore[attr-defined]
        _, frame = buffer.add(packet)
        if frame is None:
            continue
        place = ((frame.timestamp - first) & 0xFFFFFFFF) // ticks
        begin = max(played, one.at)
        if begin > played:
            parts.append(np.zeros(round((begin - played) * rate_hz), np.int16))
        delays[place] = begin - place * FRAME_S
        for decoded in decoder.decode(frame):
            assert isinstance(decoded, av.AudioFrame)
            sound = decoded.to_ndarray().reshape(-1)[:: 2 if stereo else 1].astype(np.float32)
            parts.append(whole(sound, decoded.sample_rate, rate_hz).astype(np.int16))
        played = begin + FRAME_S
    return Heard(np.concatenate(parts), delays)


def scores(source: Samples, heard: Heard, rate_hz: int, usual_s: float) -> dict[str, float]:
    """PESQ and eSTOI of stretches, each found where it lies best within half a second of its usual place."""
    found_pesq, found_stoi = [], []
    size, reach = round(SCORED_S * rate_hz), round(0.5 * rate_hz)
    sound = np.concatenate([heard.sound, np.zeros(2 * reach, np.int16)]).astype(np.float64)
    for start in range(0, len(source) - size + 1, size):
        part = source[start : start + size].astype(np.float64)
        begin = max(0, start + round(usual_s * rate_hz) - reach)
        around = sound[begin : begin + size + 2 * reach]
        if len(around) < size:
            break
        length = len(around) + len(part)
        cross = np.fft.irfft(np.fft.rfft(around, length) * np.conj(np.fft.rfft(part, length)), length)
        lag = int(cross[: len(around) - size + 1].argmax())
        piece = around[lag : lag + size]
        found_pesq.append(pesq(rate_hz, part, piece, "nb" if rate_hz == 8000 else "wb"))
        found_stoi.append(stoi(part, piece, rate_hz, extended=True))
    return {"pesq": round(float(np.mean(found_pesq)), 3), "estoi": round(float(np.mean(found_stoi)), 3)}


def counted(line: Line) -> NDArray[np.bool_]:
    """All packets but those of the last second: they may still be under way when the sending ends."""
    return np.arange(len(line)) < len(line) - round(1 / FRAME_S)


def losses(heard: Heard, line: Line) -> dict[str, int]:
    lost = np.array([late is None for late in line])
    inner = counted(line)
    return {"lost": int((lost & inner).sum()), "not_played": int(((heard.delays < 0) & inner).sum())}


def figures(source: Samples, heard: Heard, line: Line, rate_hz: int) -> dict[str, Any]:
    delays = heard.delays
    played = delays >= 0
    inner = counted(line)
    usual_s = float(np.median(delays[played][:200]))
    target_s = float(np.percentile(delays[played & inner], 5))
    disturbed = [n for n, late in enumerate(line) if late is None or late > NEAR_S]
    after = [n + round(SETTLED_S / FRAME_S) for n in disturbed]
    late_again = [float(delays[n] - target_s) for n in after if n < len(line) - 50 and played[n]]
    return {
        **losses(heard, line),
        "delay_ms": round(float(np.median(delays[played & inner])) * 1000, 1),
        "delay_p99_ms": round(float(np.percentile(delays[played & inner], 99)) * 1000, 1),
        "over_target_1_s_after_ms": round(float(np.percentile(late_again, 95)) * 1000, 1)
        if late_again
        else None,
        **scores(source, heard, rate_hz, usual_s),
    }


def speech(seconds: float, rate_hz: int) -> Samples:
    """Voices without long pauses."""
    folder = Path(str(resources.files("callsvc.demo"))) / "scene" / "voices"
    parts = [read(file, rate_hz) for file in sorted(folder.glob("*.ogg"))]
    voice = np.concatenate(parts)
    return np.resize(voice, round(seconds * rate_hz))


def encoded(sound: Samples, codec: Codec, *, correcting: bool) -> list[bytes]:
    encoder = codec.encoder()
    if isinstance(encoder, OpusEncoder) and correcting:
        encoder.expect_loss(0.05)
    frame = codec.frame_samples
    return [encoder.encode(sound[at : at + frame]) for at in range(0, len(sound) - frame + 1, frame)]


def drawn() -> list[dict[str, Any]]:
    """The roughest line again and again, as PCMA."""
    rows = []
    for seconds in LENGTHS_S:
        frames = encoded(speech(seconds, 8000), PCMA, correcting=False)
        row: dict[str, Any] = {"line": "5 % lost, jitter", "seconds": seconds, "lost": []}
        for draw in DRAWS:
            line = rough(len(frames), random.Random(draw))
            for who, way in (("ours", ours), ("theirs", theirs)):
                found = losses(way(frames, PCMA, 8, line, 8000), line)
                row.setdefault(f"{who}_more_than_lost", []).append(found["not_played"] - found["lost"])
            row["lost"].append(found["lost"])
        rows.append(row)
        print(json.dumps(row))
    return rows


def measure(seconds: float) -> dict[str, Any]:
    rows = []
    kinds: list[tuple[str, Codec, int, int, bool]] = [
        ("PCMA", PCMA, 8, 8000, False),
        ("Opus", OPUS, 96, 16000, False),
        ("Opus with correction", OPUS, 96, 16000, True),
    ]
    for name, codec, number, rate_hz, correcting in kinds:
        sound = speech(seconds, rate_hz)
        frames = encoded(sound, at_rate(codec, rate_hz), correcting=correcting)
        for kind, line in lines(len(frames)).items():
            row: dict[str, Any] = {"codec": name, "line": kind}
            ways: dict[str, Callable[[list[bytes], Codec, int, Line, int], Heard]] = {
                "ours": ours,
                "theirs": theirs,
            }
            for who, way in ways.items():
                row[who] = figures(sound, way(frames, codec, number, line, rate_hz), line, rate_hz)
            row["ratio_not_played"] = round(
                row["ours"]["not_played"] / max(1, row["theirs"]["not_played"]), 3
            )
            row["pesq_gain"] = round(row["ours"]["pesq"] - row["theirs"]["pesq"], 3)
            rows.append(row)
            print(json.dumps(row))
    return {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "peer": f"aiortc {version('aiortc')}: its jitter buffer and decoder",
        "seconds": seconds,
        "targets": {"not_played": "<= lost", "over_target_1_s_after_ms": 20},
        "rows": rows,
        "drawn": drawn(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    result = measure(parser.parse_args().seconds)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
