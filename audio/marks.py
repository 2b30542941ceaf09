"""Which place on the media clock each sample of a stream has, while the stream passes a filter with latency.

Put in what goes into the filter, take out for what comes out: the runs come back in the same order.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from audio.taps import GapCause


@dataclass(slots=True)
class Run:
    """So many samples in a row: where the first lies (None: nowhere), and why they are made up, if they are."""

    count: int
    start: int | None = None
    cause: GapCause | None = None
    left_out: int = 0
    """With a count of 0: so many samples of the clock, from `start` on, that are not in the stream at all."""


class Marks:
    """The runs that are inside a filter of `latency` samples."""

    def __init__(self, latency: int) -> None:
        self._runs: deque[Run] = deque()
        if latency:
            self._runs.append(Run(latency))

    def put(self, run: Run) -> None:
        """These samples go in."""
        if run.count or run.left_out:
            self._runs.append(run)

    def whole(self, count: int) -> Run | None:
        """The next run, if it is exactly so long: taken; otherwise None, and nothing is."""
        if self._runs and self._runs[0].count == count:
            return self._runs.popleft()
        return None

    def take(self, count: int) -> list[Run]:
        """So many samples came out: these."""
        taken: list[Run] = []
        while self._runs and (count or not self._runs[0].count):
            run = self._runs.popleft()
            if run.count > count:
                start = None if run.start is None else run.start + count
                self._runs.appendleft(Run(run.count - count, start, run.cause))
                run = Run(count, run.start, run.cause)
            taken.append(run)
            count -= run.count
        return taken
