"""A pool of mixes through the engine, and what every benchmark on one asks and writes."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audio.suppressor import BLOCK, LATENCY, RATE, Proof
from audio.suppressor.bank import Bank
from audio.suppressor.frames import Float
from audio.suppressor.hints import KeyTimes
from models.suppressor import Network
from models.suppressor.training.validate import judge

ENDING = 24
"""Blocks of silence at the end: until the last stroke is judged."""
Mixes = dict[str, tuple[dict[str, Any], Float]]
Hints = Callable[[dict[str, Any], int], list[tuple[int, int]]]


@dataclass(frozen=True)
class Asked:
    """What was asked for on the command line, and the judge and the network that follow from it."""

    pool: Path
    out: Path
    quick: bool
    judge: Any
    network: Network

    def write(self, peer: str, **found: Any) -> None:
        """Put the figures down, with what they are figures of."""
        whole = {"model": self.network.name, "model_sha256": self.network.sha256, "peer": peer}
        self.out.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({**whole, **found, "cores": os.cpu_count()}, indent=1)
        self.out.write_text(text + "\n", encoding="utf-8")
        print(f"written: {self.out}")


def asked(doc: str | None, result: str, quick: bool = True) -> Asked:
    """Read the command line; `quick` where there is something to leave out."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=Path, default=Path("../shared/typing"))
    parser.add_argument("--tools", type=Path, default=Path("../shared/typing"), help="where score.py is")
    parser.add_argument("--weights", type=Path, help="others than the package's")
    if quick:
        parser.add_argument("--quick", action="store_true", help="without PESQ and eSTOI")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results") / result)
    words = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return Asked(words.pool, words.out, quick and words.quick, judge(words.tools), Network(words.weights))


@dataclass(frozen=True)
class Row:
    """A way to run the engine."""

    name: str
    comfort: bool
    hints: Hints | None
    """(block at which it comes, sample at which the key was pressed) for a mix of so many blocks."""


def load(module: Any, pool: Path) -> Mixes:
    """A pool's mixes, each with its labels."""
    return {
        p.stem: (
            json.loads(p.read_text()),
            module.read(f"{pool}/mixes/16k/{p.stem}.mix.flac", RATE).astype(np.float32),
        )
        for p in sorted(pool.glob("mixes/*.json"))
    }


@dataclass(frozen=True)
class Ran:
    """What came of all mixes in one engine."""

    heard: dict[str, Float]
    proofs: list[Proof]
    strokes: dict[str, list[float]]
    """Seconds at which strokes were found."""


def run(network: Network, mixes: Mixes, row: Row) -> Ran:
    """All mixes through one engine, as streams of one batch."""
    blocks = max(len(x) for _, x in mixes.values()) // BLOCK + ENDING
    sound = np.zeros((len(mixes), blocks * BLOCK), np.float32)
    stage = KeyTimes(len(mixes))
    bank = Bank(network, len(mixes), row.comfort, (stage,))
    due: dict[int, list[tuple[int, int]]] = {}
    for slot, (meta, x) in enumerate(mixes.values()):
        sound[slot, : len(x)] = x
        bank.reset(slot, hints=row.hints is not None)
        for block, at in row.hints(meta, blocks) if row.hints else []:
            due.setdefault(block, []).append((slot, at))
    out = np.empty_like(sound)
    slots = np.arange(len(mixes))
    strokes: dict[str, list[float]] = {i: [] for i in mixes}
    names = list(mixes)
    for n in range(blocks):
        for slot, at in due.get(n, []):
            stage.hint(slot, at, n * BLOCK)
        here = slice(n * BLOCK, (n + 1) * BLOCK)
        bank.gather(slots, sound[:, here])
        bank.compute(slots)
        found = bank.commit(slots)
        out[:, here] = found.out
        for slot, at, _ in found.strokes:
            strokes[names[slot]].append(at / RATE)
    proofs = [bank.meter.proof(slot, network.name, network.sha256, False) for slot in range(len(mixes))]
    heard = {i: out[slot, : len(x) + LATENCY].copy() for slot, (i, (_, x)) in enumerate(mixes.items())}
    return Ran(heard, proofs, strokes)
