"""A call while it is live: its two ways, its tracks and what is remembered of them, and what the operator does to them.

Every method that an operator's command ends in may raise `Refused`; nothing here waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Final, Literal

from audio.suppressor import RATE
from audio.taps import Continuous, GapCause, Samples
from audio.taps import Track as TapTrack
from callsvc import logs
from callsvc.telephony import metrics, protocol
from callsvc.telephony.absence import Absence
from callsvc.telephony.announcements import Playing
from callsvc.telephony.downlink import Downlink
from callsvc.telephony.parts import Parts
from callsvc.telephony.policies import LinePolicy
from callsvc.telephony.ports import RecordedCall
from callsvc.telephony.protocol import (
    AnnouncementNow,
    MarkerKind,
    MaskReason,
    RecallNow,
    RecordingNow,
    Refused,
    Why,
)
from callsvc.telephony.recall import Memory, Recall
from callsvc.telephony.side import Side
from callsvc.telephony.spans import Spans
from callsvc.telephony.uplink import Uplink
from callsvc.types import Leg, Track

TOLD: Final = (Track.CALLER_RX, Track.OPERATOR_TX)
"""The tracks that are remembered: what the operator heard, and what the caller heard."""
KEY_EARLY_MS: Final = 15
"""How much later than a key's message the sound of its moment comes, as long as no sender report tells it better."""

By = Literal["operator", "line", "service"]
Note = Callable[[str, int, Mapping[str, object]], None]
"""Told of what was done, when on the call's clock, and how."""


class _Nowhere:
    """A tap that keeps nothing."""

    def write(self, start: int, samples: Samples) -> None:
        return None

    def gap(self, start: int, length: int, cause: GapCause) -> None:
        return None


