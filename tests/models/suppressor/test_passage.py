"""Whole examples through A-law and Opus: the product's own codec is the measure of what training hears."""

from __future__ import annotations

import numpy as np
import pytest

from audio.codecs import by_name
from audio.suppressor.frames import Float
from models.suppressor.training.passage import LEVELS, alaw, by_browser, by_phone
from tests.support.streams import decibels

pytestmark = pytest.mark.quiet

RATE = 16_000


def tone(hz: float) -> Float:
    made: Float = (0.1 * np.sin(2 * np.pi * hz * np.arange(RATE) / RATE)).astype(np.float32)
    return made


def test_a_law_says_what_the_telephone_says() -> None:
    codec = by_name("PCMA")
    words = codec.decoder().decode(bytes(range(256)))
    assert np.array_equal(np.sort(words), np.round(LEVELS * 32768))
    sound = (np.random.default_rng(1).standard_normal(1600) * 0.05).astype(np.float32)
    whole = np.clip(np.round(sound * 32768), -32768, 32767).astype(np.int16)
    said: Float = codec.decoder().decode(codec.encoder().encode(whole)).astype(np.float32)
    telephone: Float = said / np.float32(32768)
    # Which of two steps a sample falls to may differ by one where it lies between them.
    assert decibels(alaw(sound) - telephone) < decibels(telephone - sound)


def test_a_telephone_keeps_its_band_and_adds_its_steps() -> None:
    rng = np.random.default_rng(2)
    heard, kept, lost = by_phone(rng, tone(1000), tone(1000), tone(5000))
    assert len(heard) == len(kept) == len(lost) == RATE
    assert decibels(kept - tone(1000)) < -60
    assert decibels(lost) < -60
    assert -70 < decibels(heard - kept) < -50


def test_what_comes_by_opus_is_where_it_was() -> None:
    rng = np.random.default_rng(3)
    mix = tone(500) + (rng.standard_normal(RATE) * 0.003).astype(np.float32)
    heard, voice = by_browser(rng, mix, tone(500))
    assert len(heard) == len(voice) == RATE
    middle = slice(2000, -2000)
    assert decibels((heard - mix)[middle]) < decibels(mix) - 10
    silent = np.zeros(RATE, np.float32)
    assert not by_browser(rng, mix, silent)[1].any()
