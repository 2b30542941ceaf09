"""Comfort: where a key was taken out, the room goes on."""

from __future__ import annotations

import numpy as np
import pytest

from audio.suppressor import BLOCK, Engine, Suppressor
from audio.suppressor.comfort import Comfort, noise_table
from audio.suppressor.frames import BINS, POWER_SCALE, Float
from tests.support.networks import Clicks, Constant
from tests.support.streams import clicks, decibels, noise, through

pytestmark = pytest.mark.quiet

AT = [2.0 + 0.4 * n for n in range(12)]
FLOOR = 0.003


def room(seconds: float, seed: int = 3) -> Float:
    """Noise that falls with frequency, as in a room."""
    white = np.fft.rfft(noise(seconds, 1.0, seed))
    colour = 1 / np.sqrt(np.maximum(np.fft.rfftfreq(int(seconds * 16000), 1 / 16000), 100))
    shaped = np.fft.irfft(white * colour)
    made: Float = (shaped * FLOOR / shaped.std()).astype(np.float32)
    return made


def levels(out: Float, at: list[float], start_ms: int, end_ms: int) -> Float:
    return np.array(
        [decibels(out[int((t + start_ms / 1000) * 16000) : int((t + end_ms / 1000) * 16000)]) for t in at]
    )


def test_the_floor_does_not_pump_across_strokes() -> None:
    signal = room(8) + clicks(8, AT)
    with_comfort = Suppressor(Clicks(), comfort=True).process(signal)
    without = Suppressor(Clicks(), comfort=False).process(signal)
    during, between = levels(with_comfort, AT, 20, 90), levels(with_comfort, AT, 200, 390)
    assert abs(during.mean() - between.mean()) < 1.0, "as loud as the room"
    assert np.concatenate((during, between)).std() < 1.0, "and as steady"
    assert levels(without, AT, 20, 90).mean() < between.mean() - 40, "which without it is a hole"


def test_the_noise_has_the_rooms_own_spectrum() -> None:
    signal = room(12)
    suppressor = Suppressor(Constant(1.0), comfort=True)
    suppressor.process(signal)
    shut = Constant(0.0)
    muted = Suppressor(shut, comfort=True).process(signal)
    heard, was = (np.abs(np.fft.rfft(x[16000 * 4 :].reshape(-1, 320))) ** 2 for x in (muted, signal))
    difference = 10 * np.log10(heard.mean(axis=0) / was.mean(axis=0))
    assert np.abs(difference[3:150]).max() < 2.5
    assert -1.0 < difference[3:150].mean() < 0.2, "rather too quiet than too loud"
    assert abs(np.corrcoef(muted[64000:], signal[64000:])[0, 1]) < 0.02, (
        "it is not the sound that was taken out"
    )


def test_a_stroke_or_a_word_is_no_room() -> None:
    signal = room(8) + clicks(8, AT, level=0.5)
    loud = signal.copy()
    loud[16000 * 3 :] += noise(5, 0.1)
    muted = Suppressor(Constant(0.0, voice=0.9), comfort=True).process(loud)
    assert np.abs(muted).max() < 1e-6, "somebody spoke all along: there is no floor to go by"


def test_a_room_that_is_half_taken_for_a_voice_is_learned_all_the_same() -> None:
    signal = room(8)
    muted = Suppressor(Constant(0.0, voice=0.4), comfort=True).process(signal)
    assert np.abs(muted[: 2 * 16000]).max() < 1e-6
    known = slice(5 * 16000, -320)
    assert -8 < decibels(muted[known]) - decibels(signal[known]) < 0.5


def test_there_is_never_more_of_it_than_there_was() -> None:
    """A room that falls silent: what was learned of it before must not be heard after."""
    signal = np.concatenate((room(4), room(4) * np.float32(0.03)))
    muted = Suppressor(Constant(0.0), comfort=True).process(signal)
    after = slice(int(4.05 * 16000), -320)
    assert decibels(muted[after]) < decibels(signal[after]) + 1.0
    assert decibels(muted[2 * 16000 : 4 * 16000]) > decibels(signal[2 * 16000 : 4 * 16000]) - 2.0


def test_echoes_of_strokes_do_not_raise_the_floor() -> None:
    long = np.concatenate([np.arange(12) * 0.17 + 0.5 + 3 * n for n in range(3)])
    signal = room(10) * np.float32(0.2) + clicks(10, list(long), level=0.2, length_ms=120)
    muted = Suppressor(Clicks(), comfort=True).process(signal)
    strokes = levels(muted, list(long[12:]), 10, 60)
    assert strokes.mean() < decibels(room(10) * np.float32(0.2)) + 6.0


def test_nothing_is_added_where_nothing_was_taken() -> None:
    signal = room(3)
    assert np.abs(Suppressor(Constant(1.0), comfort=True).process(signal) - signal)[:-320].max() < 1e-6


def test_a_voice_gets_none_of_it() -> None:
    comfort = Comfort(3)
    slots, shut = np.arange(3), np.zeros((3, BINS), np.float32)
    heard, keys = np.full((3, BINS), 1e-6, np.float32), np.zeros(3, np.float32)
    for clock in range(60):
        spectra = np.zeros((3, BINS), np.complex64)
        voice = np.array([0.0, 0.5, 0.9], np.float32) if clock > 50 else keys
        comfort.ease(slots, np.full(3, clock), shut, heard, keys, voice, spectra)
        put_back = (np.abs(spectra) ** 2).sum(axis=1)
        if clock > 50:
            assert 0 == put_back[2] < put_back[1] < put_back[0]
    assert put_back[0] > 0


def test_it_can_be_switched_off_for_one_stream_and_for_all() -> None:
    signal = room(3)
    with Engine(Constant(0.0), comfort=True) as engine:
        assert decibels(through(engine, signal)[32000:]) > -55
        assert np.abs(through(engine, signal, comfort=False)).max() < 1e-6
    with Engine(Constant(0.0), comfort=False) as engine:
        assert np.abs(through(engine, signal)).max() < 1e-6


def test_streams_with_and_without_comfort_share_a_batch() -> None:
    from audio.suppressor.bank import Bank

    signal = room(3)
    bank = Bank(Constant(0.0), 3)
    for slot in range(3):
        bank.reset(slot, comfort=slot != 1)
    slots = np.arange(3)
    out = []
    for block in signal.reshape(-1, BLOCK):
        bank.gather(slots, np.stack([block] * 3))
        bank.compute(slots)
        out.append(bank.commit(slots).out.copy())
    heard = np.concatenate(out, axis=1)
    assert np.abs(heard[1]).max() < 1e-6
    assert np.array_equal(heard[0], heard[2])
    assert decibels(heard[0][32000:]) > -55


def test_the_noise_table_is_as_loud_as_overlapping_frames_need() -> None:
    assert noise_table().shape == (1024, BINS)
    assert float((np.abs(noise_table()) ** 2).mean() * POWER_SCALE) == pytest.approx(2.0, rel=0.01)
