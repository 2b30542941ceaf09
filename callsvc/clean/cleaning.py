"""A file made quiet: read, cleaned and written in pieces, so that its length costs time and no memory."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from av.error import FFmpegError

from audio.suppressor import RATE, Network, Proof, Stroke
from callsvc.clean.channel import Channel, Float
from callsvc.clean.errors import AlreadyThere, NoSuchChannel, NotWritable, SameFile, UnknownFormat
from callsvc.clean.sound import WRITABLE, Shape, Source, sink
from callsvc.pictures import Spectrogram

PIECE_S = 1.0
"""Seconds handled at a time, whatever the size of the file's own frames."""
LEAST_MISSING_S = 0.5
"""Codecs pad; what is less than this is not missing."""

Progress = Callable[[float], None]
"""Told how many seconds are done."""


@dataclass(frozen=True)
class Cleaned:
    """What became of one channel."""

    channel: int
    """From 1."""
    strokes: list[Stroke]
    proof: Proof


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    source: Path
    result: Path
    shape: Shape
    seconds: float
    took_s: float
    missing_s: float
    """What the source states and does not hold, or what of it could not be decoded and is silent now."""
    channels: list[Cleaned]
    before: Spectrogram | None = field(compare=False)
    """The first cleaned channel, where pictures were asked for."""
    after: Spectrogram | None = field(compare=False)


def check(source: Path, result: Path, force: bool) -> None:
    """Whether the result may be written. Raises SameFile, AlreadyThere, UnknownFormat."""
    if result.suffix.lower() not in WRITABLE:
        raise UnknownFormat(result.suffix)
    if result.exists():
        if source.exists() and result.samefile(source):
            raise SameFile(result)
        if not force:
            raise AlreadyThere(result)


def clean(
    network: Network,
    source: Path,
    result: Path,
    *,
    channel: int | None = None,
    comfort: bool = False,
    force: bool = False,
    pictures: bool = False,
    progress: Progress = lambda seconds: None,
    monotonic: Callable[[], float] = time.perf_counter,
) -> Outcome:
    """Take the typing out of every channel of a file, or out of one (from 1) and leave the others as they are.

    The result is as long as the source and in step with it. It appears under its name when it is whole.
    """
    check(source, result, force)
    began = monotonic()
    sound = Source(source)
    shape = sound.shape
    if channel is not None and not 1 <= channel <= shape.channels:
        raise NoSuchChannel(channel, shape.channels)
    wanted = [channel - 1] if channel is not None else list(range(shape.channels))
    lanes = {n: Channel(network, shape.rate_hz, comfort) for n in wanted}
    before, after = (Spectrogram(shape.rate_hz), Spectrogram(shape.rate_hz)) if pictures else (None, None)
    part = result.with_name(f".{result.name}.part")
    done = 0
    try:
        result.parent.mkdir(parents=True, exist_ok=True)
        out = sink(part, result.suffix, shape.rate_hz, shape.channels)
        waiting: list[list[Float]] = [[] for _ in range(shape.channels)]
        for piece, last in _evenly(sound, int(shape.rate_hz * PIECE_S)):
            if before is not None:
                before.add(piece[:, wanted[0]])
            ready = [
                lanes[n].feed(piece[:, n], last) if n in lanes else piece[:, n] for n in range(shape.channels)
            ]
            for n, samples in enumerate(ready):
                waiting[n].append(samples)
            block = _aligned(waiting)
            if after is not None:
                after.add(block[:, wanted[0]])
            out.write(block)
            done += len(block)
            progress(done / shape.rate_hz)
        out.close()
        os.replace(part, result)
    except (OSError, FFmpegError) as error:
        raise NotWritable(result, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    found = [Cleaned(n + 1, lanes[n].suppressor.strokes, lanes[n].suppressor.proof()) for n in wanted]
    seconds = done / shape.rate_hz
    missing = sound.unread_s + max(0.0, (shape.seconds or 0.0) - seconds)
    if missing < LEAST_MISSING_S:
        missing = 0.0
    return Outcome(source, result, shape, seconds, monotonic() - began, missing, found, before, after)


def stroke_seconds(cleaned: Cleaned) -> list[float]:
    """When the strokes of a channel were."""
    return [stroke.at_samples / RATE for stroke in cleaned.strokes]


def _evenly(sound: Source, size: int) -> Iterator[tuple[Float, bool]]:
    """Pieces of `size` samples, and whether each is the last; there is always a last one, be it empty."""
    held: list[Float] = []
    count = 0
    for piece in sound.pieces():
        held.append(piece)
        count += len(piece)
        if count >= size:
            yield np.concatenate(held), False
            held, count = [], 0
    yield np.concatenate([np.zeros((0, sound.shape.channels), np.float32), *held]), True


def _aligned(waiting: list[list[Float]]) -> Float:
    """What is ready in every channel, as (samples, channels); the rest goes on waiting."""
    whole = [np.concatenate(parts) for parts in waiting]
    count = min(len(samples) for samples in whole)
    for n, samples in enumerate(whole):
        waiting[n][:] = [samples[count:]]
    return np.stack([samples[:count] for samples in whole], axis=1)
