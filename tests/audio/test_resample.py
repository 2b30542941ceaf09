from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.resample import Floats, Resampler, rounded, to_float, to_int16, whole

pytestmark = pytest.mark.media

PAIRS = [(48000, 16000), (16000, 8000), (8000, 16000), (16000, 48000), (48000, 8000), (8000, 48000)]


def sine(rate_hz: int, hz: float, seconds: float = 0.5) -> Floats:
    return np.sin(2 * np.pi * hz * np.arange(round(rate_hz * seconds)) / rate_hz).astype(np.float32)


@pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS)
def test_a_tone_in_the_voice_band_comes_out_after_the_declared_latency(from_hz: int, to_hz: int) -> None:
    resampler = Resampler(from_hz, to_hz)
    out = resampler.process(sine(from_hz, 1000))
    expected = np.sin(2 * np.pi * 1000 * (np.arange(len(out)) - resampler.latency) / to_hz)

    settled = slice(to_hz // 50, None)
    assert np.abs(out[settled] - expected[settled]).max() < 0.001


@pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS)
@settings(deadline=None)
@given(cuts=st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_how_the_sound_is_cut_up_changes_nothing(from_hz: int, to_hz: int, cuts: list[int]) -> None:
    unit = max(1, from_hz // to_hz)
    sound = np.random.default_rng(1).normal(0, 0.1, sum(cuts) * unit).astype(np.float32)
    in_one = Resampler(from_hz, to_hz).process(sound)
    resampler, position, parts = Resampler(from_hz, to_hz), 0, []
    for cut in cuts:
        parts.append(resampler.process(sound[position : position + cut * unit]))
        assert len(parts[-1]) == cut * unit * to_hz // from_hz
        position += cut * unit

    assert np.allclose(np.concatenate(parts), in_one, atol=1e-6)


def test_what_the_lower_rate_cannot_hold_is_gone() -> None:
    for hz in (4400, 5000, 7000):
        assert np.abs(Resampler(16000, 8000).process(sine(16000, hz))[400:]).max() < 0.001


def test_the_same_rate_passes_through() -> None:
    sound = sine(16000, 500)
    resampler = Resampler(16000, 16000)

    assert np.array_equal(resampler.process(sound), sound)
    assert resampler.latency == 0


def test_rates_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValueError, match="44100"):
        Resampler(44100, 16000)


def test_a_file_may_have_any_rate() -> None:
    out = whole(sine(44100, 1000), 44100, 16000)

    assert len(out) == 8000
    assert np.abs(out[500:-500] - sine(16000, 1000)[500:-500]).max() < 0.01


def test_floats_beyond_full_scale_are_clipped_and_not_wrapped() -> None:
    loud = np.array([2.0, -2.0, 1.0, 0.0], np.float32)

    assert to_int16(loud).tolist() == [32767, -32768, 32767, 0]
    assert rounded(np.array([40000.0, -40000.0, 0.6], np.float32)).tolist() == [32767, -32768, 1]
    assert np.array_equal(to_int16(to_float(np.array([-32768, 5, 32767], np.int16))), [-32768, 5, 32767])
