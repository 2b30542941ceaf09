"""Captions of many calls on one core: how late they come, and what thins out when there are too many.

    python -m benchmarks.transcripts_captions [--calls 1 4 8] [--seconds 22] [--model DIR]

Calls at real pace, both legs speaking in turn, through the socket-side of the captions process: ear, scheduler, engine.
The peer is plain faster-whisper over the same sound in the same run, decoding each whole utterance after it has ended,
first come first served and interim text a second: what a queue without precedence does. Given in processor time and in
delay from the end of an utterance to its caption. A last run has twice as many calls as one core can caption: final text
must keep its delay there, interim text become rare, and of calls that are too many the newest be off and told so
(`put_off`), never a text be given up in silence. Without --model the packaged small model is measured (its shape is far
smaller than KB-Whisper tiny's). Results go to benchmarks/results/transcripts-captions.json, after every run.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from audio.feed import Kind, Message
from callsvc.captions.room import GIVEN_UP, WRITTEN, Caption, Room
from callsvc.captions.scheduler import Scheduler, Work
from callsvc.clock import SystemClock
from callsvc.demo.sound import read
from models.recogniser import check, packaged
from models.recogniser.whisper import Whisper
from tests.support.house import ROOT

FIXTURE = ROOT / "tests/fixtures/recogniser"
RESULT = Path(__file__).with_name("results") / "transcripts-captions.json"
RATE, STEP_S = 16_000, 0.1
MOST_CALLS = 96
"""More could not be fed at their pace by one thread, whatever the engine does."""
TRACKS = {"caller": (0, "caller.rx"), "operator": (1, "operator.tx")}


class InOrder(Scheduler):
    """The peer's queue: first come, first served; nothing is stale."""

    def put(self, work: Work) -> None:
        with self._some:
            self._all.append(work)
            self._some.notify()

    def take(self, timeout_s: float | None = None) -> Work | None:
        with self._some:
            self._some.wait_for(lambda: self._closed or self._all, timeout_s)
            return self._all.popleft() if self._all and not self._closed else None

    def waited_s(self) -> float:
        with self._some:
            return self._now() - self._all[0].due if self._all else 0.0

    _all: deque[Work]


def legs() -> dict[str, np.ndarray[tuple[int], np.dtype[np.int16]]]:
    return {leg: (read(FIXTURE / f"{leg}.flac", RATE) * 32767).astype(np.int16) for leg in TRACKS}


def room_counter(outcome: str) -> float:
    """What the process has counted so far."""
    return float(WRITTEN.labels(outcome)._value.get())


def run(model: Path, calls: int, seconds: float, *, precedence: bool) -> dict[str, Any]:
    """So many calls for so long; figures of one run."""
    sound = legs()
    lock, finals, interims = threading.Lock(), [], [0]
    clock = SystemClock()

    def out(caption: Caption) -> None:
        with lock:
            if caption.final:
                finals.append((time.monotonic(), caption))
            else:
                interims[0] += 1

    before = room_counter("given_up")
    room = Room(Whisper(check(model), live=True), ["sv"], out, clock)
    if not precedence:
        queue = InOrder(clock.monotonic, lambda work: None)
        queue._all = deque()
        room.scheduler = queue
    ids = [UUID(int=n + 1) for n in range(calls)]
    opening = json.dumps({"tracks": {str(n): [name, RATE] for n, name in TRACKS.values()}}).encode()
    for one in ids:
        room.take(Message(Kind.OPEN, one, body=opening))
    room.start()
    length = min(len(leg) for leg in sound.values())
    step = int(STEP_S * RATE)
    began, cpu = time.monotonic(), time.process_time()
    behind, fed, put_off = 0.0, list[float](), 0
    for n in range(int(seconds / STEP_S)):
        for k, one in enumerate(ids):
            # Calls do not speak in chorus.
            at = (n * step + k * length // calls) % (length - step)
            for leg, (number, _) in TRACKS.items():
                body = sound[leg][at : at + step].astype("<i2").tobytes()
                room.take(Message(Kind.SOUND, one, number, n * step, body))
        put_off = max(put_off, len(room.put_off))
        fed.append(time.monotonic())
        late = fed[-1] - began - (n + 1) * STEP_S
        behind = max(behind, late)
        time.sleep(max(0.0, -late))
    spent = time.process_time() - cpu
    waiting, on = room.scheduler.waited_s(), calls - len(room.put_off)
    room.stop()
    with lock:
        # From the moment at which the utterance's last sound was handed over: a machine that is busy with other
        # things hands it over late.
        over = [min(len(fed) - 1, int(caption.end_ms / 1000 / STEP_S)) for _, caption in finals]
        delays = [
            at - fed[n] for (at, caption), n in zip(finals, over, strict=True) if caption.text != GIVEN_UP
        ]
        given_up = sum(caption.text == GIVEN_UP for _, caption in finals)
    late = round(room_counter("given_up") - before)
    return {
        "calls": calls,
        "captions": len(delays),
        "put_off_most": put_off,
        "captioned_at_the_end": on,
        "texts_cut_by_putting_off": given_up - late,
        "given_up_late": late,
        "interim_texts": interims[0],
        "interim_a_call_minute": round(60 * interims[0] / (calls * seconds), 1),
        "interim_dropped": room.scheduler.dropped_interim,
        "delay_p50_s": round(float(np.percentile(delays, 50)), 2) if delays else None,
        "delay_p95_s": round(float(np.percentile(delays, 95)), 2) if delays else None,
        "processor_share": round(spent / seconds, 3),
        "calls_a_core": round(calls * seconds / spent, 1),
        "oldest_waits_at_the_end_s": round(waiting, 1),
        "pace_lost_s": round(behind, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--seconds", type=float, default=22.0)
    parser.add_argument("--model", type=Path, default=packaged.directory())
    args = parser.parse_args()

    def both(calls: int) -> dict[str, Any]:
        ours = run(args.model, calls, args.seconds, precedence=True)
        peer = run(args.model, calls, args.seconds, precedence=False)
        ratio = None
        if ours["delay_p95_s"] is not None and peer["delay_p95_s"]:
            ratio = round(ours["delay_p95_s"] / peer["delay_p95_s"], 2)
        row = {"ours": ours, "in_order": peer, "ratio_delay_p95": ratio}
        print(json.dumps(row), flush=True)
        return row

    told: dict[str, Any] = {
        "model": check(args.model).name,
        "peer": f"faster-whisper {importlib.metadata.version('faster-whisper')}, one queue in order of arrival",
        "seconds": args.seconds,
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "runs": [],
    }

    def keep(found: dict[str, Any]) -> None:
        told.update(found)
        RESULT.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    for calls in args.calls:
        keep({"runs": [*told["runs"], both(calls)]})
    limit = told["runs"][-1]["ours"]["calls_a_core"]
    keep({"limit_calls_a_core": limit, "past_the_limit": both(min(MOST_CALLS, round(2 * limit)))})


if __name__ == "__main__":
    main()
