"""What is played where a packet is missing: the last pitch period again, fading; then noise like the room's own.

    good, good ─► hole: the last period over and over, fading out over 60 ms ─► comfort noise ─► good: crossfade

So nobody's voice goes on by itself, and nobody takes a silent line for a dead one. After ITU-T G.711 appendix I, with
a period found by autocorrelation; where the codec can conceal by itself (Opus) its own way takes the period's place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from audio.resample import Floats
from audio.taps import Samples

FADE_MS = 60
"""How long a voice is drawn out at most."""
PLAIN_MS = 10
"""How long it is not fainter yet."""
JOIN_MS = 5
"""How long what was made up and what came overlap."""
HISTORY_MS = 40
LOWEST_HZ, HIGHEST_HZ = 66, 400
TEXTURE_EVERY = 8
"""Every so many good frames are looked at for how the room sounds."""
TEXTURES = 25
"""Looks that the quietest is taken of: four seconds."""
LOUDEST_NOISE = 100.0
"""RMS of comfort noise at most (-50 dBFS): a room that is louder than that has a voice in it."""

Look = tuple[float, Samples]
"""A frame's power, and the frame."""
_TURNS = np.exp(2j * np.pi * np.arange(1024) / 1024)
"""Phases to throw."""

OwnWay = Callable[[int], Samples]
"""Makes up so many samples as the codec itself would."""


