"""What telephony needs of others, as protocols: where events go, and how the recording of a call is doing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from audio.taps import CallTaps, TapFactory, Track
from callsvc.types import Event


class EventSink(Protocol):
    """Takes events on their way out. Callable from any thread; never waits for a network, never raises."""

    def emit(self, event: Event) -> None:
        """Note what happened; the sink numbers it, dates it and sees to it that it arrives."""


class RecordingStatus(Protocol):
    """How a recording is doing."""

    @property
    def condition(self) -> str:
        """`recording`, `degraded`, `sealing`, `sealed` or `none`."""

    @property
    def why(self) -> str:
        """What the trouble is while degraded."""

    @property
    def safe_ms(self) -> int:
        """How much of the call is safe."""

    @property
    def masked_ms(self) -> int:
        """How long nothing has been kept."""


class RecordedCall(CallTaps, Protocol):
    """What listens to a call, and can be told more than sound. Nothing of it waits."""

    def note(self, at_ms: int, content: dict[str, object]) -> None:
        """Keep this with the sound."""

    def mask(self, reason: str) -> None:
        """Keep nothing from now on but the length and the reason."""

    def unmask(self) -> None:
        """Keep again."""


class Recording(TapFactory, Protocol):
    """A tap factory that can say how it is doing."""

    def open(self, call_id: str, profile: str, tracks: Sequence[Track]) -> RecordedCall: ...

    def state(self, call_id: str) -> RecordingStatus:
        """How the recording of this call is doing now."""
