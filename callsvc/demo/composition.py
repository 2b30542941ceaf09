"""The scene of the demonstration call, put together from the voices and keystrokes that ship in `scene/`.

    operator's microphone = voice + typing + a faint room          caller's microphone = voice + a faint room

The same samples come out every time, and because the parts are known, so are the times of the strokes, the
stretches in which the operator speaks, and the level of the room.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np

from callsvc.demo.sound import Samples, decibels, read, resample

RATE = 48_000
JUDGE_RATE = 16_000
FADE_S = 0.01


@dataclass(frozen=True, slots=True)
class Scene:
    """Both microphones at 48 kHz, and what is known about the operator's."""

    operator: Samples
    caller: Samples
    strokes_s: tuple[float, ...]
    speech_s: tuple[tuple[float, float], ...]
    """Stretches in which the operator speaks."""
    room_dbfs: float
    """Level of the room in the operator's microphone, as heard at 16 kHz."""
    said: tuple[tuple[str, str], ...] = ()
    """Leg and words of what is said in the words of the packaged model of speech to text."""

    @property
    def length_s(self) -> float:
        return len(self.operator) / RATE

    def cut(self, length_s: float) -> Scene:
        """The scene's first `length_s` seconds."""
        n = int(length_s * RATE)
        return Scene(
            self.operator[:n],
            self.caller[:n],
            tuple(t for t in self.strokes_s if t < length_s - 0.1),
            tuple((a, min(b, length_s)) for a, b in self.speech_s if a < length_s),
            self.room_dbfs,
        )


def compose(folder: Traversable | None = None) -> Scene:
    """Put the scene together from its folder (by default the one in the package)."""
    source = folder or resources.files("callsvc.demo") / "scene"
    with resources.as_file(source) as path:
        return _compose(path)


def active_dbfs(voice: Samples, rate: int) -> float:
    """Level of the frames of 20 ms that lie within 25 dB of the loud ones (the 95th percentile)."""
    frames = _frames_dbfs(voice, rate * 20 // 1000)
    loud = frames[frames > np.percentile(frames, 95) - 25.0]
    return float(decibels(float(np.mean(10.0 ** (loud / 10.0)))))


def _compose(folder: Path) -> Scene:
    script = tomllib.loads((folder / "scene.toml").read_text(encoding="utf-8"))
    rng = np.random.default_rng(script["seed"])
    n = int(script["length_s"] * RATE)
    voices = {"operator": np.zeros(n), "caller": np.zeros(n)}
    for part in script["voice"]:
        voice = read(folder / "voices" / part["file"], RATE)
        voice = _faded(voice * _gain(script["voice_dbfs"] - active_dbfs(voice, RATE)))
        _add(voices[part["leg"]], voice, int(part["at_s"] * RATE))
    catalogue = json.loads((folder / "keys" / "strokes.json").read_text(encoding="utf-8"))
    typing = np.zeros(n)
    times: list[float] = []
    for part in script["typing"]:
        burst, at = _burst(folder / "keys", catalogue[part["keyboard"]], part, rng)
        burst *= _gain(script["voice_dbfs"] + part["level_db"])
        _add(typing, burst, int(part["at_s"] * RATE))
        times += [part["at_s"] + t for t in at]
    room = _room(n, script["room_dbfs"], rng)
    return Scene(
        voices["operator"] + typing + room,
        voices["caller"] + _room(n, script["room_dbfs"], rng),
        tuple(round(t, 4) for t in sorted(times)),
        _speech(voices["operator"]),
        float(decibels(float(np.mean(resample(room, RATE, JUDGE_RATE) ** 2)))),
        tuple((part["leg"], part["words"]) for part in script["voice"] if "words" in part),
    )


def _burst(
    folder: Path, keyboard: list[dict[str, float | str]], part: dict[str, float], rng: np.random.Generator
) -> tuple[Samples, list[float]]:
    """Strokes in a row, the median peak being 1, each as loud against the others as that key was (within 6 dB)."""
    median = float(np.median([float(stroke["peak_dbfs"]) for stroke in keyboard]))
    out = np.zeros(int((part["strokes"] * 0.35 + 1.0) * RATE))
    at: list[float] = []
    t = 0.05
    for _ in range(int(part["strokes"])):
        stroke = keyboard[int(rng.integers(len(keyboard)))]
        sound = read(folder / str(stroke["file"]), RATE)
        peak = float(stroke["peak_dbfs"])
        sound = sound * _gain(float(np.clip(peak - median, -6.0, 6.0)) - peak)
        _add(out, _faded(sound, 0.002), int((t - float(stroke["press_s"])) * RATE))
        at.append(t)
        t += float(np.clip(0.16 * np.exp(0.3 * rng.standard_normal()), 0.09, 0.32))
    return out, at


def _room(n: int, dbfs: float, rng: np.random.Generator) -> Samples:
    """Noise whose power falls with the frequency above 60 Hz, `dbfs` loud at 16 kHz."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(n, 1.0 / RATE), 60.0) / 1000.0)
    noise: Samples = np.fft.irfft(spectrum, n)
    heard = float(decibels(float(np.mean(resample(noise, RATE, JUDGE_RATE) ** 2))))
    return noise * _gain(dbfs - heard)


def _speech(voice: Samples) -> tuple[tuple[float, float], ...]:
    """Stretches of 10 ms frames above the active level - 32 dB, 20 ms earlier and 100 ms longer."""
    heard = resample(voice, RATE, JUDGE_RATE)
    frames = _frames_dbfs(heard, JUDGE_RATE // 100)
    loud = frames > active_dbfs(heard, JUDGE_RATE) - 32.0
    wide = loud.copy()
    for k in range(1, 11):
        wide[k:] |= loud[:-k]
    for k in range(1, 3):
        wide[:-k] |= loud[k:]
    edges = np.diff(np.concatenate([[0], wide.astype(np.int8), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return tuple((int(a) / 100, int(b) / 100) for a, b in zip(starts, ends, strict=True))


def _frames_dbfs(sound: Samples, size: int) -> Samples:
    whole = len(sound) // size * size
    return decibels(np.mean(sound[:whole].reshape(-1, size) ** 2, axis=1))


def _gain(db: float) -> float:
    return float(10.0 ** (db / 20.0))


def _faded(sound: Samples, seconds: float = FADE_S) -> Samples:
    ramp = np.linspace(0.0, 1.0, int(seconds * RATE))
    out = sound.copy()
    out[: len(ramp)] *= ramp
    out[-len(ramp) :] *= ramp[::-1]
    return out


def _add(track: Samples, sound: Samples, at: int) -> None:
    end = min(len(track), at + len(sound))
    track[at:end] += sound[: end - at]
