"""What the media node has to tell, on disk until somebody has committed it.

    outbox/events.<first seq>.jsonl    one event a line, appended; a file goes when all in it are acknowledged
    outbox/state.json                  {"id", "reserved": no number up to this is used again, "acked": ...}
    outbox/live.json                   calls that have begun and not ended

A line is with the kernel before `emit` returns: it outlives the process. It is made safe against a loss of power by
`flush`, which the publisher calls about once a second. The number of waiting events is bounded. Past the bound, those
that tell how a call went on are refused and counted; those that say that it was, and was recorded, have room to spare.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from prometheus_client import Counter, Gauge

from callsvc import logs
from callsvc.clock import Clock, SystemClock, isoformat
from callsvc.types import Event, EventKind

WAITING: Final = Gauge("callsvc_outbox_waiting", "Events that nobody has acknowledged.")
REFUSED: Final = Counter("callsvc_outbox_refused", "Events that found the outbox full.")
ALARM: Final = Gauge("callsvc_outbox_alarm", "1 while the outbox is full or cannot write.")

ESSENTIAL: Final = frozenset(
    {
        EventKind.CALL_STARTED,
        EventKind.CALL_PROOF,
        EventKind.CALL_ENDED,
        EventKind.RECORDING_STARTED,
        EventKind.RECORDING_SEALED,
    }
)
RESERVE: Final = 100_000
EVENTS_PER_FILE: Final = 1000

Record = dict[str, Any]


class Outbox:
    """An `EventSink` that remembers. One process a directory; any thread may emit."""

    def __init__(
        self, directory: Path, *, node: str, clock: Clock | None = None, bound: int = 50_000
    ) -> None:
        self.node = node
        self._directory = directory
        self._clock = clock or SystemClock()
        self._bound = bound
        self._lock = threading.RLock()
        self._log = logs.get("outbox")
        self._waiting: deque[Record] = deque()
        self._unsaved: list[Record] = []
        self._files: deque[tuple[Path, int]] = deque()
        self._file = -1
        self._in_file = 0
        self._dirty = False
        self._refused = 0
        self._listeners: list[Callable[[], None]] = []
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = _read_json(directory / "state.json")
        self.acked = int(state.get("acked", 0))
        self._reserved = int(state.get("reserved", 0))
        self.id = str(state.get("id") or secrets.token_hex(8))
        """Whose numbers these are: nodes may have been given one name by mistake."""
        self._load()
        last = self._waiting[-1]["seq"] if self._waiting else self.acked
        # Numbers rise even when the whole directory was lost: the time of day is above whatever was used before.
        self._next = max(self._reserved + 1, last + 1, int(self._clock.utc_now().timestamp() * 1000))
        self._prev = last
        self._reserve()
        live = _read_json(directory / "live.json").get("calls", [])
        self._live: set[str] = {str(call) for call in live}
        self.unfinished = frozenset(self._live)
        """Calls that an earlier run of this node began and did not end."""
        WAITING.set(len(self._waiting))

    def emit(self, event: Event) -> None:
        with self._lock:
            if self._full(event.kind):
                self._refuse()
                return
            record: Record = {
                "seq": self._next,
                "prev": self._prev,
                "at": isoformat(self._clock.utc_now()),
                "call": str(event.call),
                "kind": str(event.kind),
                "fields": event.fields,
            }
            self._prev = self._next
            self._next += 1
            self._waiting.append(record)
            self._unsaved.append(record)
            self._save()
            self._note_live(event)
            if self._next > self._reserved:
                self._reserve()
            WAITING.set(len(self._waiting))
        for listener in self._listeners:
            listener()

    def window(self, size: int, *, above: int = 0) -> list[Record]:
        """Of the first `size` events that wait, those with a number higher than `above`."""
        with self._lock:
            return [record for record in islice(self._waiting, size) if record["seq"] > above]

    def __len__(self) -> int:
        return len(self._waiting)

    def ack(self, seq: int) -> bool:
        """Somebody has committed all events up to `seq`. True when that was news."""
        with self._lock:
            if not self.acked < seq <= self._prev:
                return False
            self.acked = seq
            while self._waiting and self._waiting[0]["seq"] <= seq:
                self._waiting.popleft()
            while self._files and self._files[0][1] <= seq and (len(self._files) > 1 or not self._waiting):
                path, _ = self._files.popleft()
                if not self._files:
                    self._close_file()
                path.unlink(missing_ok=True)
            self._dirty = True
            self._refused = 0
            WAITING.set(len(self._waiting))
            return True

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each new event, in the thread that emitted it."""
        self._listeners.append(listener)

    def end_unfinished(self, lengths_ms: Mapping[str, int]) -> None:
        """Tell of the end of calls that died with an earlier run; `lengths_ms` by call, where it is known."""
        for call in sorted(self.unfinished):
            fields: dict[str, object] = {"cause": "failure", "length_ms": lengths_ms.get(call, 0)}
            self.emit(Event(UUID(call), EventKind.CALL_ENDED, fields))

    def flush(self) -> None:
        """Make all that was emitted and acknowledged outlive a loss of power. Blocks on the disk."""
        with self._lock:
            self._save()
            if not self._dirty:
                return
            self._dirty = False
            fd = os.dup(self._file) if self._file >= 0 else -1
            state = self._state()
        try:
            if fd >= 0:
                os.fdatasync(fd)
            _write_json(self._directory / "state.json", state)
        except OSError:
            self._dirty = True
        finally:
            if fd >= 0:
                os.close(fd)

    def close(self) -> None:
        self.flush()
        with self._lock:
            self._close_file()

    # What follows is called with the lock held.

    def _full(self, kind: EventKind) -> bool:
        room = self._bound
        if kind in ESSENTIAL:
            room += self._bound // 4
        elif kind == EventKind.RECORDING_HEAD:
            room //= 2  # Many, and each is overtaken by the next.
        return len(self._waiting) >= room

    def _refuse(self) -> None:
        REFUSED.inc()
        ALARM.set(1)
        self._refused += 1
        if self._refused == 1:
            self._log.error("outbox_full", waiting=len(self._waiting))

    def _save(self) -> None:
        """Append what is not on disk yet; a disk that refuses is tried again with the next event."""
        while self._unsaved:
            record = self._unsaved[0]
            line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            try:
                if self._file < 0 or self._in_file >= EVENTS_PER_FILE:
                    self._open_file(record["seq"])
                if os.write(self._file, line) != len(line):
                    raise OSError("the line was cut short")
            except OSError as error:
                # What is torn stays behind as the last line of a file that is not written to again.
                self._close_file()
                ALARM.set(1)
                self._log.error("outbox_cannot_write", errno=error.errno)
                return
            self._unsaved.pop(0)
            self._in_file += 1
            self._dirty = True
            path, _ = self._files[-1]
            self._files[-1] = (path, record["seq"])
        if not self._refused:
            ALARM.set(0)

    def _open_file(self, first: int) -> None:
        self._close_file()
        path = self._directory / f"events.{first}.jsonl"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._in_file = 0
        if not self._files or self._files[-1][0] != path:
            self._files.append((path, first))

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _note_live(self, event: Event) -> None:
        call = str(event.call)
        before = len(self._live)
        if event.kind == EventKind.CALL_ENDED:
            self._live.discard(call)
        elif event.kind in (EventKind.CALL_STARTED, EventKind.LEG_JOINED):
            self._live.add(call)
        if len(self._live) != before:
            try:
                _write_json(self._directory / "live.json", {"calls": sorted(self._live)}, sync=False)
            except OSError:
                ALARM.set(1)

    def _reserve(self) -> None:
        self._reserved = self._next + RESERVE
        try:
            _write_json(self._directory / "state.json", self._state())
        except OSError:
            ALARM.set(1)

    def _state(self) -> dict[str, Any]:
        return {"id": self.id, "reserved": self._reserved, "acked": self.acked}

    def _load(self) -> None:
        files = sorted(self._directory.glob("events.*.jsonl"), key=lambda p: int(p.name.split(".")[1]))
        for path in files:
            last = 0
            for record in _lines(path):
                last = max(last, record["seq"])
                if record["seq"] > self.acked and not (
                    self._waiting and record["seq"] <= self._waiting[-1]["seq"]
                ):
                    self._waiting.append(record)
            if last > self.acked:
                self._files.append((path, last))
            else:
                path.unlink()


def _lines(path: Path) -> Iterator[Record]:
    """The whole lines of a file; what a crash has torn is left out."""
    for line in path.read_bytes().split(b"\n"):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and type(record.get("seq")) is int and "fields" in record:
            yield record


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _write_json(path: Path, content: dict[str, Any], *, sync: bool = True) -> None:
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(json.dumps(content).encode())
        file.flush()
        if sync:
            os.fsync(file.fileno())
    os.replace(part, path)
