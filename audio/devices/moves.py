"""Notices when PulseAudio, or PipeWire in its place, moves one of our streams to another device.

A microphone that is pulled out does not end its stream: the server goes on with another microphone, and stays there when
the first is back. Another microphone is not the one that somebody named; it may be across the room, or the end of our
own cable, which then goes round for ever. A cable that is taken away would be played on a loudspeaker.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import threading
from contextlib import suppress
from typing import IO, Any

from audio.devices.device import DeviceGone

ANSWER_S = 5.0
RETRY_S = 0.5


def plain() -> dict[str, str]:
    """pactl translates what it says; JSON stays JSON, but a number's comma does not."""
    return {**os.environ, "LC_ALL": "C"}


def pactl(*words: str) -> str:
    """What it says. Raises DeviceGone."""
    try:
        done = subprocess.run(
            ["pactl", *words], capture_output=True, text=True, timeout=ANSWER_S, check=False, env=plain()
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeviceGone(f"pactl: {type(error).__name__}") from error
    if done.returncode:
        raise DeviceGone(done.stderr.strip() or f"pactl: exit code {done.returncode}")
    return done.stdout


class Moves:
    """Watches the streams into, or out of, one process. A server that cannot be asked is taken to move nothing."""

    def __init__(self, pid: int, records: bool, device: str | None = None) -> None:
        self.moved = False
        """Whether one of them is at another device than this, or than where it was first seen."""
        self._pid = str(pid)
        self._kind, self._place = ("source-output", "source") if records else ("sink-input", "sink")
        self._device = device
        self._began: dict[int, str] = {}
        self._child: subprocess.Popen[str] | None = None
        with suppress(OSError):
            self._child = subprocess.Popen(
                ["pactl", "subscribe"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=plain(),
                start_new_session=True,
            )
        if self._child is not None and self._child.stdout is not None:
            self._thread = threading.Thread(target=self._follow, args=(self._child.stdout,), daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Look no longer."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._thread.join(ANSWER_S)

    def _follow(self, events: IO[str]) -> None:
        with events:
            # Looking is an event, too: once one is heard of, none is missed any more.
            self._look()
            while not select.select([events], [], [], RETRY_S)[0]:
                self._look()
            heard = False
            for event in events:
                if not heard or f" on {self._kind} #" in event:
                    self._look()
                heard = True

    def _look(self) -> None:
        try:
            streams: list[dict[str, Any]] = json.loads(pactl("--format=json", "list", f"{self._kind}s"))
            listed = pactl("list", "short", f"{self._place}s")
        except (DeviceGone, ValueError):
            return
        names = {int(line.split()[0]): line.split()[1] for line in listed.splitlines()}
        for stream in streams:
            if str(stream.get("properties", {}).get("application.process.id")) == self._pid:
                place = names.get(int(stream[self._place]), "")
                if place != (self._device or self._began.setdefault(int(stream["index"]), place)):
                    self.moved = True
