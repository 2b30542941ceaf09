"""`callsvc clean`: files in, quiet files out, as long and in step."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from audio.suppressor.frames import Float
from callsvc.clean.channel import Channel
from callsvc.clean.cleaning import clean
from callsvc.clean.command import jobs
from callsvc.clean.errors import (
    AlreadyThere,
    NoSuchChannel,
    NotSound,
    NotWritable,
    SameFile,
    TooLong,
    TooManyChannels,
    UnknownFormat,
    UnusualRate,
)
from callsvc.clean.sound import Source
from callsvc.errors import UsageError
from models.suppressor import Network as Weights
from tests.support.networks import Clicks, Constant
from tests.support.streams import clicks, decibels, noise

pytestmark = pytest.mark.quiet


def tone(seconds: float, rate: int, hz: float = 440.0) -> Float:
    made: Float = (0.2 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)
    return made


def sound(path: Path) -> tuple[Float, int]:
    samples, rate = soundfile.read(path, dtype="float32")
    return samples, rate


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
def test_a_sound_that_holds_no_typing_comes_out_as_it_was_at_any_rate(tmp_path: Path, rate: int) -> None:
    signal = tone(1.37, rate) + tone(1.37, rate, rate * 0.45) * 0.2
    soundfile.write(tmp_path / "in.wav", signal, rate, subtype="FLOAT")
    clean(Constant(), tmp_path / "in.wav", tmp_path / "out.wav")
    out, out_rate = sound(tmp_path / "out.wav")
    assert (out_rate, len(out)) == (rate, len(signal))
    middle = slice(rate // 10, -rate // 10)
    assert decibels(out[middle] - signal[middle]) < decibels(signal) - 45


def test_the_result_is_in_step_with_the_source(tmp_path: Path) -> None:
    signal = noise(2, 0.1)
    for rate in (16000, 44100):
        soundfile.write(tmp_path / "in.flac", signal, rate)
        clean(Constant(0.5), tmp_path / "in.flac", tmp_path / "out.wav", force=True)
        out, _ = sound(tmp_path / "out.wav")
        lag = int(np.argmax(np.correlate(out[8000:16000], signal[8100:15900], "valid"))) - 100
        assert lag == 0


def test_what_lies_above_the_networks_hearing_is_lowered_with_it() -> None:
    signal = tone(2, 48000, 12000.0)
    channel = Channel(Constant(0.1), 48000)
    out = np.concatenate([channel.feed(signal[:30000]), channel.feed(signal[30000:], last=True)])
    assert len(out) == len(signal)
    assert decibels(out[10000:80000]) == pytest.approx(decibels(signal) - 20, abs=0.5)


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_pieces_of_any_size_give_the_same_as_the_whole(rate: int) -> None:
    signal = noise(1.5 * rate / 16000, 0.1)
    whole = Channel(Clicks(0.2), rate).feed(signal, last=True)
    pieces = Channel(Clicks(0.2), rate)
    out = [pieces.feed(signal[n : n + 977]) for n in range(0, len(signal), 977)]
    out.append(pieces.feed(np.zeros(0, np.float32), last=True))
    assert np.abs(np.concatenate(out) - whole).max() < 1e-5
    assert len(whole) == len(signal)


def test_one_channel_of_a_call_is_cleaned_and_the_other_is_left_bit_for_bit(tmp_path: Path) -> None:
    caller, operator = tone(3, 16000), clicks(3, [1.0, 2.0])
    soundfile.write(tmp_path / "in.wav", np.stack((caller, operator), axis=1), 16000, subtype="PCM_16")
    outcome = clean(Clicks(), tmp_path / "in.wav", tmp_path / "out.wav", channel=2)
    before, _ = sound(tmp_path / "in.wav")
    after, _ = sound(tmp_path / "out.wav")
    assert np.array_equal(after[:, 0], before[:, 0])
    assert decibels(after[15500:48000, 1]) < decibels(before[15500:48000, 1]) - 20
    assert [cleaned.channel for cleaned in outcome.channels] == [2]
    with pytest.raises(NoSuchChannel):
        clean(Clicks(), tmp_path / "in.wav", tmp_path / "more.wav", channel=3)
    assert not (tmp_path / "more.wav").exists()


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a"])
def test_the_extension_decides_the_format(tmp_path: Path, suffix: str) -> None:
    soundfile.write(tmp_path / "in.wav", np.stack([tone(1, 44100)] * 2, axis=1), 44100)
    clean(Constant(), tmp_path / "in.wav", tmp_path / f"out{suffix}")
    again = Source(tmp_path / f"out{suffix}")
    heard = np.concatenate(list(again.pieces()))
    assert heard.shape[1] == 2
    assert len(heard) / again.shape.rate_hz == pytest.approx(1.0, abs=0.1)
    assert decibels(heard) == pytest.approx(decibels(tone(1, 44100)), abs=1.0)


@pytest.mark.parametrize("suffix", [".mp3", ".m4a", ".opus", ".flac"])
def test_any_sound_that_can_be_decoded_is_read(tmp_path: Path, suffix: str) -> None:
    soundfile.write(tmp_path / "a.wav", tone(1, 48000), 48000)
    clean(Constant(), tmp_path / "a.wav", tmp_path / f"b{suffix}")
    outcome = clean(Constant(), tmp_path / f"b{suffix}", tmp_path / "c.wav")
    assert outcome.seconds == pytest.approx(1.0, abs=0.1)


def test_nothing_is_overwritten_unasked_and_the_source_never(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", tone(0.2, 16000), 16000)
    (tmp_path / "out.wav").write_bytes(b"mine")
    with pytest.raises(AlreadyThere):
        clean(Constant(), tmp_path / "in.wav", tmp_path / "out.wav")
    assert (tmp_path / "out.wav").read_bytes() == b"mine"
    clean(Constant(), tmp_path / "in.wav", tmp_path / "out.wav", force=True)
    assert len(sound(tmp_path / "out.wav")[0]) == 3200
    (tmp_path / "link.wav").symlink_to(tmp_path / "in.wav")
    for same in ("in.wav", "link.wav"):
        with pytest.raises(SameFile):
            clean(Constant(), tmp_path / "in.wav", tmp_path / same, force=True)


def test_what_is_no_sound_is_said_to_be_none_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("not a sound")
    (tmp_path / "empty.wav").write_bytes(b"")
    for name in ("text.wav", "empty.wav", "absent.wav"):
        with pytest.raises(NotSound):
            clean(Constant(), tmp_path / name, tmp_path / "out.wav")
    with pytest.raises(UnknownFormat):
        clean(Constant(), tmp_path / "text.wav", tmp_path / "out.doc")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty.wav", "text.wav"]


def test_a_file_that_breaks_off_in_the_middle_is_cleaned_as_far_as_it_goes(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", tone(2, 16000), 16000, subtype="PCM_16")
    whole = (tmp_path / "in.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    outcome = clean(Constant(), tmp_path / "cut.wav", tmp_path / "out.wav")
    assert outcome.seconds == pytest.approx(1.0, abs=0.1)


def test_what_cannot_be_decoded_is_silent_and_said_to_be_missing(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.flac", noise(2, 0.1), 16000)
    whole = bytearray((tmp_path / "in.flac").read_bytes())
    (tmp_path / "cut.flac").write_bytes(whole[: len(whole) // 2])
    outcome = clean(Constant(), tmp_path / "cut.flac", tmp_path / "out.wav")
    assert outcome.seconds + outcome.missing_s == pytest.approx(2.0, abs=0.3)
    assert outcome.missing_s > 0.6
    assert clean(Constant(), tmp_path / "in.flac", tmp_path / "whole.wav").missing_s == 0


def test_eight_channels_keep_their_places(tmp_path: Path) -> None:
    signal = np.stack([tone(0.2, 16000) * np.float32((n + 1) / 8) for n in range(8)], axis=1)
    soundfile.write(tmp_path / "in.wav", signal, 16000)
    for name in ("out.wav", "out.flac"):
        clean(Constant(), tmp_path / "in.wav", tmp_path / name)
        out, _ = sound(tmp_path / name)
        assert out.shape == signal.shape
        for n in range(8):
            assert decibels(out[1000:-1000, n]) == pytest.approx(decibels(signal[1000:-1000, n]), abs=0.1)


@pytest.mark.parametrize(("channels", "suffix"), [(8, ".mp3"), (8, ".m4a"), (9, ".flac"), (9, ".ogg")])
def test_a_format_that_has_no_room_for_the_channels_is_refused(
    tmp_path: Path, channels: int, suffix: str
) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros((1600, channels)), 16000)
    with pytest.raises(TooManyChannels):
        clean(Constant(), tmp_path / "in.wav", tmp_path / f"out{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]


def test_a_header_that_cannot_be_true_is_not_believed(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", tone(0.1, 16000), 16000)
    whole = (tmp_path / "in.wav").read_bytes()
    for name, at, word, error in (
        ("slow.wav", 24, b"\x01\0\0\0", UnusualRate),
        ("fast.wav", 24, b"\xff\xff\xff\x7f", UnusualRate),
        ("many.wav", 22, b"\xc8\0", TooManyChannels),
        ("none.wav", 40, b"\0\0\0\0", NotSound),
    ):
        (tmp_path / name).write_bytes(
            whole[:at] + word + (whole[at + len(word) : 44] if at == 40 else whole[at + len(word) :])
        )
        with pytest.raises(error):
            clean(Constant(), tmp_path / name, tmp_path / "out.wav")
    assert not (tmp_path / "out.wav").exists()


def test_a_result_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", tone(0.1, 16000), 16000)
    (tmp_path / "file").touch()
    (tmp_path / "directory.wav").mkdir()
    for name in ("file/out.wav", "directory.wav"):
        with pytest.raises(NotWritable):
            clean(Constant(), tmp_path / "in.wav", tmp_path / name, force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["directory.wav", "file", "in.wav"]


def test_what_is_too_large_for_a_wav_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callsvc.clean.sound.MOST_WAV_BYTES", 10_000)
    soundfile.write(tmp_path / "in.wav", tone(0.5, 16000), 16000)
    with pytest.raises(TooLong):
        clean(Constant(), tmp_path / "in.wav", tmp_path / "out.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]


def test_a_video_gives_its_sound(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "film.mkv"), "w") as film:
        picture = film.add_stream("mpeg4", rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
        voice = film.add_stream("pcm_s16le", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray((tone(1, 16000) * 32767).astype(np.int16)[None], "s16", "mono")
        frame.rate = 16000
        for n in range(25):
            film.mux(picture.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), n, np.uint8))))
        film.mux(picture.encode(None))
        film.mux(voice.encode(frame))
        film.mux(voice.encode(None))
    assert clean(Constant(), tmp_path / "film.mkv", tmp_path / "out.wav").seconds == pytest.approx(
        1.0, abs=0.1
    )


LONG = """
import resource, sys
from pathlib import Path
from callsvc.clean.cleaning import clean
from tests.support.networks import Constant
outcome = clean(Constant(0.5), Path(sys.argv[1]), Path(sys.argv[2]), pictures=True)
print(outcome.seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.timeout(300)
def test_memory_stays_the_same_however_long_the_file(tmp_path: Path) -> None:
    def peak_mib(minutes: int) -> float:
        path = tmp_path / f"{minutes}.wav"
        soundfile.write(path, np.tile(noise(10, 0.05), 6 * minutes), 16000, subtype="PCM_16")
        command = [sys.executable, "-c", LONG, str(path), str(tmp_path / f"{minutes}.out.wav")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=True)
        seconds, kib = done.stdout.split()
        assert float(seconds) == 60 * minutes
        return int(kib) / 1024

    long_mib = peak_mib(6)
    assert long_mib < peak_mib(1) + 8, "five minutes more would be 19 MiB, held once"


def test_who_breaks_off_finds_nothing_half_done(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.tile(noise(30, 0.05), 20), 16000, subtype="PCM_16")
    command = [sys.executable, "-m", "callsvc", "clean", str(tmp_path / "in.wav"), str(tmp_path / "out.wav")]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # Tests that a shell has put into the background hand on that Ctrl-C is to be ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    for _ in range(3000):
        if (tmp_path / ".out.wav.part").exists() or child.poll() is not None:
            break
        threading.Event().wait(0.02)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "Traceback" not in errors
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]


