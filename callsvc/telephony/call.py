"""One call: two legs, what flows between them, and what is told of it.

    SETTING_UP ──(both legs ready)──► LIVE ──(a leg leaves, or somebody ends it)──► ENDED

Media time begins when the call goes live. Everything here runs in the event loop and nothing waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from uuid import UUID

from audio.rtp import Packet
from audio.suppressor import RATE, Engine
from audio.taps import CallTaps, Continuous, GapCause, Samples
from audio.taps import Track as TapTrack
from callsvc import logs
from callsvc.clock import Clock
from callsvc.telephony import metrics
from callsvc.telephony.connection import Connection
from callsvc.telephony.downlink import Downlink
from callsvc.telephony.errors import LegTaken
from callsvc.telephony.policies import LinePolicy
from callsvc.telephony.ports import EventSink, Recording
from callsvc.telephony.side import Side
from callsvc.telephony.uplink import Uplink
from callsvc.types import CallState, Event, EventKind, Leg, Profile, Track

REPORT_EVERY_S = 1.0
PROOF_EVERY_S = 10.0
SETUP_S = 120.0
"""How long the first leg waits for the second."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What every call of a node shares."""

    clock: Clock
    events: EventSink
    recording: Recording | None
    engine: Engine | None
    vanish_after_s: float


class _Nowhere:
    """A tap that keeps nothing."""

    def write(self, start: int, samples: Samples) -> None:
        return None

    def gap(self, start: int, length: int, cause: GapCause) -> None:
        return None


