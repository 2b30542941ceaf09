"""Where a stream's blocks wait for the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio.suppressor.frames import Float

if TYPE_CHECKING:
    from audio.suppressor.stream import Stream

RING = 16
"""Blocks that can wait."""


class Place:
    """One stream's inbox and counts. All of it belongs to the engine's lock."""

    __slots__ = ("done", "flying", "inbox", "listed", "pushed", "pushed_at", "slot", "stream")

    def __init__(self, slot: int, inbox: Float) -> None:
        self.slot = slot
        self.inbox = list(inbox)
        """RING blocks, as views into the engine's one array."""
        self.pushed_at = [0.0] * RING
        self.pushed = self.done = 0
        """Blocks that came in, and that are out again."""
        self.flying = False
        """Its block is in the batch that is being computed."""
        self.listed = False
        """It is in the list of those that wait, or flying."""
        self.stream: Stream | None = None
        """None when the stream has left."""
