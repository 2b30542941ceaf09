"""The agent with devices that come, go and fall silent."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from audio.devices import Device, DeviceGone
from audio.suppressor import BLOCK, Engine
from audio.suppressor.frames import Float
from callsvc.desk import agent as agents
from callsvc.desk import cable as cables
from callsvc.desk.agent import Agent, Status
from callsvc.desk.command import choose
from callsvc.desk.display import METER, end, line, meter
from callsvc.errors import UsageError
from tests.support.networks import Clicks, Constant
from tests.support.streams import decibels, noise

pytestmark = pytest.mark.quiet

MICROPHONE = Device("mic", "Jabra Evolve", True, False, True)
CABLE = Device("cable", "CABLE Input", False, True, False)


class Mic:
    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.sound: queue.Queue[Float | None] = queue.Queue()
        self.closed = False
        self.lost = 0

    def read(self, timeout_s: float) -> Float | None:
        try:
            samples = self.sound.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if samples is None:
            raise DeviceGone("pulled out")
        return samples

    def close(self) -> None:
        self.closed = True


class Cable:
    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.heard: list[Float] = []
        self.waiting = self.dry = 0
        self.broken = self.full = self.closed = False
        self.fit = True
        self.more = threading.Condition()

    def unfit(self, ahead_s: float) -> bool:
        return not self.fit

    def write(self, samples: Float) -> int:
        if self.broken:
            raise DeviceGone("pulled out")
        if self.full:
            return 0
        with self.more:
            self.heard.append(samples)
            self.more.notify_all()
        return len(samples)

    def wait(self, samples: int) -> None:
        """Until it has heard this many."""
        with self.more:
            assert self.more.wait_for(lambda: sum(map(len, self.heard)) >= samples, 30)

    def close(self) -> None:
        self.closed = True


class Desk:
    """A host whose devices a test holds in its hands."""

    name = "desk"

    def __init__(self, mic_rate: int = 16000, cable_rate: int = 16000) -> None:
        self.rates = mic_rate, cable_rate
        self.mics: list[Mic] = []
        self.cables: list[Cable] = []
        self.ahead_s: list[float] = []
        self.plugged = True
        self.opened = threading.Condition()

    def devices(self) -> list[Device]:
        return [MICROPHONE, CABLE] if self.plugged else [CABLE]

    def capture(self, device: Device) -> Mic:
        with self.opened:
            self.mics.append(Mic(self.rates[0]))
            self.opened.notify_all()
        return self.mics[-1]

    def playback(self, device: Device, ahead_s: float) -> Cable:
        self.ahead_s.append(ahead_s)
        with self.opened:
            self.cables.append(Cable(self.rates[1]))
            self.opened.notify_all()
        return self.cables[-1]

    def find(self, records: bool) -> Device:
        return choose(self.devices(), "Jabra" if records else "CABLE", records)

    def wait(self, mics: int, cables: int) -> tuple[Mic, Cable]:
        with self.opened:
            assert self.opened.wait_for(lambda: len(self.mics) >= mics and len(self.cables) >= cables, 30)
        return self.mics[-1], self.cables[-1]


@contextmanager
def running(desk: Desk, network: Constant, bypass: bool = False) -> Iterator[Agent]:
    stop = threading.Event()
    with Engine(network, streams=1, comfort=False) as engine:
        agent = Agent(engine, desk, desk.find, bypass=bypass)
        thread = threading.Thread(target=agent.run, args=(stop,))
        thread.start()
        try:
            yield agent
        finally:
            stop.set()
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "READ_S", 0.01)
    for module in (agents, cables):
        monkeypatch.setattr(module, "RETRY_S", 0.01)
        monkeypatch.setattr(module, "SILENT_S", 60.0)


def talk(mic: Mic, cable: Cable, signal: Float) -> None:
    """Block by block into the microphone, the next when the cable has as much."""
    heard = sum(map(len, cable.heard))
    for start in range(0, len(signal), BLOCK):
        mic.sound.put(signal[start : start + BLOCK])
        cable.wait(heard + start + BLOCK)


def test_what_the_microphone_hears_reaches_the_cable() -> None:
    desk, signal = Desk(), noise(1, 0.1)
    with running(desk, Constant(0.5)) as agent:
        mic, cable = desk.wait(1, 1)
        talk(mic, cable, signal)
        status = agent.status()
    heard = np.concatenate(cable.heard)[480:]
    assert np.abs(heard[320:] - 0.5 * signal[:-320]).max() < 1e-6
    assert status.state == "running"
    assert status.microphone == "Jabra Evolve"
    assert status.level_in_db == pytest.approx(-20, abs=2)
    assert status.level_out_db == pytest.approx(-26, abs=2)
    assert mic.closed
    assert cable.closed


@pytest.mark.parametrize(("mic_rate", "cable_rate"), [(48000, 48000), (44100, 48000), (16000, 44100)])
def test_devices_of_other_rates_are_served(mic_rate: int, cable_rate: int) -> None:
    desk = Desk(mic_rate, cable_rate)
    tone = (0.2 * np.sin(2 * np.pi * 500 * np.arange(2 * mic_rate) / mic_rate)).astype(np.float32)
    with running(desk, Constant()):
        mic, cable = desk.wait(1, 1)
        for start in range(0, len(tone), mic_rate // 100):
            mic.sound.put(tone[start : start + mic_rate // 100])
            cable.wait(int((start / mic_rate - 0.1) * cable_rate))
        cable.wait(int(1.8 * cable_rate))
    heard = np.concatenate(cable.heard)[cable_rate // 2 : cable_rate]
    assert decibels(heard) == pytest.approx(decibels(tone), abs=0.3)
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    assert np.argmax(spectrum) * cable_rate / len(heard) == pytest.approx(500, abs=3)


def test_a_microphone_that_is_pulled_out_is_used_again_when_it_is_back() -> None:
    desk, signal = Desk(), noise(0.3, 0.1)
    with running(desk, Constant()) as agent:
        mic, cable = desk.wait(1, 1)
        talk(mic, cable, signal)
        desk.plugged = False
        mic.sound.put(None)
        while agent.status().state != "no_microphone":
            threading.Event().wait(0.005)
        assert len(desk.mics) == 1
        desk.plugged = True
        again, cable = desk.wait(2, 1)
        talk(again, cable, signal)
        status = agent.status()
    assert mic.closed
    assert (status.state, status.restarts) == ("running", 1)


def test_a_microphone_that_falls_silent_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    with running(desk, Constant()):
        mic, cable = desk.wait(1, 1)
        talk(mic, cable, noise(0.1, 0.1))
        monkeypatch.setattr(agents, "SILENT_S", 0.1)
        desk.wait(2, 1)
    assert mic.closed


@pytest.mark.parametrize("fault", ["broken", "full"])
def test_a_cable_that_breaks_or_takes_nothing_is_opened_again(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk()
    with running(desk, Constant()):
        mic, cable = desk.wait(1, 1)
        talk(mic, cable, noise(0.1, 0.1))
        setattr(cable, fault, True)
        monkeypatch.setattr(cables, "SILENT_S", 0.5)
        while len(desk.cables) < 2:
            desk.mics[-1].sound.put(noise(0.01, 0.1))
            threading.Event().wait(0.01)
        monkeypatch.setattr(cables, "SILENT_S", 60.0)
        mic, fresh = desk.wait(1, 2)
        talk(mic, fresh, noise(0.1, 0.1))
    assert cable.closed
    assert sum(map(len, fresh.heard)) > 0


def test_when_the_cable_stays_behind_two_blocks_are_faded_into_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cables, "WATCH_S", 0.0)
    desk = Desk()
    sine = (0.3 * np.sin(np.arange(3200) * 0.02)).astype(np.float32)
    with running(desk, Constant()) as agent:
        mic, cable = desk.wait(1, 1)
        cable.waiting = 2000
        for start in range(0, len(sine), BLOCK):
            mic.sound.put(sine[start : start + BLOCK])
        cable.wait(480 + 1600)
        assert agent.status().slips >= 9
    heard = np.concatenate(cable.heard)[480:]
    assert len(heard) == 1600
    assert np.abs(np.diff(heard)).max() < 0.05, "no click"


def test_a_gap_is_counted_and_buys_ten_milliseconds_more_ahead() -> None:
    desk, signal = Desk(), noise(0.1, 0.1)
    with running(desk, Constant()) as agent:
        mic, cable = desk.wait(1, 1)
        talk(mic, cable, signal)
        cable.dry, cable.waiting = 1, 100
        mic.sound.put(signal[:BLOCK])
        cable.wait(480 + 1600 + 640 - 100 + BLOCK)
        status = agent.status()
        talk(mic, cable, signal)
    assert (status.underruns, status.cushion_grown, status.cushion_ms) == (1, 1, 40)
    assert [len(piece) for piece in cable.heard[10:14]] == [BLOCK, 540, BLOCK, BLOCK], (
        "once, and then no more"
    )
    assert not cable.heard[11].any(), "to 40 ms with silence"
    assert "luckor: 1" in line(status, "sv")
    assert "40 ms" in line(status, "sv")
    assert "1" in end(status, "en").splitlines()[1]


def test_a_cable_that_has_no_use_for_so_much_is_opened_anew_when_nobody_hears_it() -> None:
    desk, signal, network = Desk(), noise(0.1, 0.1), Constant(voice=1.0)
    with running(desk, network) as agent:
        mic, cable = desk.wait(1, 1)
        talk(mic, cable, signal)
        cable.fit = False
        talk(mic, cable, signal)
        assert len(desk.cables) == 1, "somebody speaks"
        cable.dry = 3
        mic.sound.put(signal[:BLOCK])
        _, fresh = desk.wait(1, 2)
        talk(mic, fresh, signal)
        fresh.fit = False
        network.voice = 0.0
        mic.sound.put(signal[:BLOCK])
        desk.wait(1, 3)
        status = agent.status()
    assert desk.ahead_s == pytest.approx([0.03, 0.04, 0.04])
    assert len(fresh.heard[0]) == 640
    assert (status.underruns, status.restarts) == (3, 0)


def test_a_cable_that_ran_dry_because_there_was_no_microphone_had_no_gap() -> None:
    desk, signal = Desk(), noise(0.1, 0.1)
    with running(desk, Constant()) as agent:
        mic, cable = desk.wait(1, 1)
        cable.dry = 1
        talk(mic, cable, signal[:BLOCK])
        mic.sound.put(None)
        again, _ = desk.wait(2, 1)
        cable.dry = 2
        talk(again, cable, signal)
        status = agent.status()
    assert (status.underruns, status.cushion_grown, status.cushion_ms) == (0, 0, 30)
    assert "luck" not in line(status, "sv")
    assert len(end(status, "sv").splitlines()) == 1


def test_what_is_lost_on_either_side_is_counted_and_stays_counted() -> None:
    desk, signal = Desk(), noise(0.1, 0.1)
    with running(desk, Constant()) as agent:
        mic, cable = desk.wait(1, 1)
        talk(mic, cable, signal)
        mic.lost = 2
        assert agent.status().overruns == 2
        mic.sound.put(None)
        again, _ = desk.wait(2, 1)
        again.lost = 1
        talk(again, cable, signal)
        assert agent.status().overruns == 3
        cable.full = True
        again.sound.put(signal[:BLOCK])
        while agent.status().overruns < 4:
            threading.Event().wait(0.005)


def test_bypass_and_keystrokes_are_seen() -> None:
    desk = Desk()
    with running(desk, Clicks(), bypass=True) as agent:
        mic, cable = desk.wait(1, 1)
        talk(mic, cable, noise(0.5, 0.001))
        talk(mic, cable, noise(0.05, 0.1))
        talk(mic, cable, noise(0.5, 0.001))
        status = agent.status()
    assert status.state == "bypassed"
    assert status.proof.strokes == 1


def test_the_line_shows_state_levels_and_strokes() -> None:
    desk = Desk()
    with running(desk, Constant()) as agent:
        desk.wait(1, 1)
        status: Status = agent.status()
    assert "tangentslag" in line(status, "sv")
    assert "keystrokes" in line(status, "en")
    assert meter(-100) == "▯" * METER
    assert meter(0) == "▮" * METER
    assert meter(-44).count("▮") == METER // 2


def test_a_device_is_chosen_by_its_name_or_a_part_of_it() -> None:
    devices = [
        MICROPHONE,
        Device("mic2", "Jabra Evolve 65", True, False, False),
        Device("both", "Headset", True, True, False),
        CABLE,
    ]
    assert choose(devices, "", True) is MICROPHONE
    assert choose(devices, "evolve 65", True).id == "mic2"
    assert choose(devices, "Jabra Evolve", True) is MICROPHONE, "a whole name is no part of another"
    assert choose(devices, "headset", False).id == "both"
    with pytest.raises(UsageError):
        choose(devices, "jabra", True)
    with pytest.raises(DeviceGone):
        choose(devices, "jabra", False)
