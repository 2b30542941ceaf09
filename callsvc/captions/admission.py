"""Which calls are captioned when one engine cannot write them all: those that began first; the others are off, and say so.

Interim text goes first, by the queue's own order. When even the final text that waits would come late, the newest calls
are put off, as many as it takes, and no more text of theirs is made. They come back one by one, the oldest first, when
the engine has had time to spare for a while.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from statistics import median
from uuid import UUID

FULL_S = 4.0
"""Half the stated delay: with more than this to decode, some calls must go."""
EASED_S = 2.0
"""So many go that this much is left."""
SETTLE_S = 1.0
"""Time that each putting off is given to help before the next."""
LOOK_S = 8.0
"""Time over which the engine's load is looked at."""
ROOM = 0.75
"""A call comes back when the engine would still have a quarter of its time to spare with it."""
FIRST_COST_S = 0.3
"""What a final text costs until some have been decoded."""


class Load:
    """What the engine does: the seconds that final texts cost it, and the share of its time that they take.

    `add` in the decoding thread, the rest in any other.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._began = now()
        self._done: deque[tuple[float, float]] = deque()
        self._lock = threading.Lock()
        self._costs: deque[float] = deque([FIRST_COST_S], maxlen=15)

    def add(self, spent_s: float) -> None:
        """A final text took so long."""
        with self._lock:
            self._costs.append(spent_s)
            self._done.append((self._now(), spent_s))

    @property
    def cost_s(self) -> float:
        """Of one final text, lately: the middle one, for a machine that stood still once is no slow one."""
        with self._lock:
            return median(self._costs)

    @property
    def share(self) -> float:
        """Of the engine's time, lately; all of it as long as nothing is known."""
        now = self._now()
        if now - self._began < LOOK_S:
            return 1.0
        with self._lock:
            while self._done and now - self._done[0][0] > LOOK_S:
                self._done.popleft()
            return sum(spent for _, spent in self._done) / LOOK_S


class Admission:
    """Calls in the order in which they began, and which of them are put off."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._calls: dict[UUID, bool] = {}
        self._changed = now()
        self._went = -SETTLE_S

    def open(self, call: UUID) -> bool:
        """Another call; whether it is captioned. While some are put off, it is one of them."""
        if call not in self._calls:
            self._calls[call] = all(self._calls.values())
        return self._calls[call]

    def close(self, call: UUID) -> None:
        """A call is over."""
        self._calls.pop(call, None)

    def captioned(self, call: UUID) -> bool:
        return self._calls.get(call, False)

    @property
    def put_off(self) -> frozenset[UUID]:
        return frozenset(call for call, on in self._calls.items() if not on)

    def crowded(self, waiting: Iterable[UUID], cost_s: float) -> list[UUID]:
        """The calls to put off now, newest first; `waiting` names the call of each final text that is still to be decoded.

        The last one is kept, whatever it costs: where not even one call can be written, that is told as lateness.
        """
        texts: dict[UUID, int] = {}
        for call in waiting:
            texts[call] = texts.get(call, 0) + 1
        left = cost_s * sum(texts.values())
        if left <= FULL_S or self._now() - self._went < SETTLE_S:
            return []
        found = []
        on = [call for call, captioned in self._calls.items() if captioned]
        while left > EASED_S and len(on) > 1:
            call = on.pop()
            left -= cost_s * texts.get(call, 0)
            self._calls[call] = False
            found.append(call)
        if found:
            self._changed = self._went = self._now()
        return found

    def back(self, load: Load, waited_s: float) -> UUID | None:
        """A call that is captioned again, if there is room for one more."""
        now = self._now()
        if now - self._changed < LOOK_S or waited_s > EASED_S:
            return None
        on = sum(self._calls.values())
        if on and load.share * (on + 1) / on > ROOM:
            return None
        call = next((call for call, captioned in self._calls.items() if not captioned), None)
        if call is not None:
            self._calls[call] = True
            self._changed = now
        return call