class Call:
    """One call on this node."""

    def __init__(
        self,
        call_id: UUID,
        profile: Profile,
        policy: LinePolicy,
        parts: Parts,
        ended: Callable[[Call], None],
    ) -> None:
        self.id = call_id
        self.profile = profile
        self.state = CallState.SETTING_UP
        self.sides: dict[Leg, Side] = {}
        self.degraded: set[str] = set()
        self._policy = policy
        self._parts = parts
        self._ended = ended
        self._began = parts.clock.monotonic()
        self._tracks: dict[Track, Continuous] = {}
        self._taps: CallTaps | None = None
        self._uplink: Uplink | None = None
        self._downlink: Downlink | None = None
        self._next_report = 0.0
        self._next_proof = 0.0
        self._log = logs.get("telephony").bind(call=str(call_id))

    # What comes in.

    def join(self, leg: Leg, connection: Connection, token: str) -> None:
        """A leg was agreed on; the call goes live when the sound of both can flow."""
        if leg in self.sides or self.state is CallState.ENDED:
            raise LegTaken
        side = self.sides[leg] = Side(self, leg, connection, token)
        connection.listen(side)

    def side_ready(self, side: Side) -> None:
        if self.state is CallState.ENDED:
            return
        connection = side.connection
        self._emit(
            EventKind.LEG_JOINED,
            leg=side.leg.value,
            transport=connection.transport,
            codec=connection.codec.name,
        )
        self._log.info("leg_joined", leg=side.leg.value, transport=connection.transport)
        if len(self.sides) == len(Leg) and all(one.connection.ready for one in self.sides.values()):
            self._go_live()

    def side_packet(self, side: Side, packet: Packet) -> None:
        if side.leg is Leg.CALLER and self._downlink:
            self._downlink.packet(packet)

    def side_channel(self, side: Side) -> None:
        side.connection.tell(self.status())

    def side_message(self, side: Side, message: Mapping[str, object]) -> None:
        if side.leg is Leg.OPERATOR and message.get("t") == "hangup":
            self.hang_up(side, "hangup")

    def side_left(self, side: Side, cause: str) -> None:
        self.hang_up(side, cause)

    def fail(self, error: Exception) -> None:
        """Something of ours went wrong in this call: it ends, and no other does."""
        self._log.error("call_failed", error=type(error).__name__, exc_info=error)
        self.end("fault")

    # What goes on.

    def _go_live(self) -> None:
        now = self._parts.clock.monotonic()
        self.state = CallState.LIVE
        self._emit(EventKind.CALL_STARTED, profile=self.profile.value)
        caller, operator = self.sides[Leg.CALLER], self.sides[Leg.OPERATOR]
        self._open_taps({Track.CALLER_RX: caller.receiver.rate_hz})
        for side in self.sides.values():
            side.receiver.start(now)
        self._uplink = Uplink(
            operator.receiver,
            caller.connection,
            self._parts.engine,
            self._tracks[Track.OPERATOR_RX],
            self._tracks[Track.OPERATOR_TX],
            self._degrade,
        )
        self._downlink = Downlink(
            caller.receiver, caller.connection, operator.connection, self._tracks[Track.CALLER_RX]
        )
        self._next_proof = now + PROOF_EVERY_S
        self._next_report = now
        self._log.info("call_started", profile=self.profile.value, forwards=self._downlink.forwards)

    def _open_taps(self, rates: Mapping[Track, int]) -> None:
        recording = self._parts.recording
        if recording and self._policy.tracks:
            tracks = [TapTrack(name.value, rates.get(name, RATE)) for name in self._policy.tracks]
            try:
                self._taps = recording.open(str(self.id), self.profile.value, tracks)
            except OSError as error:
                self._log.error("recording_not_opened", error=type(error).__name__)
        if self._taps is None and self._policy.record:
            self._degrade("recording")
        for name in Track:
            recorded = self._taps is not None and name in self._policy.tracks
            self._tracks[name] = Continuous(
                self._taps.tap(name.value) if self._taps and recorded else _Nowhere()
            )

    def tick(self, now: float) -> None:
        """What is due every 10 ms."""
        if self._uplink and self._downlink:
            self._uplink.tick(now)
            self._downlink.tick(now)
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
            if now - side.connection.last_heard > self._parts.vanish_after_s and side.connection.ready:
                self.hang_up(side, "vanished")
                return
        if self.state is CallState.SETTING_UP:
            if now - self._began > SETUP_S:
                self.end("nobody_came")
            return
        self._look_at_recording()
        if (proof := self._proof()) and proof["degraded"]:
            self._degrade("suppressor")
        for side in self.sides.values():
            side.connection.tell(self.status())
        if now >= self._next_proof:
            self._next_proof = now + PROOF_EVERY_S
            self._emit_proof()

    def _look_at_recording(self) -> None:
        if self._taps and self._parts.recording:
            status = self._parts.recording.state(str(self.id))
            if status.condition != "degraded":
                self.degraded.discard("recording")
            elif "recording" not in self.degraded:
                # Of its own troubles the recorder tells by itself.
                self.degraded.add("recording")
                metrics.DEGRADED.labels("recording").inc()

    def status(self) -> dict[str, object]:
        """What the operator's screen shows."""
        proof = self._proof() or {}
        return {
            "t": "state",
            "state": self.state.value,
            "recording": self._taps is not None and "recording" not in self.degraded,
            "degraded": sorted(self.degraded),
            "length_ms": self.length_ms,
            "strokes": proof.get("strokes", 0),
            "level_before_db": proof.get("level_before_db"),
            "level_after_db": proof.get("level_after_db"),
        }

    @property
    def length_ms(self) -> int:
        """How long the call has been, on the media clock."""
        lengths = [self._tracks[name].position * 1000 // rate for name, rate in self._rates().items()]
        return max(lengths, default=0)

    def _rates(self) -> dict[Track, int]:
        if not self._tracks:
            return {}
        return dict.fromkeys(Track, RATE) | {Track.CALLER_RX: self.sides[Leg.CALLER].receiver.rate_hz}

    # How it ends.

    def hang_up(self, side: Side, cause: str) -> None:
        """One leg is gone, or asks to go: the call is over."""
        if self.state is not CallState.ENDED:
            self.end(cause, first=side)

    def end(self, cause: str, first: Side | None = None) -> None:
        """The call is over; told once."""
        if self.state is CallState.ENDED:
            return
        live = self.state is CallState.LIVE
        self.state = CallState.ENDED
        for way in (self._uplink, self._downlink):
            if way:
                way.finish()
        if live:
            self._emit_proof()
        self._close_taps(cause)
        for side in self.sides.values():
            side.count()
            side.connection.tell({"t": "bye", "cause": cause})
            why = cause if side is first or first is None else "call_ended"
            self._emit(EventKind.LEG_LEFT, leg=side.leg.value, cause=why)
        self._emit(EventKind.CALL_ENDED, cause=cause, length_ms=self.length_ms)
        metrics.CALLS_ENDED.labels(cause).inc()
        self._log.info("call_ended", cause=cause, length_ms=self.length_ms)
        self._ended(self)

    def _close_taps(self, cause: str) -> None:
        length_ms = self.length_ms
        lengths: dict[str, int] = {}
        for name, rate in self._rates().items():
            self._tracks[name].extend(length_ms * rate // 1000, GapCause.ABSENT)
            if name in self._policy.tracks:
                lengths[name.value] = self._tracks[name].position
        if self._taps:
            self._taps.close(lengths, cause)

    def _degrade(self, what: str) -> None:
        if what not in self.degraded:
            self.degraded.add(what)
            metrics.DEGRADED.labels(what).inc()
            self._emit(EventKind.CALL_DEGRADED, what=what)
            self._log.warning("call_degraded", what=what)

    def _proof(self) -> dict[str, object] | None:
        proof = self._uplink.proof() if self._uplink else None
        return asdict(proof) if proof else None

    def _emit_proof(self) -> None:
        proof = self._proof()
        if proof is not None:
            self._emit(EventKind.CALL_PROOF, **proof)

    def _emit(self, kind: EventKind, **fields: object) -> None:
        self._parts.events.emit(Event(self.id, kind, fields))
