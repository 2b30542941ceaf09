"""All calls that are listened to: their sound in, their captions out.

The event loop takes the sound in; one thread decodes for all of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from prometheus_client import Counter, Gauge, Histogram

from audio.feed import Kind, Message
from callsvc import logs
from callsvc.captions.admission import Admission, Load
from callsvc.captions.agreement import Agreement
from callsvc.captions.ear import Ear
from callsvc.captions.scheduler import Scheduler, Work
from callsvc.captions.utterances import Spoken
from callsvc.clock import Clock
from callsvc.transcripts.inventions import invented
from callsvc.types import Leg, Track
from models.recogniser.voice import is_tone
from models.recogniser.words import RATE, Hearing

LEGS = {Track.CALLER_RX: Leg.CALLER, Track.OPERATOR_TX: Leg.OPERATOR}
GIVEN_UP = "…"
"""Stands where an utterance could not be written in time."""
LOOK_EVERY_S = 0.25
"""So often it is seen whether there are too many calls."""
BEHIND_S = 3.0
STAYS_BEHIND_S = 10.0

DELAY = Histogram(
    "callsvc_captions_delay_seconds",
    "From the end of an utterance to its caption",
    buckets=(0.25, 0.5, 1, 2, 4, 8, 16),
)
WRITTEN = Counter("callsvc_captions_written", "Captions of utterances that are over", ["outcome"])
DROPPED = Counter("callsvc_captions_interim_dropped", "Interim work that was stale before its turn came")
PUT_OFF = Gauge(
    "callsvc_captions_calls_put_off", "Calls without captions because the engine has no room for them"
)


class LiveRecogniser(Protocol):
    """A recogniser for captions."""

    def hear(self, sound: NDArray[np.float32], languages: Sequence[str]) -> Hearing: ...

    def sketch(self, sound: NDArray[np.float32], language: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Caption:
    """What was said on a leg, from the start of the call; of an utterance that goes on, as far as it is certain."""

    call: UUID
    leg: str
    n: int
    start_ms: int
    end_ms: int
    text: str
    final: bool


class Room:
    """`out` gets every caption, in whichever thread it is found."""

    def __init__(
        self,
        recogniser: LiveRecogniser,
        languages: Sequence[str],
        out: Callable[[Caption], None],
        clock: Clock,
        ear: Callable[[int], Ear] = Ear,
    ) -> None:
        self._recogniser = recogniser
        self._languages = languages
        self._out = out
        self._clock = clock
        self._ear = ear
        self._ears: dict[UUID, dict[int, tuple[str, Ear]]] = {}
        self._interim: dict[tuple[UUID, str], tuple[int, Agreement]] = {}
        self._gave_up_at = -STAYS_BEHIND_S
        self._over: set[UUID] = set()
        self._admission = Admission(clock.monotonic)
        self._load = Load(clock.monotonic)
        self._looked_at = clock.monotonic()
        self.scheduler = Scheduler(clock.monotonic, self._give_up)
        self._thread = threading.Thread(target=self._decode, name="captions", daemon=True)

    @property
    def calls(self) -> frozenset[UUID]:
        """Calls that go on."""
        return frozenset(self._ears)

    @property
    def put_off(self) -> frozenset[UUID]:
        """Calls that go on without captions, until there is room."""
        return self._admission.put_off

    def ended(self) -> frozenset[UUID]:
        """Calls that have ended since this was asked last."""
        found, self._over = frozenset(self._over), set()
        return found - self.calls

    @property
    def behind(self) -> bool:
        """Whether captions come late, or some did not come, just now."""
        late = self.scheduler.waited_s() > BEHIND_S
        return late or self._clock.monotonic() - self._gave_up_at < STAYS_BEHIND_S

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.scheduler.close()
        if self._thread.is_alive():
            self._thread.join(30)

    def take(self, message: Message) -> None:
        """Something that the feed tells."""
        if message.kind is Kind.OPEN:
            tracks = message.tracks.items()
            self._ears[message.call] = {
                number: (LEGS[Track(name)], self._ear(rate)) for number, (name, rate) in tracks
            }
            self._admission.open(message.call)
            self._told_off()
            return
        if message.kind is Kind.CLOSE:
            self.over(message.call)
            return
        self._make_room()
        found = self._ears.get(message.call, {}).get(message.track)
        if found is not None and self._admission.captioned(message.call):
            leg, ear = found
            sound = message.kind is Kind.SOUND
            came = (
                ear.hear(message.start, message.samples) if sound else ear.gap(message.start, message.length)
            )
            for spoken in came:
                self._put(message.call, leg, spoken)

    def over(self, call: UUID) -> None:
        """A call has ended, or the one that told of it has gone."""
        for leg, ear in self._ears.pop(call, {}).values():
            for spoken in ear.end():
                self._put(call, leg, spoken)
        self._admission.close(call)
        self._told_off()
        self.scheduler.forget(call)
        self._over.add(call)

    def _make_room(self) -> None:
        """Put calls off when the finals that wait would come late; take one back when there is time to spare."""
        now = self._clock.monotonic()
        if now - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = now
        going = self._admission.crowded(self.scheduler.waiting(), self._load.cost_s)
        for call in going:
            for leg, ear in self._ears[call].values():
                # What is being said is not told to its end; later sound begins anew.
                for spoken in ear.end():
                    self._put(call, leg, spoken)
        for work in self.scheduler.withdraw(going) if going else ():
            self._tell(work, GIVEN_UP)
            WRITTEN.labels("put_off").inc()
        if going or (self.put_off and self._admission.back(self._load, self.scheduler.waited_s())):
            self._told_off()
            logs.get("captions").info("captions_room", put_off=len(self.put_off), calls=len(self._ears))

    def _told_off(self) -> None:
        PUT_OFF.set(len(self.put_off))

    def _put(self, call: UUID, leg: str, spoken: Spoken) -> None:
        before = self.scheduler.dropped_interim
        self.scheduler.put(Work(call, leg, spoken, self._clock.monotonic()))
        DROPPED.inc(self.scheduler.dropped_interim - before)

    # In the decoding thread.

    def _decode(self) -> None:
        while True:
            work = self.scheduler.take()
            if work is None:
                return
            try:
                self._do(work)
            except Exception as error:
                # The root of the thread: one utterance is lost, the next ones are not.
                logs.get("captions").error("caption_failed", error=type(error).__name__)
                self._give_up(work)

    def _do(self, work: Work) -> None:
        if work.spoken.final:
            began = self._clock.monotonic()
            sound = work.spoken.sound
            heard = None if is_tone(sound) else self._recogniser.hear(sound, self._languages)
            words = [word.text for word in heard.words] if heard else []
            self._interim.pop(work.place, None)
            self._tell(work, "" if invented(words) else " ".join(words))
            WRITTEN.labels("written").inc()
            now = self._clock.monotonic()
            self._load.add(now - began)
            DELAY.observe(now - work.due)
            return
        n, agreement = self._interim.get(work.place, (-1, Agreement()))
        if n != work.spoken.n:
            agreement = Agreement()
        self._interim[work.place] = (work.spoken.n, agreement)
        shown = agreement.add(self._recogniser.sketch(work.spoken.sound, self._languages[0]))
        if shown:
            self._tell(work, " ".join(shown))

    def _give_up(self, work: Work) -> None:
        self._gave_up_at = self._clock.monotonic()
        if work.spoken.final:
            self._tell(work, GIVEN_UP)
            WRITTEN.labels("given_up").inc()

    def _tell(self, work: Work, text: str) -> None:
        spoken = work.spoken
        start, end = (1000 * place // RATE for place in (spoken.start, spoken.end))
        self._out(Caption(work.call, work.leg, spoken.n, start, end, text, spoken.final))
