"""What is decoded next, for all calls of the process: one queue, so that no call waits for another's interim text.

Finals go first, in the order in which they ended. Of interim work there is at most one piece for each leg, the latest:
an older one is stale and is dropped. So with more calls than the machine can take the interim text thins out first, and
finals keep their delay. Where even the finals are too many, `admission` takes calls out of the queue. What it did not
foresee, such as a machine that stood still, costs a final that has waited longer than the stated delay: its place in the
captions says so, and those after it come in time.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from callsvc.captions.utterances import Spoken

MOST_WAIT_S = 8.0
"""The stated delay: no caption comes later than this after the end of its utterance, plus its own decoding."""


@dataclass(frozen=True, slots=True)
class Work:
    """An utterance to be decoded; `due` is when it came in, on the process's own clock."""

    call: UUID
    leg: str
    spoken: Spoken
    due: float

    @property
    def place(self) -> tuple[UUID, str]:
        return self.call, self.leg


class Scheduler:
    """Safe from several threads. `given_up` is told of finals that waited too long."""

    def __init__(self, now: Callable[[], float], given_up: Callable[[Work], None]) -> None:
        self._now = now
        self._given_up = given_up
        self._finals: deque[Work] = deque()
        self._interim: OrderedDict[tuple[UUID, str], Work] = OrderedDict()
        self._some = threading.Condition()
        self._closed = False
        self.dropped_interim = 0

    def put(self, work: Work) -> None:
        with self._some:
            stale = self._interim.pop(work.place, None)
            if stale is not None:
                self.dropped_interim += 1
            if work.spoken.final:
                self._finals.append(work)
            else:
                self._interim[work.place] = work
            self._some.notify()

    def take(self, timeout_s: float | None = None) -> Work | None:
        """The next piece of work; None when there is none within the time, or the scheduler was closed."""
        with self._some:
            late: list[Work] = []
            self._some.wait_for(lambda: self._closed or self._finals or self._interim, timeout_s)
            while self._finals and self._now() - self._finals[0].due > MOST_WAIT_S:
                late.append(self._finals.popleft())
            if self._finals:
                found: Work | None = self._finals.popleft()
            elif self._interim:
                _, found = self._interim.popitem(last=False)
            else:
                found = None
        for work in late:
            self._given_up(work)
        return found

    def forget(self, call: UUID) -> None:
        """A call is over: its interim work is of no use; its finals are still wanted."""
        with self._some:
            for place in [place for place in self._interim if place[0] == call]:
                del self._interim[place]

    def withdraw(self, calls: Collection[UUID]) -> list[Work]:
        """Nothing of these calls is wanted any more; the finals among it, for their places to be told."""
        with self._some:
            for place in [place for place in self._interim if place[0] in calls]:
                del self._interim[place]
            found = [work for work in self._finals if work.call in calls]
            self._finals = deque(work for work in self._finals if work.call not in calls)
        return found

    def waiting(self) -> list[UUID]:
        """The call of each final that is still to be decoded."""
        with self._some:
            return [work.call for work in self._finals]

    def waited_s(self) -> float:
        """How long the oldest final has waited."""
        with self._some:
            return self._now() - self._finals[0].due if self._finals else 0.0

    def close(self) -> None:
        with self._some:
            self._closed = True
            self._some.notify_all()
