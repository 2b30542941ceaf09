"""One call: two legs, what flows between them, and what is told of it.

    SETTING_UP ──(both legs ready)──► LIVE ──(a leg leaves, or somebody ends it)──► ENDED

Media time begins when the call goes live. A leg that breaks off without a word is away for a while and may come back;
the other one waits. Everything here runs in the event loop and nothing waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from audio.rtp import Packet
from callsvc import logs
from callsvc.telephony import metrics, protocol
from callsvc.telephony.absence import gone
from callsvc.telephony.commands import Commands
from callsvc.telephony.connection import Connection
from callsvc.telephony.errors import LegTaken
from callsvc.telephony.live import Live
from callsvc.telephony.parts import Parts as Parts
from callsvc.telephony.policies import LinePolicy
from callsvc.telephony.protocol import Hello, Message, Offered, RecordingNow, State
from callsvc.telephony.side import Side
from callsvc.types import CallState, Event, EventKind, Leg, Profile

REPORT_EVERY_S = 1.0
PROOF_EVERY_S = 10.0
CONNECTION_EVERY_MS = 5000
"""At most. The page tells it every ten seconds, and at once after it has come back."""
SETUP_S = 120.0
"""How long the first leg waits for the second."""
LISTENERS = 4
"""Pages beside a SIP phone that are told how the call is."""

Tell = Callable[[Message], None]


class Call:
    """One call on this node."""

    def __init__(
        self,
        call_id: UUID,
        profile: Profile,
        policy: LinePolicy,
        parts: Parts,
        ended: Callable[[Call], None],
        *,
        line: str = "",
    ) -> None:
        self.id = call_id
        self.profile = profile
        self._line = {"line": line} if line else {}
        self.state = CallState.SETTING_UP
        self.sides: dict[Leg, Side] = {}
        self.degraded: set[str] = set()
        self.commanders: set[str] = set()
        """Ids of tokens that were shown over HTTP while they were fresh: they are good until the call ends."""
        self.policy = policy
        self._parts = parts
        self._ended = ended
        self._began = parts.clock.monotonic()
        self.live: Live | None = None
        self._commands = Commands(parts.clock, policy.commands)
        self._listeners: list[Tell] = []
        self._next_report = 0.0
        self._next_proof = 0.0
        self._next_connection_ms = 0
        self._strokes_told = False
        self._log = logs.get("telephony").bind(call=str(call_id))

    # What comes in.

    def join(self, leg: Leg, connection: Connection, token: str, subject: str | None = None) -> None:
        """A leg was agreed on; the call goes live when the sound of both can flow.

        A leg that is there already is taken over by the same `subject`, and by nobody else.
        """
        if self.state is CallState.ENDED:
            raise LegTaken
        side = self.sides.get(leg)
        if side is None:
            side = self.sides[leg] = Side(self, leg, connection, token, subject)
        elif self.may_take_over(leg, subject):
            old = side.take_over(connection, token)
            old.tell(protocol.bye("taken_over"))
            self._parts.discard(old)
            metrics.RETURNS.inc()
        else:
            raise LegTaken
        connection.listen(side)

    def may_take_over(self, leg: Leg, subject: str | None) -> bool:
        """Whether this party may join here: the leg is free, or its own."""
        side = self.sides.get(leg)
        return side is None or (subject is not None and side.subject == subject)

    def side_ready(self, side: Side) -> None:
        if self.state is CallState.ENDED:
            return
        connection = side.connection
        side.away, side.was_ready = False, True
        self._emit(
            EventKind.LEG_JOINED,
            leg=side.leg.value,
            profile=self.profile.value,
            transport=connection.transport,
            codec=connection.codec.name,
            **self._line,
        )
        self._log.info("leg_joined", leg=side.leg.value, transport=connection.transport)
        if self.live:
            self.live.reconnect(side)
            self.tell_state()
        elif len(self.sides) == len(Leg) and all(one.connection.ready for one in self.sides.values()):
            self._go_live()

    def side_packet(self, side: Side, packet: Packet, now: float) -> None:
        if side.leg is Leg.CALLER and self.live:
            self.live.downlink.packet(packet, now)

    def side_channel(self, side: Side) -> None:
        side.connection.tell(self._hello(side.leg).message())
        side.connection.tell(self.status())

    def side_message(self, side: Side, message: Message) -> None:
        kind = message.get("t")
        if kind == "hangup":
            self.hang_up(side, "hangup")
        elif kind == "command":
            if side.leg is Leg.OPERATOR:
                self.command(message, side.connection.tell)
            else:
                side.connection.tell(protocol.refused(protocol.identity_of(message), protocol.Why.NOT_YOURS))
        elif kind == "key" and side.leg is Leg.OPERATOR and self.live:
            if key := protocol.key(message):
                self.live.key(key.at_ms)
            else:
                side.connection.malformed += 1
        elif kind == "connection" and side.leg is Leg.OPERATOR and self.live:
            if seen := protocol.connection(message):
                self._connection_seen(seen, self.live.now_ms)
            else:
                side.connection.malformed += 1

    def side_digit(self, side: Side, digit: str) -> None:
        if self.live:
            told = self.live.pressed(side.leg, digit)
            for tell in [self.sides[Leg.OPERATOR].connection.tell, *self._listeners]:
                tell(told)

    def side_recoded(self, side: Side) -> None:
        self._log.info("leg_recoded", leg=side.leg.value, codec=side.connection.codec.name)
        if self.live:
            self.live.recode(side)

    def side_left(self, side: Side, cause: str) -> None:
        if cause != "hangup" and side.connection.may_return and side.subject is not None and side.was_ready:
            side.away = True
            self._emit(EventKind.LEG_LEFT, leg=side.leg.value, cause="away")
            self._log.info("leg_away", leg=side.leg.value, cause=cause)
            if self.live:
                self.live.away(side.leg)
            self.tell_state()
        elif cause != "hangup" and side.awaited and Leg.CALLER in self.sides:
            # The caller goes on ringing: for the same operator once more, or for another.
            self._log.info("leg_never_came", leg=side.leg.value, cause=cause)
            side.let_go()
            self._parts.discard(self.sides.pop(side.leg).connection)
        else:
            self.hang_up(side, cause)

    def fail(self, error: Exception) -> None:
        """Something of ours went wrong in this call: it ends, and no other does."""
        self._log.error("call_failed", error=type(error).__name__, exc_info=error)
        self.end("fault")

    def _connection_seen(self, seen: protocol.ConnectionSeen, at_ms: int) -> None:
        """Tell it, but no more often than it is of use: what a page sends must not fill the outbox."""
        if at_ms >= self._next_connection_ms:
            self._next_connection_ms = at_ms + CONNECTION_EVERY_MS
            self._emit(EventKind.LEG_CONNECTION, leg=Leg.OPERATOR.value, at_ms=at_ms, **asdict(seen))

    # What the operator commands, over the data channel or over HTTP.

    def command(self, message: Message, answer: Tell) -> None:
        """Carry out a command of the operator's; the answer comes before anything that follows from it."""
        answer(self._commands.do(message))
        if self._commands.hung_up and Leg.OPERATOR in self.sides:
            self.hang_up(self.sides[Leg.OPERATOR], "hangup")
        else:
            self.tell_state()

    def watch(self, tell: Tell) -> Callable[[], None]:
        """Tell this page from now on; what is returned ends it. The oldest makes room when there are too many."""
        self._listeners.append(tell)
        for oldest in self._listeners[:-LISTENERS]:
            oldest(protocol.bye("taken_over"))
        self._listeners = self._listeners[-LISTENERS:]
        tell(self._hello(Leg.OPERATOR).message())
        tell(self.status())

        def stop() -> None:
            if tell in self._listeners:
                self._listeners.remove(tell)

        return stop

    def _hello(self, leg: Leg) -> Hello:
        mine = leg is Leg.OPERATOR
        return Hello(
            str(self.id),
            leg.value,
            self.profile.value,
            [one.value for one in self._commands.allowed] if mine else [],
            self.policy.recall_ms if mine else 0,
            self._offered() if mine else (),
        )

    def _offered(self) -> list[Offered]:
        return [
            Offered(name, next(iter(spoken.values())).version, sorted(spoken))
            for name, spoken in sorted(self._parts.announcements.items())
            if spoken
        ]

    # What goes on.

    def _go_live(self) -> None:
        self.state = CallState.LIVE
        self._emit(EventKind.CALL_STARTED, profile=self.profile.value)
        live = self.live = self._commands.live = Live(
            str(self.id),
            self.profile.value,
            self.sides,
            self.policy,
            self._parts,
            self._degrade,
            self._noted,
        )
        for what in sorted(self.degraded):
            live.lacks(what)
        now = self._parts.clock.monotonic()
        self._next_proof = now + PROOF_EVERY_S
        self._next_report = now
        self._log.info("call_started", profile=self.profile.value, forwards=live.downlink.forwards)
        if self.policy.announcement:
            try:
                live.announce(*self.policy.announcement, by="line")
            except protocol.Refused as error:
                self._degrade("announcement")
                self._log.error("not_announced", why=error.why.value)

    def _noted(self, kind: str, at_ms: int, what: Mapping[str, object]) -> None:
        self._emit(EventKind.CALL_NOTED, note=kind, at_ms=at_ms, **what)

    def tick(self, now: float) -> None:
        """Everything that is due every 10 ms."""
        self.due(now)
        self.hand_on()

    def hand_on(self) -> None:
        """Let the suppressor have what became due."""
        if self.live:
            self.live.hand_on()

    def due(self, now: float) -> None:
        """What is due every 10 ms, but for `hand_on`."""
        if self.live:
            if self.live.tick(now):
                self.tell_state()
        else:
            # Nobody listens yet: what comes is only measured.
            for side in self.sides.values():
                side.receiver.pop(now)
        if now >= self._next_report:
            self._next_report = now + REPORT_EVERY_S
            self._report(now)

    def _report(self, now: float) -> None:
        for side in list(self.sides.values()):
            side.count()
            if gone(side, self._parts, self.live, now):
                self.hang_up(side, "vanished")
                return
        if self.live is None:
            if now - self._began > SETUP_S:
                self.end("nobody_came")
            return
        self.live.uplink.adapt()
        self.live.downlink.adapt()
        self._look_at_recording()
        if (proof := self.live.proof()) and proof["degraded"]:
            self._degrade("suppressor")
        self.tell_state()
        if now >= self._next_proof:
            self._next_proof = now + PROOF_EVERY_S
            self._emit_proof()

    def tell_state(self) -> None:
        """Tell both legs, and every page that watches, how the call is."""
        state = self.status()
        for side in self.sides.values():
            side.connection.tell(state)
        for tell in list(self._listeners):
            tell(state)

    def _look_at_recording(self) -> None:
        if self.live and self.live.taps and self._parts.recording:
            status = self._parts.recording.state(str(self.id))
            if status.condition != "degraded":
                self.degraded.discard("recording")
            elif "recording" not in self.degraded:
                # Of its own troubles the recorder tells by itself.
                self.degraded.add("recording")
                metrics.DEGRADED.labels("recording").inc()

    def status(self) -> dict[str, object]:
        """What the operator's screen shows."""
        live = self.live
        proof: Mapping[str, Any] = (live.proof() if live else None) or {}
        return State(
            state=self.state.value,
            length_ms=self.length_ms,
            recording=live.recording_now() if live else RecordingNow("off"),
            degraded=sorted(self.degraded),
            away=sorted(side.leg.value for side in self.sides.values() if side.away),
            held=live is not None and live.held,
            muted=live is not None and live.muted,
            digits=Leg.CALLER in self.sides and self.sides[Leg.CALLER].connection.takes_digits,
            recall=live.recall_now() if live else None,
            announcement=live.announcement_now() if live else None,
            strokes=proof.get("strokes", 0),
            level_before_db=proof.get("level_before_db"),
            level_after_db=proof.get("level_after_db"),
        ).message()

    @property
    def length_ms(self) -> int:
        """How long the call has been, on the media clock."""
        return self.live.length_ms if self.live else 0

    # How it ends.

    def hang_up(self, side: Side, cause: str) -> None:
        """One leg is gone, or asks to go: the call is over."""
        if self.state is not CallState.ENDED:
            self.end(cause, first=side)

    def end(self, cause: str, first: Side | None = None) -> None:
        """The call is over; told once."""
        if self.state is CallState.ENDED:
            return
        self.state = CallState.ENDED
        self._commands.live = None
        if self.live:
            self.live.finish(cause)
            self._emit_proof()
        for side in self.sides.values():
            side.count()
            side.connection.tell(protocol.bye(cause))
            why = cause if side is first or first is None else "call_ended"
            self._emit(EventKind.LEG_LEFT, leg=side.leg.value, cause=why)
        for tell in list(self._listeners):
            tell(protocol.bye(cause))
        self._emit(EventKind.CALL_ENDED, cause=cause, length_ms=self.length_ms)
        metrics.CALLS_ENDED.labels(cause).inc()
        self._log.info("call_ended", cause=cause, length_ms=self.length_ms)
        self._ended(self)

    def _degrade(self, what: str) -> None:
        if what not in self.degraded:
            self.degraded.add(what)
            if self.live:
                self.live.lacks(what)
            metrics.DEGRADED.labels(what).inc()
            self._emit(EventKind.CALL_DEGRADED, what=what)
            self._log.warning("call_degraded", what=what)

    def _emit_proof(self) -> None:
        if self.live and (proof := self.live.proof()):
            self._emit(EventKind.CALL_PROOF, **proof)
            self._emit_strokes(self.live)

    def _emit_strokes(self, live: Live) -> None:
        """The first time also that there are none yet: whoever looks knows then that they are told."""
        strokes = live.strokes()
        if live.taps and (strokes or not self._strokes_told):
            self._strokes_told = True
            at_ms, level_db = [one[0] for one in strokes], [one[1] for one in strokes]
            self._emit(EventKind.CALL_STROKES, at_ms=at_ms, level_db=level_db)

    def _emit(self, kind: EventKind, **fields: object) -> None:
        self._parts.events.emit(Event(self.id, kind, fields))
