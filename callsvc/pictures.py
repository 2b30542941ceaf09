"""Before and after, as a picture: two spectrograms on one clock, with every keystroke marked.

s = Spectrogram(rate); s.add(samples) ...        any length, in pieces, constant memory
before_after(s_before, s_after, strokes, labels) -> PIL image
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Float = NDArray[np.float32]
Colour = tuple[int, int, int]

HOP_S = 0.008
WINDOW_S = 0.032
ROWS = 192
LOWEST_HZ = 60.0
COLUMNS = 4096
"""Columns kept; when they are full, two become one, the louder of each pair."""
QUIET_DB = -100.0
LOUD_DB = -30.0

# From night to daylight, evenly brighter: what is silent is dark, what can be heard glows.
COLOURS = (
    (0.00, (8, 11, 23)),
    (0.18, (20, 27, 58)),
    (0.36, (33, 57, 105)),
    (0.54, (27, 104, 131)),
    (0.70, (58, 154, 128)),
    (0.84, (183, 194, 104)),
    (0.94, (250, 214, 140)),
    (1.00, (255, 247, 226)),
)
GROUND = (14, 17, 30)
TEXT = (232, 236, 244)
FAINT = (150, 160, 182)
LINE = (52, 60, 84)
MARK = (255, 158, 94)


@dataclass(frozen=True)
class Labels:
    """The words in a picture, in the reader's language."""

    title: str
    before: str
    after: str
    strokes: str
    """What the marks are, with how many."""
    seconds: str = "s"


def _scale(rate: int) -> NDArray[np.float64]:
    """Frequencies of the rows, lowest first: even steps on the mel scale up to half the rate, 8 kHz at most."""
    top = min(8000.0, rate / 2)
    mel = np.linspace(_mel(LOWEST_HZ), _mel(top), ROWS)
    return 700.0 * (np.exp(mel / 1127.0) - 1.0)


def _mel(hz: float) -> float:
    return 1127.0 * math.log1p(hz / 700.0)


