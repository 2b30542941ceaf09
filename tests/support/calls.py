"""A call between two piped legs, on a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from audio.codecs import PCMA, Codec
from audio.suppressor import Engine
from callsvc.clock import FixedClock
from callsvc.telephony.announcements import Catalogue
from callsvc.telephony.call import Call
from callsvc.telephony.connection import Connection
from callsvc.telephony.live import Live
from callsvc.telephony.parts import Parts
from callsvc.telephony.policies import LinePolicy
from callsvc.types import Leg, Profile
from tests.support.legs import CALL, Events, PipedConnection, Tapes
from tests.support.packets import FRAME_S, stream

TICK_S = 0.010


class TwoLegs:
    """A call with both ends in the test's hand."""

    def __init__(
        self,
        engine: Engine | None = None,
        *,
        caller: Mapping[int, Codec] | None = None,
        operator: Mapping[int, Codec] | None = None,
        tapes: Tapes | None = None,
        policy: LinePolicy | None = None,
        announcements: Catalogue | None = None,
        away_told_after_s: float = 3.0,
    ) -> None:
        self.clock = FixedClock()
        self.events = Events()
        self.tapes = tapes or Tapes()
        self.over: list[Call] = []
        self.discarded: list[Connection] = []
        parts = Parts(
            self.clock,
            self.events,
            self.tapes,
            engine,
            vanish_after_s=10.0,
            announcements=announcements or {},
            discard=self.discarded.append,
            away_told_after_s=away_told_after_s,
        )
        self.call = Call(
            CALL, Profile.REPORT, policy or LinePolicy(record=True, keep_raw=True), parts, self.over.append
        )
        self.caller = PipedConnection(caller or {8: PCMA}, self.clock)
        self.operator = PipedConnection(operator or {8: PCMA}, self.clock)
        self._spoken = [0, 0]
        self._commanded = 0

    def join(self) -> TwoLegs:
        """Both legs come in."""
        self.call.join(Leg.CALLER, self.caller, "token-caller", "somebody")
        self.call.join(Leg.OPERATOR, self.operator, "token-operator", "an operator")
        return self

    @property
    def live(self) -> Live:
        assert self.call.live is not None
        return self.call.live

    @property
    def downlink_codec(self) -> Codec:
        """What the operator is sent while frames are made for it."""
        return self.caller.codec if self.live.downlink.forwards else self.operator.codec

    def command(self, do: str, **fields: object) -> Mapping[str, object]:
        """The operator commands over the data channel; the answer."""
        self._commanded += 1
        told = len(self.operator.told)
        self.operator.say({"t": "command", "id": f"c{self._commanded}", "do": do, **fields})
        return self.operator.told[told]

    async def talk(
        self,
        *,
        caller: list[bytes] | None = None,
        operator: list[bytes] | None = None,
        lost: tuple[int, ...] = (),
        tail_s: float = 0.3,
    ) -> None:
        """Both speak for as long as there are frames; then the clock goes on for a while."""
        ways = [(self.caller, caller or []), (self.operator, operator or [])]
        began = self.clock.monotonic()
        queues = []
        for index, (way, frames) in enumerate(ways):
            arrivals = stream(
                frames,
                codec=way.codec,
                payload_type=next(iter(way.codecs)),
                lost=lost,
                ssrc=index,
                first_sequence=self._spoken[index],
                first_timestamp=round(began * way.codec.clock_hz),
            )
            self._spoken[index] += len(frames)
            queues.append((way, arrivals))
        longest = max(len(frames) for _, frames in ways) * FRAME_S + tail_s
        for tick in range(round(longest / TICK_S)):
            for way, queue in queues:
                while queue and queue[0].at <= (tick + 1) * TICK_S:
                    way.hear(queue.pop(0).packet)
            self.clock.advance(began + (tick + 1) * TICK_S - self.clock.monotonic())
            self.call.tick(self.clock.monotonic())
            await asyncio.sleep(0)
