from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from audio.errors import SoundFileError
from audio.files import WavWriter, blocks, read
from tests.support.packets import tone

pytestmark = pytest.mark.media


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG"])
def test_sound_is_read_from_any_common_file(tmp_path: Path, form: str) -> None:
    sound = tone(48000, 1.0)
    soundfile.write(tmp_path / "sound", np.stack([sound, sound], axis=1), 48000, format=form)

    heard = read(tmp_path / "sound", 16000)
    assert len(heard) == pytest.approx(16000, abs=200)
    assert np.corrcoef(heard[4000:12000], tone(16000, 1.0)[4000:12000])[0, 1] > 0.99


def test_blocks_are_whole_and_the_last_ends_in_silence(tmp_path: Path) -> None:
    with WavWriter(tmp_path / "a.wav", 8000) as file:
        file.write(np.full(500, 7, np.int16))
    cut = list(blocks(tmp_path / "a.wav", 8000, 160))

    assert [len(block) for block in cut] == [160] * 4
    assert np.concatenate(cut).tolist() == [7] * 500 + [0] * 140


def test_a_file_that_was_never_closed_can_be_read_to_its_last_sample(tmp_path: Path) -> None:
    file = WavWriter(tmp_path / "a.wav", 8000)
    file.write(tone(8000, 0.5))
    file.write(tone(8000, 0.25))
    copy = (tmp_path / "a.wav").read_bytes()
    file.close()
    (tmp_path / "b.wav").write_bytes(copy)

    assert len(soundfile.read(tmp_path / "b.wav")[0]) == file.written == 6000


@pytest.mark.parametrize("content", [b"", b"no sound at all", b"RIFF\x24\x00\x00\x00WAVEfmt "])
def test_a_file_without_sound_is_refused_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)

    with pytest.raises(SoundFileError, match="give a WAV"):
        read(tmp_path / "x", 8000)
    with pytest.raises(SoundFileError):
        read(tmp_path / "missing", 8000)
