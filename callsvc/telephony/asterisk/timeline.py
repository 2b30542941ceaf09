"""When what comes on an AudioSocket was spoken: its messages carry no time, and Asterisk leaves frames out unsaid.

Sound comes at the pace at which it was spoken, and what waited on its way comes faster afterwards. What comes later than it
should and goes on doing so was preceded by something that is missing: the buffer of Asterisk's that begins with a call, a
packet that was lost where nothing tells of it. Taken for a delay it would have to be made up for by waiting for ever longer.
"""

from __future__ import annotations

from collections import deque

READINGS = 250
"""Among so many is the fastest one looked for; drift adds up to nothing among them."""
LASTING_S = 0.1
"""For so long everything was late before it counts as missing."""
LEAST_S = 0.025
"""Less than that is the way's own unsteadiness; the jitter buffer waits for longer than that."""
SETTLING_S = 0.5
"""At first everything that is a frame late counts at once: Asterisk is still putting the call together."""
SETTLING_LEAST_S = 0.020


class Timeline:
    """One stream's. Seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._position = 0.0
        self._behind: deque[float] = deque(maxlen=READINGS)
        self._began: float | None = None
        self._late_since: float | None = None
        self._late = 0.0

    def settling(self, now: float) -> bool:
        """Whether the stream has only just begun."""
        return self._began is None or now - self._began < SETTLING_S

    def missing(self, now: float, length_s: float) -> float:
        """So much came now; how much is missing before it, in seconds."""
        if self._began is None:
            self._began = now
        self._position += length_s
        behind = now - self._position
        late = behind - min(self._behind, default=behind)
        lasting, least = (0.0, SETTLING_LEAST_S) if self.settling(now) else (LASTING_S, LEAST_S)
        missing = 0.0
        if late < least:
            self._late_since = None
        else:
            if self._late_since is None:
                self._late_since, self._late = now, late
            self._late = min(self._late, late)
            if now - self._late_since >= lasting:
                missing, self._late_since = self._late, None
                self._position += missing
        self._behind.append(behind - missing)
        return missing

    def leave_out(self, length_s: float) -> None:
        """So much is known to be missing before what comes next."""
        self._position += length_s
