"""Operator to caller: the one direction that is worked on.

    packets ─► receiver (16 kHz) ─► operator.rx tap ─► suppressor ─► hold, mute ─► + announcement
                                                        ─► operator.tx tap ─► rate ─► encode ─► caller

If the suppressor is missing, full or stuck, sound goes past it and the call is marked as degraded.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from audio import codecs
from audio.codecs import Encoder
from audio.codecs.g711 import G711
from audio.codecs.opus import OpusEncoder
from audio.conceal import joined
from audio.errors import AudioError
from audio.marks import Marks, Run
from audio.receive import Heard, Receiver
from audio.resample import Floats, Resampler, rounded, to_float, to_int16
from audio.suppressor import BLOCK, RATE, Engine, Proof, Stream, StrokeInfo
from audio.taps import Continuous, GapCause, Samples
from callsvc.telephony import metrics, outgoing
from callsvc.telephony.announcements import Playing
from callsvc.telephony.connection import Connection
from callsvc.telephony.spans import Spans
from callsvc.telephony.wakes import Wakes

THROUGH, PAST = metrics.BLOCKS.labels("through"), metrics.BLOCKS.labels("past")
STUCK_BLOCKS = 25
"""Blocks that may be inside the engine; with more it is taken for dead (250 ms, its own patience is far less)."""
EARLY_S = 0.005
"""Half of what lies between two wakes: a frame leaves with the wake that is nearest to when it falls due, not with the
one after that."""
EARLIEST_S = 0.015
"""More than lies between two wakes: where the line can spare it, a frame waits for no wake beyond its turn. Going over to
that, and back, is a step in what the caller hears, so it is not done for every packet that is a little slow.
"""
FRAME = RATE // 50
MOST_MADE = 10 * FRAME
"""Of silence that ought to have been sent, no more is made up for."""
SILENCED = (GapCause.HOLD, GapCause.MUTE)
"""What the caller does not hear."""
STROKES = 500
"""Keystrokes that wait to be told; nobody types as many before they are fetched."""
STROKE_GRAIN_MS = 10
"""How exactly a stroke's time is told: enough to be drawn, too little to guess what was typed."""


