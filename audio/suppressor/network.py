"""What the engine asks of a network: one step for any number of streams, state in, state out."""

from __future__ import annotations

from typing import Protocol

from audio.suppressor.frames import Float


class Step(Protocol):
    """What one step says about the frame *before* the newest one, for each stream.

    The arrays are the caller's: it may change them, and keeps them until the next step.
    """

    @property
    def gains(self) -> Float:
        """(streams, 161), from 0 to 1."""

    @property
    def keys(self) -> Float:
        """(streams,), probability that a key was struck."""

    @property
    def voice(self) -> Float:
        """(streams,), probability that somebody speaks."""

    @property
    def state(self) -> Float:
        """(streams, state_size), to be handed to the next step."""


class Network(Protocol):
    """Weights that run. A row's result must not depend on the rows beside it."""

    @property
    def name(self) -> str:
        """What the weights are called."""

    @property
    def sha256(self) -> str:
        """Hash of the weights' file, in hexadecimal."""

    @property
    def state_size(self) -> int:
        """Floats that a stream carries from one step to the next; all zero for a stream that has heard nothing."""

    def step(self, features: Float, state: Float) -> Step:
        """One block further: features (streams, 177), state (streams, state_size). May raise: the sound then passes."""
