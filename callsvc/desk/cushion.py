"""How much sound is kept ahead of a cable: more each time that it ran dry, less when it has been calm for long.

What is kept ahead is delay, so it begins with as little as a calm computer needs. A computer that does other things holds
sound up now and then; each gap that comes of it buys 10 ms more, up to a limit beyond which talking to each other
suffers more than gaps would.
"""

from __future__ import annotations

LEAST_S = 0.03
MOST_S = 0.15
STEP_S = 0.01
CALM_S = 20.0
"""Without a gap for this long it becomes a step less."""


class Cushion:
    """One cable's. Times are any clock's, in seconds."""

    def __init__(self, now: float) -> None:
        self.target_s = LEAST_S
        """What ought to be ahead."""
        self.grown = self.shrunk = 0
        """Steps up, and down."""
        self._calm_since = now

    def ran_dry(self, now: float) -> None:
        """There was a gap."""
        self._calm_since = now
        more = min(MOST_S, self.target_s + STEP_S)
        self.grown += more > self.target_s
        self.target_s = more

    def look(self, now: float) -> None:
        """Some time went by."""
        if self.target_s > LEAST_S and now - self._calm_since >= CALM_S:
            self._calm_since = now
            self.target_s = max(LEAST_S, self.target_s - STEP_S)
            self.shrunk += 1