class Spectrogram:
    """Levels over time and frequency of a signal of any length, in a bounded number of columns."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.samples = 0
        self._hop = max(1, round(rate * HOP_S))
        self._size = max(2, round(rate * WINDOW_S))
        self._window = np.hanning(self._size + 1)[:-1].astype(np.float32)
        self._places = _scale(rate) * self._size / rate
        self._rest: Float = np.zeros(0, np.float32)
        self._columns = np.zeros((COLUMNS, ROWS), np.float32)
        self._count = 0
        self._each = 1
        self._partial: list[Float] = []

    def add(self, samples: Float) -> None:
        """The next samples, mono."""
        self.samples += len(samples)
        whole = np.concatenate((self._rest, samples))
        count = max(0, (len(whole) - self._size) // self._hop + 1)
        self._rest = whole[count * self._hop :]
        if count:
            frames = np.lib.stride_tricks.sliding_window_view(whole, self._size)[:: self._hop][:count]
            self._take(frames)

    def levels(self) -> tuple[Float, float]:
        """(rows, columns) in dBFS, lowest frequency first, and the seconds that they span."""
        columns = self._columns[: self._count]
        if self._partial:
            columns = np.vstack((columns, np.max(self._partial, axis=0)[None]))
        if not len(columns):
            columns = np.zeros((1, ROWS), np.float32)
        decibels: Float = (10 * np.log10(np.maximum(columns, 1e-12))).astype(np.float32)
        return decibels.T, max(self.samples / self.rate, HOP_S)

    def _take(self, frames: Float) -> None:
        spectra = np.fft.rfft(frames * self._window, axis=1)
        power = (spectra.real**2 + spectra.imag**2).astype(np.float32) * np.float32(
            4 / float(self._window.sum()) ** 2
        )
        left = np.minimum(self._places.astype(int), power.shape[1] - 2)
        share = (self._places - left).astype(np.float32)
        rows = power[:, left] * (1 - share) + power[:, left + 1] * share
        for row in rows:
            self._partial.append(row)
            if len(self._partial) == self._each:
                self._columns[self._count] = np.max(self._partial, axis=0)
                self._partial.clear()
                self._count += 1
                if self._count == COLUMNS:
                    self._fold()

    def _fold(self) -> None:
        self._columns[: COLUMNS // 2] = self._columns.reshape(COLUMNS // 2, 2, ROWS).max(axis=1)
        self._count = COLUMNS // 2
        self._each *= 2


def spectrogram(samples: Float, rate: int) -> Spectrogram:
    """The spectrogram of a whole signal."""
    made = Spectrogram(rate)
    made.add(np.asarray(samples, np.float32))
    return made


def before_after(
    before: Spectrogram, after: Spectrogram, strokes: Sequence[float], labels: Labels, width: int = 1400
) -> Image.Image:
    """One picture of both, `strokes` (seconds) marked between them."""
    left, right, top, panel, between, bottom = 74, 30, 92, 250, 62, 54
    height = top + 2 * panel + between + bottom
    image = Image.new("RGB", (width, height), GROUND)
    draw = ImageDraw.Draw(image)
    span = max(before.levels()[1], after.levels()[1])
    inner = width - left - right
    _write(draw, (left, 22), labels.title, TEXT, 24, "lm")
    _legend(image, draw, width - right - 260, 16)
    for y, signal, name in ((top, before, labels.before), (top + panel + between, after, labels.after)):
        _write(draw, (left, y - 17), name, TEXT, 17, "lm")
        levels, seconds = signal.levels()
        wide = max(1, round(inner * seconds / span))
        draw.rectangle((left, y, left + inner - 1, y + panel - 1), fill=COLOURS[0][1])
        image.paste(_paint(levels).resize((wide, panel), Image.Resampling.BICUBIC), (left, y))
        draw.rectangle((left - 1, y - 1, left + inner, y + panel), outline=LINE)
        _frequencies(draw, signal.rate, left, y, panel)
        for at in strokes:
            x = left + at / span * inner
            draw.line((round(x), y, round(x), y + 7), MARK, 2)
    middle = top + panel + between / 2 - 6
    for at in strokes:
        x = left + at / span * inner
        draw.polygon(((x - 3, middle - 21), (x + 3, middle - 21), (x, middle - 14)), MARK)
    _write(draw, (width - right, top + panel + between - 17), labels.strokes, MARK, 15, "rm")
    _seconds(draw, labels.seconds, span, left, inner, height - bottom)
    return image


def panel(signal: Spectrogram, width: int, height: int) -> Image.Image:
    """The picture of one signal alone, without words: what a page lays its own marks over."""
    levels, _ = signal.levels()
    return _paint(levels).resize((width, height), Image.Resampling.BICUBIC)


def _paint(levels: Float) -> Image.Image:
    """Levels (rows, columns), lowest first, in colour, highest frequency on top."""
    place = np.clip((levels[::-1] - QUIET_DB) / (LOUD_DB - QUIET_DB), 0.0, 1.0)
    stops = [stop for stop, _ in COLOURS]
    channels = [np.interp(place, stops, [colour[c] for _, colour in COLOURS]) for c in range(3)]
    return Image.fromarray(np.stack(channels, axis=-1).round().astype(np.uint8))


def _frequencies(draw: ImageDraw.ImageDraw, rate: int, left: int, y: int, panel: int) -> None:
    low, high = _mel(LOWEST_HZ), _mel(min(8000.0, rate / 2))
    for hz in (250, 500, 1000, 2000, 4000, 8000):
        if hz <= rate / 2:
            at = y + panel - 1 - (_mel(hz) - low) / (high - low) * (panel - 1)
            draw.line((left - 6, at, left - 2, at), LINE)
            name = f"{hz} Hz" if hz < 1000 else f"{hz // 1000} kHz"
            _write(draw, (left - 10, min(max(at, y + 6), y + panel - 7)), name, FAINT, 13, "rm")


def _seconds(draw: ImageDraw.ImageDraw, unit: str, span: float, left: int, inner: int, y: int) -> None:
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 3600)
    step = next((float(s) for s in steps if span / s <= 14), 7200.0)
    for n in range(int(span / step) + 1):
        at = n * step
        x = left + at / span * inner
        draw.line((x, y + 2, x, y + 7), LINE)
        name = f"{at:g} {unit}" if step < 60 else f"{int(at // 60)}:{int(at % 60):02d}"
        _write(draw, (x, y + 19), name, FAINT, 13, "mm")


def _legend(image: Image.Image, draw: ImageDraw.ImageDraw, x: int, y: int) -> None:
    """What the colours mean, in dBFS."""
    ramp = np.linspace(QUIET_DB, LOUD_DB, 260, dtype=np.float32)[None]
    image.paste(_paint(np.repeat(ramp, 8, axis=0)), (x, y))
    for decibels in (-100, -80, -60, -40):
        at = x + (decibels - QUIET_DB) / (LOUD_DB - QUIET_DB) * 259
        _write(draw, (at, y + 20), f"{decibels} dB", FAINT, 12, "mm")


def _write(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], words: str, colour: Colour, size: int, anchor: str
) -> None:
    """Write words, marks above letters included: the font that comes with Pillow has the letters a to z alone."""
    font = ImageFont.load_default(size)
    split = unicodedata.normalize("NFD", words)
    plain = "".join(c for c in split if not unicodedata.combining(c))
    x, y = at
    x -= {"l": 0.0, "m": 0.5, "r": 1.0}[anchor[0]] * font.getlength(plain)
    draw.text((x, y), plain, colour, font, anchor="lm")
    done = 0
    for i, mark in enumerate(split):
        if not unicodedata.combining(mark):
            done += 1
            continue
        letter = split[i - 1]
        middle = x + font.getlength(plain[:done]) - font.getlength(letter) / 2
        top = y + font.getbbox(letter, anchor="lm")[1]
        _mark(draw, mark, middle, top, size / 24, colour)


def _mark(draw: ImageDraw.ImageDraw, mark: str, x: float, top: float, unit: float, colour: Colour) -> None:
    """Dots, ring or stroke above a letter whose middle is at `x`; `unit` is a pixel at 24 points."""
    if mark == "\N{COMBINING DIAERESIS}":
        for side in (-1, 1):
            dot = x + side * 3.1 * unit
            draw.ellipse(
                (dot - 1.6 * unit, top - 5.2 * unit, dot + 1.6 * unit, top - 2.0 * unit), fill=colour
            )
    elif mark == "\N{COMBINING RING ABOVE}":
        ring = (x - 2.8 * unit, top - 7.2 * unit, x + 2.8 * unit, top - 1.6 * unit)
        draw.ellipse(ring, outline=colour, width=max(1, round(1.3 * unit)))
    elif mark == "\N{COMBINING ACUTE ACCENT}":
        draw.line((x - unit, top - 2 * unit, x + 2 * unit, top - 6 * unit), colour, max(1, round(1.8 * unit)))