class Live:
    """What a call has from its first moment to its last."""

    def __init__(
        self,
        call_id: str,
        profile: str,
        sides: Mapping[Leg, Side],
        policy: LinePolicy,
        parts: Parts,
        degrade: Callable[[str], None],
        note: Note,
    ) -> None:
        self._call_id = call_id
        self._sides = sides
        self._policy = policy
        self._parts = parts
        self._note = note
        self._log = logs.get("telephony").bind(call=call_id)
        self.started = parts.clock.monotonic()
        self.rates = dict.fromkeys(Track, RATE) | {Track.CALLER_RX: sides[Leg.CALLER].receiver.rate_hz}
        self.spans = {leg: Spans() for leg in Leg}
        """What lies over what each leg says."""
        self.taps = self._open(profile, degrade)
        self.masked: MaskReason | None = None
        self.held = False
        """Whether the operator has put the caller on hold."""
        self.language = policy.language
        """What the caller speaks, as far as is known: the line's, until the operator plays something in another."""
        self._resting: set[Leg] = set()
        """Legs whose telephones have the other party on hold."""
        self.memories: dict[Track, Memory] = {}
        self.tracks = {name: self._track(name) for name in Track}
        for side in sides.values():
            side.receiver.start(self.started)
        caller, operator = sides[Leg.CALLER], sides[Leg.OPERATOR]
        self.uplink = Uplink(
            operator.receiver,
            caller.connection,
            parts.engine,
            self.tracks[Track.OPERATOR_RX],
            self.tracks[Track.OPERATOR_TX],
            self.spans[Leg.OPERATOR],
            degrade,
            started=self.started,
            hints=operator.connection.transport == "webrtc",
        )
        self._absence = Absence(operator, parts)
        self.downlink = Downlink(
            caller.receiver,
            caller.connection,
            operator.connection,
            self.tracks[Track.CALLER_RX],
            self.spans[Leg.CALLER],
        )

    def _open(self, profile: str, degrade: Callable[[str], None]) -> RecordedCall | None:
        recording = self._parts.recording
        if recording and self._policy.tracks:
            tracks = [TapTrack(name.value, self.rates[name]) for name in self._policy.tracks]
            try:
                return recording.open(self._call_id, profile, tracks)
            except OSError as error:
                self._log.error("recording_not_opened", error=type(error).__name__)
        if self._policy.record:
            degrade("recording")
        return None

    def _track(self, name: Track) -> Continuous:
        tap = self.taps.tap(name.value) if self.taps and name in self._policy.tracks else _Nowhere()
        if name in TOLD and self._policy.recall_ms:
            tap = self.memories[name] = Memory(tap, self.rates[name], self._policy.recall_ms)
        return Continuous(tap)

    # What goes on.

    @property
    def now_ms(self) -> int:
        """The call's own clock."""
        return round((self._parts.clock.monotonic() - self.started) * 1000)

    @property
    def length_ms(self) -> int:
        """How long the call has been, on the track that is furthest."""
        return max(self.tracks[name].position * 1000 // rate for name, rate in self.rates.items())

    def tick(self, now: float) -> bool:
        """What is due every 10 ms, but for `hand_on`; True when something that is played began or is over."""
        recalling = self.downlink.recalling
        self._look_who_rests()
        self.uplink.tick(now)
        self.downlink.tick(now)
        over = recalling is not None and self.downlink.recalling is None
        if self.uplink.playing and self.uplink.playing.over:
            self._announced("stopped" if self.uplink.playing.cut_short else "ended")
            over = True
        return self._absence.look(self, now) or over

    def hand_on(self) -> None:
        """Let the suppressor have what became due."""
        self.uplink.hand_on()

    def reconnect(self, side: Side) -> None:
        """A leg is here again, over another connection; its receive path begins anew."""
        side.receiver.start(self.started)
        caller, operator = self._sides[Leg.CALLER], self._sides[Leg.OPERATOR]
        self.uplink.reconnect(operator.receiver, caller.connection)
        now = self._parts.clock.monotonic()
        self.downlink.reconnect(caller.receiver, caller.connection, operator.connection, now)
        self.spans[side.leg].end(GapCause.ABSENT, self.now_ms)

    def recode(self, side: Side) -> None:
        """A leg speaks another codec from now on. Its track goes on."""
        if side.leg is Leg.CALLER:
            self.uplink.recode()
        self.downlink.recode(self._parts.clock.monotonic())

    def away(self, leg: Leg) -> None:
        """A leg has lost its connection, and may come back."""
        self.spans[leg].begin(GapCause.ABSENT, self.now_ms)

    def finish(self, cause: str) -> None:
        """The call is over: every track gets the same length, and the recording is closed."""
        if self.uplink.playing:
            self._announced("broken_off")
        self.uplink.finish()
        self.downlink.finish()
        length_ms = self.length_ms
        lengths: dict[str, int] = {}
        for name, rate in self.rates.items():
            self.tracks[name].extend(length_ms * rate // 1000, GapCause.ABSENT)
            if name in self._policy.tracks:
                lengths[name.value] = self.tracks[name].position
        if self.taps:
            self.taps.close(lengths, cause)
        for memory in self.memories.values():
            memory.forget()

    def proof(self) -> dict[str, object] | None:
        """What became of the typing so far."""
        proof = self.uplink.proof()
        return asdict(proof) if proof else None

    def strokes(self) -> list[tuple[int, int]]:
        """The keystrokes since this was last asked, each with its time and its level; where nothing is kept, none."""
        found = self.uplink.strokes()
        return found if self.taps else []

    # What the operator does.

    def mask(self, on: bool, reason: MaskReason) -> int:
        """Keep nothing from now on, or keep again."""
        if self.taps is None:
            raise Refused(Why.NOT_RECORDED)
        at_ms = self.now_ms
        if on != (self.masked is not None):
            self.downlink.catch_up(self._parts.clock.monotonic())
            # The recorder covers what reaches it from now on; the spans, what was spoken in the stretch and comes late.
            for spans in self.spans.values():
                (spans.begin if on else spans.end)(GapCause.MASK, at_ms)
            if on:
                self.taps.mask(reason.value)
            else:
                self.taps.unmask()
            self.masked = reason if on else None
            self._note("mask", at_ms, {"on": on, "reason": reason.value} if on else {"on": on})
        return at_ms

    def mark(self, kind: MarkerKind, text: str) -> int:
        """Set a marker here; its text goes into the recording and nowhere else."""
        if self.taps is None:
            raise Refused(Why.NOT_RECORDED)
        at_ms = self.now_ms
        self.taps.note(at_ms, {"kind": "marker", "marker": kind.value, "text": text})
        self._note("marker", at_ms, {"marker": kind.value})
        return at_ms

    def hold(self, on: bool) -> int:
        """Let neither hear the other, or both again."""
        at_ms = self.now_ms
        if on != self.held:
            self.held = on
            self._cover_holds(at_ms)
            self.downlink.hold(on, self._parts.clock.monotonic())
            self._keep("hold", at_ms, {"on": on})
        return at_ms

    def _look_who_rests(self) -> None:
        """A telephone that puts the other party on hold says so, and sends nothing: nothing of it is lost."""
        resting = {leg for leg, side in self._sides.items() if side.connection.held}
        if resting != self._resting:
            self._resting = resting
            self._cover_holds(self.now_ms)

    def _cover_holds(self, at_ms: int) -> None:
        for leg, spans in self.spans.items():
            held = self.held or leg in self._resting
            (spans.begin if held else spans.end)(GapCause.HOLD, at_ms)

    def mute(self, on: bool) -> int:
        """Let the caller not hear the operator, or hear again."""
        at_ms = self.now_ms
        if on != self.muted:
            spans = self.spans[Leg.OPERATOR]
            (spans.begin if on else spans.end)(GapCause.MUTE, at_ms)
            self._keep("mute", at_ms, {"on": on})
        return at_ms

    @property
    def muted(self) -> bool:
        return self.spans[Leg.OPERATOR].now(GapCause.MUTE)

    def recall(self, back_ms: int) -> tuple[int, int]:
        """Play the last seconds to the operator; from where, and where it ends."""
        if not self.memories:
            raise Refused(Why.UNKNOWN)
        now_ms = self.now_ms
        least_ms = max(0, now_ms - self._policy.recall_ms)
        recall = self.downlink.recalling
        if recall:
            recall.step_back(back_ms, least_ms, now_ms)
        else:
            from_ms = max(least_ms, now_ms - back_ms)
            memories = tuple(self.memories.values())
            recall = Recall(memories, from_ms, now_ms, self.downlink.rate_hz)
            self.downlink.recall(recall, self._parts.clock.monotonic())
        self._keep("recall", now_ms, {"from_ms": recall.at_ms, "to_ms": recall.to_ms})
        return recall.at_ms, recall.to_ms

    def recall_stop(self) -> int:
        """Play it no longer."""
        if self.downlink.recalling is None:
            raise Refused(Why.NOTHING_THERE)
        self.downlink.recall(None, self._parts.clock.monotonic())
        return self.now_ms

    def press(self, digit: str) -> int:
        """Send the caller's end a digit, as a telephone's key would."""
        if not self._sides[Leg.CALLER].connection.takes_digits:
            raise Refused(Why.NOTHING_THERE)
        if not self._sides[Leg.CALLER].connection.press(digit):
            raise Refused(Why.BUSY)
        return self._note_digit(Leg.OPERATOR, digit)

    def pressed(self, by: Leg, digit: str) -> dict[str, object]:
        """A party pressed a key of its telephone; what the operator is told of it."""
        at_ms = self._note_digit(by, digit)
        return protocol.digit(by.value, digit if self._policy.keep_digits else None, at_ms)

    def _note_digit(self, by: Leg, digit: str) -> int:
        """Which digit it was is in the sealed recording alone, and not there on a line or under a mask that keeps none."""
        at_ms = self.now_ms
        known = {"digit": digit} if self._policy.keep_digits and self.masked is None else {}
        if self.taps:
            self.taps.note(at_ms, {"kind": "digit", "by": by.value, **known})
        self._note("digit", at_ms, {"by": by.value})
        return at_ms

    @property
    def playing(self) -> Playing | None:
        """What is played to the caller now."""
        return self.uplink.playing

    def announce(self, name: str, language: str, by: By = "operator") -> Playing:
        """Play an announcement to the caller; `by` says who wishes it. The operator's goes before the service's."""
        found = self._parts.announcements.get(name, {}).get(language)
        if found is None:
            raise Refused(Why.NOTHING_THERE)
        if self.playing and self.playing.by == "service" and by == "operator":
            self._announced("stopped")
        if self.playing:
            raise Refused(Why.BUSY)
        if by == "operator":
            self.language = language
        self.uplink.playing = Playing(found, self.now_ms, by)
        self._announced("begun")
        return self.uplink.playing

    def announce_stop(self) -> int:
        """Play it no longer."""
        if self.uplink.playing is None:
            raise Refused(Why.NOTHING_THERE)
        self._announced("stopped")
        return self.now_ms

    def _announced(self, how: str) -> None:
        playing = self.uplink.playing
        if playing is None:
            return
        one = playing.announcement
        what: dict[str, object] = {
            "announcement": one.id,
            "version": one.version,
            "language": one.language,
            "state": how,
            "by": playing.by,
        }
        if how != "begun":
            what["played_ms"] = playing.played_ms
            self.uplink.playing = None
        self._keep("announcement", self.now_ms, what | {"sha256": one.sha256})

    def lacks(self, what: str) -> None:
        """Keep with the sound that the call must do without this from here on."""
        if self.taps:
            self.taps.note(self.now_ms, {"kind": "degraded", "what": what})

    def _keep(self, kind: str, at_ms: int, what: Mapping[str, object]) -> None:
        """Keep it with the sound, and tell it."""
        if self.taps:
            self.taps.note(at_ms, {"kind": kind, **what})
        self._note(kind, at_ms, what)

    def key(self, at_ms: float) -> None:
        """A key was pressed, by the wall clock of the operator's client."""
        connection = self._sides[Leg.OPERATOR].connection
        used = self.uplink.key(connection.timestamp_at(at_ms), (self.now_ms + KEY_EARLY_MS) * RATE // 1000)
        metrics.KEYS.labels("used" if used else "ignored").inc()

    # How it is.

    def recording_now(self) -> RecordingNow:
        """How the recording is doing."""
        if self.taps is None or self._parts.recording is None:
            return RecordingNow("degraded" if self._policy.record else "off")
        status = self._parts.recording.state(self._call_id)
        why = self.masked.value if self.masked else status.why
        return RecordingNow(str(status.condition), status.safe_ms, status.masked_ms, why)

    def recall_now(self) -> RecallNow | None:
        recall = self.downlink.recalling
        return RecallNow(recall.at_ms, recall.to_ms) if recall else None

    def announcement_now(self) -> AnnouncementNow | None:
        playing = self.uplink.playing
        if playing is None:
            return None
        one = playing.announcement
        return AnnouncementNow(one.id, one.version, one.language, playing.at_ms, one.length_ms)
