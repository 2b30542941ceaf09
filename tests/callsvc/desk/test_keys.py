"""Key times: when, and never which."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from callsvc.desk.keys import EVENT, KeyWatch, keyboards, presses

pytestmark = pytest.mark.quiet

KEY_EVENT, DOWN, UP, REPEAT = 1, 1, 0, 2


def event(code: int, value: int, kind: int = KEY_EVENT) -> bytes:
    return EVENT.pack(12, 34, kind, code, value)


def test_only_keys_that_go_down_count() -> None:
    run = event(30, DOWN) + event(30, REPEAT) + event(30, UP) + event(4, DOWN, kind=4) + event(48, DOWN)
    assert presses(run) == 2
    assert presses(run[:-1]) == 1
    assert presses(b"") == 0


def test_every_key_looks_alike() -> None:
    seen = {presses(event(code, DOWN)) for code in range(1, 256)}
    assert seen == {1}


def test_presses_are_told_as_they_come_and_a_keyboard_may_vanish(tmp_path: Path) -> None:
    pipe = tmp_path / "pci-0-event-kbd"
    os.mkfifo(pipe)
    assert keyboards(tmp_path) == [pipe]
    holder = os.open(pipe, os.O_RDWR)
    told = threading.Semaphore(0)
    watch = KeyWatch([pipe], told.release)
    os.write(holder, event(30, DOWN) + event(30, UP))
    assert told.acquire(timeout=30)
    os.write(holder, event(31, DOWN))
    assert told.acquire(timeout=30)
    os.close(holder)
    watch.close()
    assert not told.acquire(blocking=False)


def test_a_machine_without_readable_keyboards_has_none(tmp_path: Path) -> None:
    assert keyboards(tmp_path / "nothing") == []