class Uplink:
    """One call's way from the operator to the caller. Made and used in the event loop."""

    def __init__(
        self,
        receiver: Receiver,
        caller: Connection,
        engine: Engine | None,
        raw: Continuous,
        heard: Continuous,
        spans: Spans,
        degraded: Callable[[str], None],
        *,
        started: float,
        hints: bool = False,
    ) -> None:
        self._started = started
        """When media time began."""
        self._receiver = receiver
        self._raw = raw
        self._heard = heard
        self._spans = spans
        self._degraded = degraded
        self.playing: Playing | None = None
        """An announcement on its way to the caller."""
        self._place = 0
        self._pushed = 0
        self._early_s = EARLY_S
        self._through = 0
        self._shift: int | None = None
        self._made_to = 0
        """Where silence ends that was made here, in place of what has not come yet."""
        self._wakes = Wakes.of(asyncio.get_running_loop())
        self._returned: deque[Floats] = deque()
        self._struck: deque[tuple[int, float]] = deque(maxlen=STROKES)
        self._awake = False
        self._enough = 1
        """Blocks that make the next frame whole: with fewer there is nothing to send yet."""
        self._waiting: list[Floats] = []
        self._inside: deque[Floats] = deque()
        self._rest: Floats = np.zeros(0, np.float32)
        self._last_proof: Proof | None = None
        self._stream = self._open(engine, hints)
        self._marks = Marks(engine.latency_samples if engine and self._stream else 0)
        self._connect(caller)

    def _connect(self, caller: Connection) -> None:
        self._caller = caller
        self._codec = caller.codec
        # Opus takes the suppressor's rate as it is.
        spoken = codecs.at_rate(self._codec, RATE)
        self._encoder: Encoder = spoken.encoder()
        self._frame = spoken.frame_samples
        self.law = self._codec if isinstance(self._codec, G711) else None
        """How a telephone is spoken to, if the caller is at one."""
        self.resampler = Resampler(RATE, spoken.rate_hz)
        self._outgoing: Floats = np.zeros(0, np.float32)

    def reconnect(self, receiver: Receiver, caller: Connection) -> None:
        """A leg came back over another connection."""
        self._receiver = receiver
        self._shift = None
        if caller is not self._caller:
            self._connect(caller)

    def recode(self) -> None:
        """The caller speaks another codec from now on."""
        self._connect(self._caller)

    def _open(self, engine: Engine | None, hints: bool) -> Stream | None:
        if engine is not None:
            try:
                stream = engine.open(self._on_block, hints=hints)
                # What comes back as a batch is sent on as one.
                engine.on_batch = self._wakes.hold
                return stream
            except AudioError:
                pass
        self._degraded("suppressor")
        return None

    def tick(self, now: float) -> None:
        """Play what is due; `hand_on` follows."""
        spare_s = self._receiver.spare_s
        if spare_s >= EARLIEST_S:
            self._early_s = EARLIEST_S
        elif spare_s < EARLY_S:
            self._early_s = EARLY_S
        for heard in self._due(now, now + self._early_s):
            self._record(heard)
            if heard.played:
                self._play(heard)
            elif heard.start is not None:
                # The caller hears nothing of it, and nothing is missing: the clock alone goes on.
                self._marks.put(Run(0, heard.start, GapCause.SILENCE, len(heard.samples)))
        if self._returned and not self._awake:
            # Less than a frame, as it is left over when the stream stops: for the record.
            outgoing.send([self], self._raise)
        if self._stream and len(self._inside) > STUCK_BLOCKS:
            self._go_round()

    def _due(self, now: float, until: float) -> Iterable[Heard]:
        if not self._receiver.begun:
            return self._nothing_yet(round((now - self._started) * RATE) - FRAME)
        found = self._receiver.pop(until)
        if self._made_to and found and found[0].start is not None:
            # The first that comes follows silence that was made here: nothing was lost between.
            between = found[0].start - self._made_to
            if between > 0:
                self._raw.gap(self._made_to, between, GapCause.ABSENT)
                self._marks.put(Run(0, self._made_to, GapCause.ABSENT, between))
            self._made_to = 0
        return found

    def _nothing_yet(self, until: int) -> Iterator[Heard]:
        """Silence in place of an operator of whom nothing has come over this connection: the caller's line is not to seem
        dead, and announcements have to be heard even so. It ends a frame early, for whoever comes then."""
        at = max(self._raw.position, until - MOST_MADE)
        while at + FRAME <= until:
            yield Heard(at, np.zeros(FRAME, np.int16), GapCause.ABSENT)
            at = self._made_to = at + FRAME

    def _record(self, heard: Heard) -> None:
        if heard.start is None:
            return
        cause = self._cause(heard.start, heard.cause)
        if cause is None:
            self._raw.write(heard.start, heard.samples)
        else:
            self._raw.gap(heard.start, len(heard.samples), cause)

    def _cause(self, start: int, cause: GapCause | None) -> GapCause | None:
        """Why what was said at this place is not kept."""
        if self._spans:
            at_ms = start * 1000 // RATE
            for one in (GapCause.MASK, *SILENCED):
                if self._spans.over(one, at_ms):
                    return one
            if cause is GapCause.LOSS and self._spans.over(GapCause.ABSENT, at_ms):
                return GapCause.ABSENT
        return cause

    def _play(self, heard: Heard) -> None:
        samples = joined(heard.samples, heard.lead)
        self._marks.put(Run(len(samples), heard.start, heard.cause))
        if heard.start is not None:
            self._shift = self._pushed - heard.start
        self._pushed += len(samples)
        sound = to_float(samples)
        if self._stream is None:
            PAST.inc(len(sound) / BLOCK)
            self.send(sound)
            return
        if len(self._rest):
            sound = np.concatenate([self._rest, sound])
        whole = len(sound) - len(sound) % BLOCK
        self._rest = sound[whole:]
        self._waiting.extend(sound[start : start + BLOCK] for start in range(0, whole, BLOCK))

    def hand_on(self) -> None:
        """Let the suppressor have what became due. Beside `tick`, so that all calls do so at once: it is far cheaper
        by the batch than by the block.
        """
        if self._stream is None or not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        for block in waiting:
            self._inside.append(block)
            self._stream.push(block)

    def _on_block(self, out: Floats, info: StrokeInfo) -> None:
        """A block came back; in the engine's thread."""
        self._returned.append(out)
        if info.stroke:
            self._struck.append((info.at_samples, info.level_db))
        if not self._awake and len(self._returned) >= self._enough:
            self._awake = True
            self._wakes.soon(self)

    def take_back(self) -> list[Floats]:
        """What has come back; it is for the caller of this to `send` it."""
        self._awake = False
        if self._stream is None:
            return []
        blocks: list[Floats] = []
        returned, inside = self._returned, self._inside
        while returned:
            blocks.append(returned.popleft())
            if inside:
                inside.popleft()
        self._through += len(blocks)
        return blocks

    @staticmethod
    def _raise(error: Exception) -> None:
        raise error

    def usual(self, blocks: int) -> Run | None:
        """What so many blocks are, if they are a whole frame of one kind that nothing is laid over; taken, then."""
        if blocks != FRAME // BLOCK or len(self._outgoing) or self.playing or self._spans:
            return None
        return self._marks.whole(FRAME)

    def send_usual(self, run: Run, samples: Samples, payload: bytes) -> None:
        """Send a frame of the usual kind that was worked on with those of other calls."""
        if run.start is not None:
            self._place = run.start
            if run.cause is None:
                self._heard.write(run.start, samples)
            else:
                self._heard.gap(run.start, run.count, run.cause)
        self._caller.send_frame(self._codec, payload)

    def _go_round(self) -> None:
        """The engine is stuck: let what is inside it go by as it is, and all that follows."""
        assert self._stream is not None
        self._last_proof = self._stream.close()
        self._stream = None
        self._returned.clear()
        waiting, self._inside, self._waiting = [*self._inside, *self._waiting], deque(), []
        latency = self._last_proof.latency_samples
        self._marks.take(latency)
        for block in [*waiting, self._rest]:
            self.send(block)
        self._rest = self._rest[:0]
        self._degraded("suppressor")

    def send(self, sound: Floats) -> None:
        """Send sound on to the caller, worked on by itself."""
        at = 0
        if self.playing or self._spans:
            # What is in hand may be lent from elsewhere, and is about to be changed.
            sound = sound.copy()
        for run in self._marks.take(len(sound)):
            self._pass(run, sound[at : at + run.count])
            at += run.count
        resampled = self.resampler.process(sound)
        self._outgoing = np.concatenate([self._outgoing, resampled]) if len(self._outgoing) else resampled
        frame = self._frame
        while len(self._outgoing) >= frame:
            payload = self._encoder.encode(rounded(self._outgoing[:frame] * np.float32(32768.0)))
            self._outgoing = self._outgoing[frame:]
            self._caller.send_frame(self._codec, payload)
        per_block = BLOCK * self._frame // FRAME
        self._enough = -(-(frame - len(self._outgoing)) // per_block)

    def _pass(self, run: Run, part: Floats) -> None:
        """One run on its way out: silenced, joined by an announcement, recorded as it is heard; in place."""
        if run.start is not None:
            self._place = run.start
        cause = run.cause
        if self._spans:
            at_ms = self._place * 1000 // RATE
            silenced = next((one for one in SILENCED if self._spans.over(one, at_ms)), None)
            if silenced:
                part[:] = 0
                cause = silenced
            elif cause is GapCause.LOSS and self._spans.over(GapCause.ABSENT, at_ms):
                cause = GapCause.ABSENT
        if self.playing:
            part += self.playing.take(run.count)
            cause = None
        if self._spans and self._spans.over(GapCause.MASK, self._place * 1000 // RATE):
            cause = GapCause.MASK
        if run.start is None:
            return
        if run.left_out:
            self._heard.gap(run.start, run.left_out, cause or GapCause.SILENCE)
        elif cause is None:
            self._heard.write(run.start, to_int16(part))
        elif cause is GapCause.MASK:
            self._heard.masked(run.start, to_int16(part))
        else:
            self._heard.gap(run.start, run.count, cause)

    def key(self, timestamp: int | None, otherwise: int) -> bool:
        """A key was pressed when this RTP timestamp was spoken; without one, at this place on the media clock."""
        place = self._receiver.place_of(timestamp) if timestamp is not None else None
        if place is None or abs(place - otherwise) > RATE:
            place = otherwise
        return self._stream is not None and self._shift is not None and self._stream.hint(place + self._shift)

    def adapt(self) -> None:
        """Let the encoder know what the caller misses; bring the metrics up to date."""
        THROUGH.inc(self._through)
        self._through = 0
        if isinstance(self._encoder, OpusEncoder):
            self._encoder.expect_loss(self._caller.peer_loss)

    def finish(self) -> None:
        """The call is over: what still waits is recorded as it came, and is not played to anybody."""
        for heard in self._receiver.drain():
            self._record(heard)
        if self._stream:
            self._last_proof = self._stream.close()
            self._stream = None

    def strokes(self) -> list[tuple[int, int]]:
        """The keystrokes since this was last asked: when on the call's clock, in ms, and how loud at the microphone, in
        dBFS. Not those under a mask.
        """
        found: list[tuple[int, int]] = []
        while self._struck:
            at_samples, level_db = self._struck.popleft()
            at_ms = max(0, at_samples - (self._shift or 0)) * 1000 // RATE
            if not self._spans.over(GapCause.MASK, at_ms):
                found.append((at_ms - at_ms % STROKE_GRAIN_MS, round(level_db)))
        return found

    def proof(self) -> Proof | None:
        """What was done to the typing so far; None when there never was a suppressor."""
        return self._stream.proof() if self._stream else self._last_proof

    @property
    def blocks_inside(self) -> int:
        """Blocks that the suppressor has not given back yet."""
        return len(self._inside) - len(self._returned)
