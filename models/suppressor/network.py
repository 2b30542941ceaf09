"""The network as the product runs it: one step for any number of streams, state in, state out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from models.suppressor.features import Float

EMBED = 128
HIDDEN = 176
STATE = 2 * HIDDEN + 2 * EMBED
"""Floats a stream carries from one step to the next: two recurrent layers and two embedded frames."""


def weights_path() -> Path:
    """Where the packaged weights lie."""
    return Path(__file__).with_name("weights.onnx")


@dataclass(frozen=True)
class Step:
    """What one step says about the frame *before* the newest one, for each stream."""

    gains: Float
    """(streams, 161), each from exactly 0 to exactly 1."""
    keys: Float
    """(streams,), probability that a key was struck."""
    voice: Float
    """(streams,), probability that somebody speaks."""
    state: Float
    """(streams, STATE), to be handed to the next step."""


class Network:
    """The packaged weights in an inference session of one thread; what the engine asks of a network."""

    name = "quiet-gru-543k"
    state_size = STATE

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or weights_path()
        raw = self.path.read_bytes()
        self.sha256 = hashlib.sha256(raw).hexdigest()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])

    @staticmethod
    def initial(streams: int) -> Float:
        """The state of streams that have heard nothing yet."""
        return np.zeros((streams, STATE), np.float32)

    def step(self, features: Float, state: Float) -> Step:
        """One block further: features (streams, 177), state (streams, STATE)."""
        gains, keys, voice, after = self._session.run(None, {"features": features, "state": state})
        return Step(gains, keys[:, 0], voice[:, 0], after)
