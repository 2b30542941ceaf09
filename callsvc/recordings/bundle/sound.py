"""The sound of a bundle: each track as it is, and both in one file to listen to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from audio.hearable import Hearable
from callsvc.recordings.reader import TrackInfo

Sound = Hearable[TrackInfo]

BLOCK_S = 10


def write_track(
    recording: Sound, info: TrackInfo, first: int, last: int, path: Path, done: Callable[[float], None]
) -> None:
    """Samples `first` to `last` of a track as FLAC, bit for bit, zero in gaps. `done` is told how far it is, to 1."""
    with soundfile.SoundFile(path, "w", info.rate_hz, 1, "PCM_16", format="FLAC") as file:
        for start in range(first, last, BLOCK_S * info.rate_hz):
            file.write(recording.read(info.name, start, min(BLOCK_S * info.rate_hz, last - start)))
            done((start - first) / (last - first))


def write_stereo(recording: Sound, left: str, right: str, from_ms: int, to_ms: int, path: Path) -> int:
    """Both sides in one FLAC file at the higher of their rates; a side that was not recorded is silent. Its rate."""
    sides = [recording.tracks.get(name) for name in (left, right)]
    rate = max(info.rate_hz for info in recording.tracks.values() if info.name in (left, right))
    streams = [
        soxr.ResampleStream(info.rate_hz, rate, 1, dtype="int16") if info and info.rate_hz != rate else None
        for info in sides
    ]
    held: list[NDArray[np.int16]] = [np.zeros(0, dtype=np.int16)] * 2
    seconds = list(range(from_ms, to_ms, BLOCK_S * 1000))
    with soundfile.SoundFile(path, "w", rate, 2, "PCM_16", format="FLAC") as file:
        for at_ms in seconds:
            until_ms = min(at_ms + BLOCK_S * 1000, to_ms)
            for side, (info, stream) in enumerate(zip(sides, streams, strict=True)):
                held[side] = np.concatenate(
                    [held[side], _side(recording, info, stream, at_ms, until_ms, rate, until_ms == to_ms)]
                )
            ready = max(len(h) for h in held) if until_ms == to_ms else min(len(h) for h in held)
            block = np.zeros((ready, 2), dtype=np.int16)
            for side in range(2):
                part = held[side][:ready]
                block[: len(part), side] = part
                held[side] = held[side][ready:]
            file.write(block)
    return rate


def _side(
    recording: Sound,
    info: TrackInfo | None,
    stream: soxr.ResampleStream | None,
    from_ms: int,
    to_ms: int,
    rate: int,
    last: bool,
) -> NDArray[np.int16]:
    own = info.rate_hz if info else rate
    first, end = from_ms * own // 1000, to_ms * own // 1000
    heard = recording.read(info.name, first, end - first) if info else np.zeros(end - first, dtype=np.int16)
    if stream is None:
        return heard
    resampled: NDArray[np.int16] = stream.resample_chunk(heard, last=last)
    return resampled
