"""The quiet line: takes the sound of typing out of streams of speech, block by block."""

from audio.suppressor.engine import EDGES_MS, Counters, Engine
from audio.suppressor.frames import BLOCK, LATENCY, RATE
from audio.suppressor.network import Network, Step
from audio.suppressor.offline import Stroke, Suppressor
from audio.suppressor.proof import Proof, StrokeInfo
from audio.suppressor.stream import Stream

__all__ = [
    "BLOCK",
    "EDGES_MS",
    "LATENCY",
    "RATE",
    "Counters",
    "Engine",
    "Network",
    "Proof",
    "Step",
    "Stream",
    "Stroke",
    "StrokeInfo",
    "Suppressor",
]
