"""Draws one training example after another: a voice, a keyboard, a room, a headset, a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from models.suppressor.training import synthetic
from models.suppressor.training.bank import ACTIVE_DB, RATE, Bank, Samples, Stroke, Utterance, frame_db
from models.suppressor.training.lines import HOP, TAPS, ceiling, desk_ringing, equaliser, gain_control, power
from models.suppressor.training.passage import by_browser, by_phone

TAIL = 8000
PLAIN = 0.35
"""Share of examples with a good microphone and nothing between it and us."""
STRETCH = 800
"""Samples by which a voice is made longer or shorter before it is fitted again."""
BY_PHONE, BY_BROWSER = 0.11, 0.06
"""Shares, of the examples that are not plain, that come through A-law and through Opus."""
FAINT_DB = -72.0
"""A floor under this belongs to the silence around a voice, and is left as it is."""


@dataclass
class Example:
    """What the network hears, what it should leave, and what it should know."""

    mix: Samples
    speech: Samples
    keys: NDArray[np.int8]
    """Per block: 1 a key was struck, -1 beside one (not judged), 0 none."""
    voice: NDArray[np.int8]
    threshold_db: float
    """Under this the loudest 8 ms of a stroke are not heard."""
    line_threshold_db: float
    """The same after a telephone band."""
    speech_db: float
    """Active level of the speech, or NaN without any."""


class Mixer:
    """Seeded; every example is new."""

    def __init__(
        self, bank: Bank, seconds: float, seed: list[int], rooms: int = 150, noises: int = 24
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.bank = bank
        self.n = int(seconds * RATE) // HOP * HOP
        self.size = next_fast_len(self.n + TAIL + TAPS, real=True)
        base: dict[str, list[str]] = {}
        for name in bank.speakers:
            base.setdefault(name.split("~")[0], []).append(name)
        self.voices = list(base.values())
        boards: dict[str, list[str]] = {}
        for name in bank.keyboards:
            boards.setdefault(name.split("~")[0], []).append(name)
        real = {k: v for k, v in boards.items() if not k.startswith(("made", "mouse"))}
        self.boards = list(real.values())
        weight = np.array([len(bank.keyboards[v[0]]) for v in self.boards], float) ** 0.5
        self.weight = weight / weight.sum()
        self.made = [k for k in boards if k.startswith("made")]
        self.mice = [k for k in boards if k.startswith("mouse")]
        self.voice_weight = np.array([self._voice_weight(v[0]) for v in self.voices])
        self.voice_weight /= self.voice_weight.sum()
        self.rooms = [synthetic.room(self.rng) for _ in range(rooms)]
        self.noises = [synthetic.noise(self.rng) for _ in range(noises)]

    @staticmethod
    def _voice_weight(name: str) -> float:
        if name.startswith("espeak"):
            return 0.9
        return 1.0 if name.startswith("ls") else 5.0

    # --- voices -----------------------------------------------------------------------------------------------

    def _pick(self, options: list[Any]) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def _track(self, length: int) -> Samples:
        """Pieces of one speaker between pauses, with longer pauses put in, filled with that file's background."""
        rng = self.rng
        names = self._pick([self.voices[int(rng.choice(len(self.voices), p=self.voice_weight))]])
        plain = names[0]
        name = plain if rng.random() < 0.6 else self._pick(names)
        said: list[Utterance] = self.bank.speakers[name]
        out = np.zeros(length, np.float32)
        at = -int(rng.uniform(0, 1.0) * RATE) if rng.random() < 0.3 else 0
        lull = rng.random() < 0.75
        fade = np.linspace(0, 1, HOP, dtype=np.float32)
        first = True
        while at < length:
            u: Utterance = self._pick(said)
            edges = np.concatenate([[0], u.cuts, [len(u.samples)]])
            start = int(rng.integers(len(edges) - 1)) if first else 0
            for a, b in zip(edges[start:-1], edges[start + 1 :], strict=True):
                pieces = [u.samples[a:b]]
                if (first and lull) or rng.random() < 0.3:
                    wait = int(np.exp(rng.uniform(np.log(0.1), np.log(3.0))) * RATE)
                    offset = int(rng.integers(max(1, len(u.background) - wait)))
                    pieces.insert(0, u.background[offset : offset + wait])
                first = False
                for piece in pieces:
                    x = piece.astype(np.float32) / 32768
                    if len(x) > 2 * HOP:
                        x[:HOP] *= fade
                        x[-HOP:] *= fade[::-1]
                    lo, hi = max(at, 0), min(at + len(x), length)
                    if hi > lo:
                        out[lo:hi] += x[lo - at : hi - at]
                    at += len(x) - HOP
                if at >= length:
                    break
        return out

    def _voice(self) -> Samples:
        """A track, mostly at another pace and so of a larger or smaller throat: readers are few, voices many."""
        rng = self.rng
        parts = self.n // STRETCH
        if rng.random() < 0.3:
            return self._track(self.n)
        spoken = max(1, round(parts * float(np.exp(rng.uniform(np.log(0.8), np.log(1.25))))))
        spectrum = rfft(self._track(spoken * STRETCH))
        fitted = np.zeros(parts * STRETCH // 2 + 1, spectrum.dtype)
        both = min(len(fitted), len(spectrum))
        fitted[:both] = spectrum[:both]
        made = irfft(fitted, parts * STRETCH) * (parts / spoken)
        return np.asarray(np.pad(made, (0, self.n - len(made))), np.float32)

    # --- keyboards --------------------------------------------------------------------------------------------

    def _times(self, dense: bool) -> list[float]:
        """Bursts with log-normal gaps, slow pecking, or a key now and then."""
        rng = self.rng
        seconds = self.n / RATE
        style = rng.random()
        t = float(rng.uniform(0.0, 1.2))
        out: list[float] = []
        median = rng.uniform(0.07, 0.13) if style < 0.15 else rng.uniform(0.11, 0.21)
        longest = 28 if dense else 18
        while t < seconds - 0.1:
            count = 1 if style > 0.92 else int(rng.integers(2 if style > 0.6 else 4, longest))
            spread = rng.uniform(0.2, 0.5)
            if 0.8 < style < 0.92:
                median = rng.uniform(0.25, 0.7)
            for _ in range(count):
                if t >= seconds - 0.1:
                    break
                out.append(t)
                t += float(np.clip(median * np.exp(spread * rng.standard_normal()), 0.05, 1.0))
            t += rng.uniform(0.3, 1.6 if dense else 2.8)
        return out

    def _board(self) -> list[Stroke]:
        rng = self.rng
        if rng.random() < 0.22:
            return self.bank.keyboards[self._pick(self.made)]
        names = self.boards[int(rng.choice(len(self.boards), p=self.weight))]
        if len(names) > 1 and rng.random() < 0.4:
            names = [n for n in names if n.endswith("~1.0")] or names
        return self.bank.keyboards[self._pick(names)]

    def _put(self, out: Samples, at: int, x: Samples, gain: float) -> None:
        lo, hi = max(at, 0), min(at + len(x), len(out))
        if hi > lo:
            out[lo:hi] += gain * x[lo - at : hi - at]

    def _typing(self, dense: bool) -> tuple[Samples, list[int]]:
        rng = self.rng
        out = np.zeros(self.n, np.float32)
        board = self._board()
        under = self._board() if rng.random() < 0.15 else None
        damp = rng.uniform(0.008, 0.06) if rng.random() < 0.3 else None
        vary = rng.uniform(0.5, 3.5)
        presses: list[int] = []
        times = self._times(dense)
        mouse = self.bank.keyboards[self._pick(self.mice)] if rng.random() < 0.12 else None
        release_gain = power(rng.uniform(-6, 3))
        for t in times:
            stroke: Stroke = self._pick(mouse if mouse is not None and rng.random() < 0.4 else board)
            gain = power(rng.normal(0, vary))
            at = int(t * RATE)
            x = stroke.samples
            if damp is not None:
                x = x.copy()
                late = x[stroke.press + 80 :]
                late *= np.exp(-np.arange(len(late), dtype=np.float32) / (damp * RATE))
            self._put(out, at - stroke.press, x, gain)
            if under is not None:
                other: Stroke = self._pick(under)
                self._put(
                    out,
                    at - other.press + int(rng.integers(0, 96)),
                    other.samples,
                    gain * power(rng.uniform(-12, 0)),
                )
            if stroke.release is not None:
                held = float(np.clip(0.095 * np.exp(0.3 * rng.standard_normal()), 0.04, 0.3))
                self._put(out, at + int(held * RATE), stroke.release, gain * release_gain)
            presses.append(at)
        return out, presses

    # --- lines, rooms, desks ----------------------------------------------------------------------------------

    def _path(
        self, tail: Samples | None, direct_db: float, filters: list[Samples], desk: Samples | None
    ) -> NDArray[Any]:
        h = np.zeros(TAIL, np.float32)
        h[0] = 1
        if desk is not None:
            h[: len(desk)] += desk
        if tail is not None:
            h[: len(tail)] += tail[:TAIL] * power(-direct_db)
        spectrum = rfft(h, self.size)
        for fir in filters:
            spectrum *= rfft(fir, self.size)
        return np.asarray(spectrum)

    # --- the whole --------------------------------------------------------------------------------------------

    def example(self) -> Example:
        rng = self.rng
        kind = rng.choice(4, p=[0.61, 0.16, 0.20, 0.03])
        plain = rng.random() < PLAIN
        talks, types = kind in (0, 2), kind in (0, 1)
        voice, keys = np.zeros(self.n, np.float32), np.zeros(self.n, np.float32)
        presses: list[int] = []
        if talks:
            voice = self._voice()
        if types:
            keys, presses = self._typing(dense=kind == 1)
        in_room = rng.random() < 0.5
        band = not plain and rng.random() < 0.3
        common = [equaliser(self.rng, 3, band=True)] if band else []
        tail = self._pick(self.rooms) if in_room else None
        if talks and (in_room or band or rng.random() < 0.7):
            filters = common + ([equaliser(self.rng, 2 if plain else 3)] if rng.random() < 0.75 else [])
            path = self._path(tail, rng.uniform(6, 18), filters, None)
            voice = irfft(rfft(voice, self.size) * path, self.size)[: self.n]
        if types and (in_room or band or rng.random() < 0.75):
            filters = common + ([equaliser(self.rng, 3 if plain else 6)] if rng.random() < 0.75 else [])
            desk = desk_ringing(self.rng) if rng.random() < (0.15 if plain else 0.55) else None
            other = self._pick(self.rooms) if in_room else None
            keys = irfft(
                rfft(keys, self.size) * self._path(other, rng.uniform(1, 11), filters, desk), self.size
            )[: self.n]
        level = (
            float(np.clip(rng.normal(-26, 6), -45, -12))
            if not plain and rng.random() < 0.6
            else rng.normal(-26, 1)
        )
        if talks:
            db = self._active(voice)
            voice *= power(level - db) if db > -70 else 0.0
            if not plain and rng.random() < 0.08:
                drive = rng.uniform(1.5, 4) / power(level)
                voice = (np.tanh(voice * drive / 4) / drive * 4).astype(np.float32)
        if types:
            span = 20 if rng.random() < 0.3 else 12
            relative = rng.uniform(-span, span)
            peaks = [np.abs(keys[max(0, p - 80) : p + 960]).max() for p in presses if p < self.n]
            peak = float(np.median(peaks)) if peaks else 0.0
            keys *= power(level + relative) / max(peak, 1e-6)
        floor = (
            rng.uniform(-70, -52)
            if in_room
            else rng.uniform(-84, -74)
            if plain or rng.random() < 0.7
            else rng.uniform(-70, -50)
        )
        sound: Samples = self._pick(self.noises)
        start = int(rng.integers(len(sound) - self.n))
        floor_samples = sound[start : start + self.n] * power(floor)
        mix: Samples = voice + keys + floor_samples
        if not plain and rng.random() < 0.16:
            curve = gain_control(self.rng, mix)
            voice, mix, floor_samples = voice * curve, mix * curve, floor_samples * curve
        top = float(np.abs(mix).max())
        if top > 0.97:
            voice, mix, floor_samples = (
                np.asarray(z * (0.97 / top), np.float32) for z in (voice, mix, floor_samples)
            )
        if not plain:
            came = self.rng.random()
            if came < BY_PHONE:
                mix, voice, floor_samples = by_phone(self.rng, mix, voice, floor_samples)
            elif came < BY_PHONE + BY_BROWSER:
                mix, voice = by_browser(self.rng, mix, voice)
            else:
                mix = ceiling(self.rng, mix)
        mix = np.asarray(np.round(mix * 32767) / 32767, np.float32)
        thresholds = self._thresholds(floor_samples)
        made = self._labelled(mix, voice.astype(np.float32), presses, thresholds, talks)
        if talks and floor < FAINT_DB:
            made.speech = np.asarray(voice + floor_samples, np.float32)
        return made

    @staticmethod
    def _thresholds(floor: Samples) -> tuple[float, float]:
        """What counts as heard, in full and after a telephone band: 6 dB over the floor, or -60 dBFS."""
        some = floor[: 2 * RATE]
        power = np.abs(rfft(some)) ** 2 * 2 / len(some) ** 2
        low, high = (int(hz * len(some) / RATE) for hz in (300, 3400))
        sums = float(power[1:].sum()), float(power[low:high].sum())
        full, line = (max(10 * np.log10(p + 1e-12) + 6, -60.0) for p in sums)
        return float(full), float(line)

    @staticmethod
    def _active(x: Samples) -> float:
        f = frame_db(x, 20)
        loud = f[f > np.percentile(f, 98) - 25]
        return float(10 * np.log10(np.mean(10 ** (loud / 10)) + 1e-12))

    def _labelled(
        self, mix: Samples, voice: Samples, presses: list[int], thresholds: tuple[float, float], talks: bool
    ) -> Example:
        blocks = self.n // HOP
        struck = np.zeros(blocks + 2, np.int8)
        hits = np.array([p // HOP for p in presses if p // HOP < blocks], np.int64)
        struck[hits + 1] = -1
        struck[np.maximum(hits - 1, 0)] = -1
        struck[hits] = 1
        said = np.zeros(blocks, np.int8)
        level = float("nan")
        if talks:
            f = frame_db(voice, 10)
            active = self._active(voice)
            if active > -70:
                level = active
                said = (f > level - 32).astype(np.int8)
        return Example(mix, voice, struck[:blocks], said, *thresholds, level)


def stack(examples: list[Example]) -> dict[str, NDArray[Any]]:
    """A batch, streams first."""
    return {
        "mix": np.stack([e.mix for e in examples]),
        "speech": np.stack([e.speech for e in examples]),
        "keys": np.stack([e.keys for e in examples]),
        "voice": np.stack([e.voice for e in examples]),
        "threshold_db": np.array([e.threshold_db for e in examples], np.float32),
        "line_threshold_db": np.array([e.line_threshold_db for e in examples], np.float32),
        "speech_db": np.array([e.speech_db for e in examples], np.float32),
    }


__all__ = ["ACTIVE_DB", "Example", "Mixer", "stack"]
