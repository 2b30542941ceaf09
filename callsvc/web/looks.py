"""What is worked out of a recording when somebody looks at it: a few at a time, and kept while they look on."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from typing import Any, Final, TypeVar, cast
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from audio.suppressor import Network
from callsvc.review import exposure, strokes
from callsvc.review.exposure import Stretch
from callsvc.review.source import Source
from callsvc.review.strokes import Heard

T = TypeVar("T")
KEPT: Final = 200


@cache
def _network() -> Network:
    from models.suppressor import load  # seconds of work, for those who look at strokes alone

    return load()


class Looks:
    """One at a time: pages that answer go before pictures that are drawn."""

    def __init__(self) -> None:
        self._one = asyncio.Lock()
        self._kept: OrderedDict[tuple[UUID, str, int], Any] = OrderedDict()

    async def strokes(self, call_id: UUID, source: Source, from_ms: int) -> list[Heard]:
        """The keystrokes of the window from there."""
        return await self._look(
            (call_id, "strokes", from_ms), lambda: strokes.strokes(_network(), source, from_ms / 1000)
        )

    async def exposure(self, call_id: UUID, source: Source) -> list[Stretch]:
        """What may be hard to hear in the whole of it."""
        return await self._look((call_id, "exposure", 0), lambda: exposure.exposure(source))

    async def _look(self, key: tuple[UUID, str, int], work: Callable[[], T]) -> T:
        async with self._one:
            if key not in self._kept:
                self._kept[key] = await run_in_threadpool(work)
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return cast(T, self._kept[key])
