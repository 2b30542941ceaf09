"""The operator's commands to one call: read, done once, answered in order, over whichever way they come."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence

from callsvc.clock import Clock
from callsvc.telephony import metrics, protocol
from callsvc.telephony.live import Live
from callsvc.telephony.protocol import Command, Do, Message, Refused, Why

REMEMBERED = 1000
"""Answers that can be given again."""
PER_SECOND = 20

Answer = dict[str, object]


class Commands:
    """What was commanded in one call. `live` is None while the call is not."""

    def __init__(self, clock: Clock, allowed: Sequence[Do]) -> None:
        self.live: Live | None = None
        self.allowed = tuple(allowed)
        self.hung_up = False
        """The operator wants to end the call: to be done once the answer is on its way, for with the call its way ends."""
        self._clock = clock
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._done = 0
        self._lately: deque[float] = deque(maxlen=PER_SECOND)

    def do(self, message: Message) -> Answer:
        """Carry a command out, unless that has been done before, and say how it went. Raises nothing."""
        identity = protocol.identity_of(message)
        known = self._answers.get(identity)
        if known is not None:
            return known
        try:
            command = protocol.command(message)
            self._check(command)
            answer = self._carry_out(command)
        except Refused as error:
            metrics.COMMANDS.labels("refused").inc()
            answer = protocol.refused(identity, error.why)
            if error.why in (Why.MALFORMED, Why.TOO_MANY, Why.NOT_LIVE):
                # The client may put that right, or the call may begin: the id is still good.
                return answer
        else:
            metrics.COMMANDS.labels("done").inc()
        self._answers[identity] = answer
        if len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
        return answer

    def _check(self, command: Command) -> None:
        if command.do not in self.allowed:
            raise Refused(Why.UNKNOWN)
        now = self._clock.monotonic()
        if len(self._lately) == PER_SECOND and now - self._lately[0] < 1.0:
            raise Refused(Why.TOO_MANY)
        self._lately.append(now)

    def _carry_out(self, command: Command) -> Answer:
        live = self.live
        if command.do is Do.HANG_UP:
            self.hung_up = True
            return self._answer(command, live.now_ms if live else 0)
        if live is None:
            raise Refused(Why.NOT_LIVE)
        match command.do:
            case Do.MASK:
                return self._answer(command, live.mask(command.on, command.reason))
            case Do.MARKER:
                return self._answer(command, live.mark(command.kind, command.text))
            case Do.HOLD:
                return self._answer(command, live.hold(command.on))
            case Do.MUTE:
                return self._answer(command, live.mute(command.on))
            case Do.DIGIT:
                return self._answer(command, live.press(command.digit))
            case Do.RECALL:
                from_ms, to_ms = live.recall(command.back_ms)
                return self._answer(command, live.now_ms, from_ms=from_ms, to_ms=to_ms)
            case Do.RECALL_STOP:
                return self._answer(command, live.recall_stop())
            case Do.ANNOUNCE:
                playing = live.announce(command.announcement, command.language)
                return self._answer(
                    command,
                    playing.at_ms,
                    version=playing.announcement.version,
                    length_ms=playing.announcement.length_ms,
                )
            case Do.ANNOUNCE_STOP:
                return self._answer(command, live.announce_stop())

    def _answer(self, command: Command, at_ms: int, **more: object) -> Answer:
        self._done += 1
        return protocol.done(command.id, self._done, at_ms, **more)
