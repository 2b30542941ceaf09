"""What a call can say about its own quiet: small values, safe to send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class StrokeInfo(NamedTuple):
    """What the engine says along with each block of sound."""

    stroke: bool
    """A stroke was found, just now; the three figures are about it."""
    at_samples: int
    """Its onset on the stream's input clock; -1 without one."""
    level_db: float
    """Its loudest 8 ms so far at the microphone, dBFS; -100 without one."""
    voice: float
    """Probability that somebody speaks, 0 to 1."""
    passed: bool
    """The block went through unprocessed."""


@dataclass(frozen=True)
class Proof:
    """What became of the typing in one stream so far.

    A stroke is audible when its loudest 8 ms in the 65 ms around it is above both the room's noise floor + 6 dB and
    -60 dBFS. Strokes under speech are counted but not judged: there the same measure would hear the voice.
    """

    strokes: int
    """Found by the network."""
    judged: int
    """Those of them that fell in pauses of speech, and are over."""
    audible_before_pct: float | None
    """Share of the judged that were audible at the microphone; None with none judged. Likewise below."""
    audible_after_pct: float | None
    level_before_db: float | None
    """Mean over the judged of the loudest 8 ms, dBFS."""
    level_after_db: float | None
    blocks: int
    """Blocks of 10 ms that went through."""
    blocks_passed: int
    """Those of them that went through unprocessed because of a fault or an overload."""
    model: str
    """Name of the network; empty without one."""
    model_sha256: str
    latency_samples: int
    degraded: bool
    """Some of the sound was not made quiet, or is not being made quiet now."""
