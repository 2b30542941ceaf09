"""A worker of its own for tests: `python -m tests.callsvc.transcripts.rehearsal MODEL MARKS`.

Transcribes calls of ten pieces a leg with a recogniser that writes a line to the file MARKS for each piece that it is
given. While a file MARKS.hold is there, it stops after the fourth.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from callsvc import logs, transcripts
from callsvc.config import load
from callsvc.jobs.runner import Times
from callsvc.transcripts import models
from callsvc.types import Track
from callsvc.worker import process
from models.recogniser import voice
from models.recogniser.words import RATE, Hearing, Word

TIMES = Times(heartbeat_s=0.5, silent_s=2, sweep_s=0.5, poll_s=0.5, grace_s=1)
PIECES, EVERY_S = 10, 4


@dataclass
class Info:
    rate_hz: int
    samples: int


class Call:
    """Both legs say something for a second every four."""

    tracks = MappingProxyType(
        {str(name): Info(RATE, PIECES * EVERY_S * RATE) for name in (Track.CALLER_RX, Track.OPERATOR_TX)}
    )

    def read(self, track: str, start: int, n: int) -> NDArray[np.int16]:
        at = np.arange(start, start + n) % (EVERY_S * RATE)
        heard: NDArray[np.int16] = np.where((at >= RATE) & (at < 2 * RATE), 9000, 0).astype(np.int16)
        return heard


def loud(sound: NDArray[np.float32], longest_s: float) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (np.abs(sound) > 0.1).astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def main(model: Path, marks: Path) -> None:
    class Marking:
        longest_s = 24.0

        def hear(self, sound: NDArray[np.float32], languages: Sequence[str]) -> Hearing:
            with marks.open("a", encoding="utf-8") as file:
                file.write("piece\n")
            while marks.with_suffix(".hold").exists() and len(marks.read_text().splitlines()) > 4:
                time.sleep(0.02)
            return Hearing((Word(0.1, 0.6, "ord", 0.9),), "sv")

    async def open_call(call_id: UUID) -> Call:
        return Call()

    vars(models)["load"] = lambda card: Marking()
    vars(voice)["stretches"] = loud
    logs.configure("worker")
    settings = load()
    settings = settings.model_copy(
        update={"transcripts": settings.transcripts.model_copy(update={"model_dir": model})}
    )
    asyncio.run(process.run(settings, lambda _settings, _database: [transcripts.job(open_call)], times=TIMES))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