class Concealer:
    """Fills the holes of one stream at one rate."""

    def __init__(self, rate_hz: int, own_way: OwnWay | None = None) -> None:
        self._rate_hz = rate_hz
        self._own_way = own_way
        self._fade = rate_hz * FADE_MS // 1000
        self._plain = rate_hz * PLAIN_MS // 1000
        self.join = rate_hz * JOIN_MS // 1000
        """Samples of overlap where sound begins again."""
        self._recent: deque[Samples] = deque(maxlen=1 + HISTORY_MS // 10)
        self._period: Floats = np.zeros(0, np.float32)
        self._filled = 0
        self._seen = 0
        self._noise = ComfortNoise(rate_hz)

    def good(self, samples: Samples) -> Samples | None:
        """Take note of sound that came. After a hole: what to fade out over its first samples."""
        lead = None
        if self._filled >= self._fade:
            lead = _int16(self._noise.take(self.join))
        elif self._filled and self._own_way is None:
            # A codec that conceals by itself leads over by itself.
            lead = self._drawn_out(self.join)
        self._filled = 0
        self._recent.append(samples)
        self._seen += 1
        if self._seen % TEXTURE_EVERY == 0:
            self._noise.look(samples)
        return lead

    @property
    def fills(self) -> bool:
        """Whether the last that was played was made up."""
        return self._filled > 0

    def hole(self, count: int) -> Samples:
        """Sound for `count` samples that never came."""
        if not self._filled:
            self._period = _period(self._history(), self._rate_hz)
        return self._drawn_out(count)

    def silence(self, count: int) -> Samples:
        """Sound for `count` samples in which the sender chose to send none."""
        if not self._recent and not self._filled:
            return np.zeros(count, np.int16)
        if self._filled < self._fade:
            self._filled = self._fade
        self._filled += count
        return _int16(self._noise.take(count))

    def _history(self) -> Floats:
        if not self._recent:
            return np.zeros(0, np.float32)
        return np.concatenate(self._recent)[-self._rate_hz * HISTORY_MS // 1000 :].astype(np.float32)

    def _drawn_out(self, count: int) -> Samples:
        start, self._filled = self._filled, self._filled + count
        if not self._recent:
            return np.zeros(count, np.int16)
        if start >= self._fade:
            return _int16(self._noise.take(count))
        at = start + np.arange(count)
        gain = np.clip((self._fade - at) / (self._fade - self._plain), 0.0, 1.0).astype(np.float32)
        if self._own_way is not None:
            voice = self._own_way(count).astype(np.float32)[:count]
        else:
            voice = self._period[at % len(self._period)]
        return _int16(voice * gain + self._noise.take(count) * (1 - gain))


class ComfortNoise:
    """Noise like the quietest that was heard in the last seconds."""

    def __init__(self, rate_hz: int) -> None:
        self._size = rate_hz * 20 // 1000
        self._window = np.hanning(2 * self._size + 1)[:-1].astype(np.float32)
        self._looks: deque[Look] = deque(maxlen=TEXTURES)
        self._shaped: Look | None = None
        self._shape: NDArray[np.float64] = np.zeros(self._size + 1)
        self._chance = np.random.default_rng(1)
        self._tail: Floats = np.zeros(self._size, np.float32)
        self._rest: Floats = np.zeros(0, np.float32)

    def look(self, samples: Samples) -> None:
        """Remember how this frame sounded."""
        sound = samples.astype(np.float32)
        self._looks.append((float(np.dot(sound, sound)) / max(1, len(sound)), samples))

    def take(self, count: int) -> Floats:
        """The next samples, on the scale of int16."""
        while len(self._rest) < count:
            self._rest = np.concatenate([self._rest, self._frame()])
        out, self._rest = self._rest[:count], self._rest[count:]
        return out

    def _frame(self) -> Floats:
        """The quietest frame's spectrum with phases thrown anew, overlapped by half."""
        size = self._size
        if not self._looks:
            return np.zeros(size, np.float32)
        quietest = min(self._looks, key=_power)
        if quietest is not self._shaped:
            # Many holes are filled from the same look: a node whose packets are lost by the hundred has no time for more.
            self._shaped, self._shape = quietest, _shape(quietest, size)
        phases = self._chance.integers(0, len(_TURNS), len(self._shape))
        sound = np.fft.irfft(self._shape * _TURNS[phases], 2 * size).astype(np.float32)
        sound *= self._window
        out: Floats = sound[:size] + self._tail
        self._tail = sound[size:]
        return out


def _power(look: Look) -> float:
    return look[0]


def _shape(look: Look, size: int) -> NDArray[np.float64]:
    """The magnitudes of noise that sounds like this look, and is as loud, after a Hann window and overlapped by half."""
    power, samples = look
    shape: NDArray[np.float64] = np.abs(np.fft.rfft(samples[:size].astype(np.float64), 2 * size))
    shape = np.convolve(shape, np.full(9, 1 / 9), "same")
    # The first and the last bin have no phase that could be thrown, and no twin.
    shape[0] = shape[-1] = 0.0
    wanted = min(float(np.sqrt(power)), LOUDEST_NOISE)
    level = float(np.sqrt(2 * np.sum(shape**2))) / (2 * size)
    # Two neighbours under a Hann window have 3/4 of one's power where they overlap.
    return shape * (wanted / level / np.sqrt(0.75) if level > 1e-6 else 0.0)


def _period(history: Floats, rate_hz: int) -> Floats:
    """The last pitch period of what was heard, its end leading over into its beginning."""
    shortest, longest = rate_hz // HIGHEST_HZ, rate_hz // LOWEST_HZ
    if len(history) < longest + shortest:
        return history if len(history) else np.zeros(1, np.float32)
    window = min(rate_hz * 20 // 1000, len(history) - longest)
    # At full rate the correlation would cost more than the frame is worth; a quarter of the samples tell the period.
    step = max(1, rate_hz // 8000)
    last = history[-window:]
    thin = np.ascontiguousarray(history[-window - longest :][::step])
    part = thin[-(window // step) :]
    lags = np.arange(shortest // step, longest // step + 1)
    ends = len(thin)
    scores = np.empty(len(lags))
    for place, shift in enumerate(lags):
        earlier = thin[ends - len(part) - shift : ends - shift]
        energy = float(np.dot(earlier, earlier))
        scores[place] = float(np.dot(part, earlier)) / np.sqrt(energy) if energy > 0 else 0.0
    lag = int(lags[int(scores.argmax())]) * step
    period = last[-lag:].copy() if lag <= len(last) else history[-lag:].copy()
    overlap = lag // 4
    fade = np.linspace(0.0, 1.0, overlap, dtype=np.float32)
    before = history[-lag - overlap : -lag]
    if len(before) == overlap:
        period[-overlap:] = period[-overlap:] * (1 - fade) + before * fade
    return period


def _int16(sound: NDArray[np.floating]) -> Samples:
    whole: Samples = np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
    return whole


def joined(samples: Samples, lead: Samples | None) -> Samples:
    """The same sound, faded in while what was made up before it fades out: for the ear, not for the record."""
    if lead is None:
        return samples
    count = min(len(lead), len(samples))
    fade = np.linspace(0.0, 1.0, count)
    eased = samples.copy()
    eased[:count] = (samples[:count] * fade + lead[:count] * (1 - fade)).astype(np.int16)
    return eased