def test_a_directory_becomes_a_directory(tmp_path: Path) -> None:
    (tmp_path / "calls" / "old").mkdir(parents=True)
    for name in ("a.wav", "old/b.flac", "c.amr", "notes.txt"):
        (tmp_path / "calls" / name).touch()
    out = tmp_path / "calls" / "quiet"
    out.mkdir()
    (out / "earlier.wav").touch()
    assert jobs([out], tmp_path / "calls") == [
        (tmp_path / "calls" / "a.wav", out / "a.wav"),
        (tmp_path / "calls" / "c.amr", out / "c.amr.wav"),
        (tmp_path / "calls" / "old" / "b.flac", out / "old" / "b.flac"),
    ]
    with pytest.raises(UsageError):
        jobs([tmp_path / "a", tmp_path / "b"], tmp_path / "calls")
    with pytest.raises(UsageError):
        jobs([tmp_path / "only.wav"], None)
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError):
        jobs([out], tmp_path / "none")


def callsvc(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "callsvc", "clean", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)


def test_the_program_cleans_and_reports(tmp_path: Path) -> None:
    signal = noise(4, 0.001) + clicks(4, [1.0, 1.5, 2.0, 2.5, 3.0], level=0.2)
    soundfile.write(tmp_path / "kött & <blod>.wav", signal, 16000, subtype="PCM_16")
    done = callsvc(tmp_path / "kött & <blod>.wav", tmp_path / "ut.wav", "--report", tmp_path / "r.html")
    assert (done.returncode, done.stderr) == (0, "")
    assert "tangentslag" in done.stdout
    page = (tmp_path / "r.html").read_text()
    assert "data:image/webp;base64," in page
    assert "kött &amp; &lt;blod&gt;.wav" in page
    assert str(tmp_path) not in page, "a report that is passed on tells nothing of directories"
    again = callsvc(tmp_path / "kött & <blod>.wav", tmp_path / "ut.wav")
    assert again.returncode == 2
    assert "--force" in again.stderr
    assert "Traceback" not in again.stderr


def test_the_program_cleans_a_directory_and_goes_on_after_a_file_that_is_no_sound(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "a.wav", tone(0.5, 8000), 8000)
    (tmp_path / "in" / "b.wav").write_text("no sound")
    soundfile.write(tmp_path / "in" / "c.flac", noise(2, 0.1), 16000)
    whole = (tmp_path / "in" / "c.flac").read_bytes()
    (tmp_path / "in" / "c.flac").write_bytes(whole[: len(whole) // 2])
    done = callsvc("--batch", tmp_path / "in", tmp_path / "out", "--report", tmp_path / "r.json")
    assert done.returncode == 1
    assert "b.wav" in done.stderr
    assert "Observera" in done.stderr
    assert "c.flac" in done.stderr
    report = json.loads((tmp_path / "r.json").read_text())
    assert [entry["source"] for entry in report["files"]] == ["a.wav", "c.flac"]
    weights = Weights()
    assert report["files"][0]["cleaned"][0]["model_sha256"] == weights.sha256
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.wav", "c.flac"]
