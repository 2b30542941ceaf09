"""What comfort noise and key times do to the sound, by the pool's own judge, against the engine without them.

    python -m benchmarks.quiet_options [--pool ../shared/typing] [--quick]

Every mix is a stream of one batch, so all rows see the same network at the same time. Key times come as from a console
page: true ones 8 ms late (sd 3 ms), all lost, 300 ms late, and forged ones (25 a second, all the time). "Pumping" is
the variance in dB of what is left during strokes and between them, in pauses, over all mixes: a gate that opens and
closes has a large one. The last column holds the proof to the judge: the share of strokes in pauses that each calls
audible. Results go to benchmarks/results/quiet-options.json.
"""

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

RESULT = Path(__file__).with_name("results") / "quiet-options.json"
COLUMNS = {
    "inaud_type": "typing: inaud. %",
    "inaud_type_tel": "(tel)",
    "inaud_pause": "pauses: inaud. %",
    "inaud_pause_tel": "(tel)",
    "pause_att_p10": "worst dB",
    "pesq_wb": "PESQ",
    "estoi": "eSTOI",
    "sisdr_imp": "SI-SDR gain",
    "tr_pesq_dry": "transp. PESQ",
    "tr_level": "level dB",
    "pumping": "pumping dB²",
    "proof_audible": "proof: aud. %",
    "judge_audible": "judge: aud. %",
}
ENDING = 24
"""Blocks of silence at the end: until the last stroke is judged."""
Mixes = dict[str, tuple[dict[str, Any], Float]]
Hints = Callable[[dict[str, Any], int], list[tuple[int, int]]]


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


def told(delay_ms: float, spread_ms: float, seed: int = 3) -> Hints:
    """True key times, so late."""

    def hints(meta: dict[str, Any], blocks: int) -> list[tuple[int, int]]:
        rng = np.random.default_rng(seed)
        times = [e["t"] for e in meta["keys"]]
        late = np.maximum(0, rng.normal(delay_ms, spread_ms, len(times))) / 1000
        return [(int((t + d) * 100) + 1, int(t * RATE)) for t, d in zip(times, late, strict=True)]

    return hints


def forged(meta: dict[str, Any], blocks: int) -> list[tuple[int, int]]:
    """25 a second for ever."""
    return [(n, n * BLOCK) for n in range(0, blocks, 4)]


ROWS = (
    Row("blind", False, None),
    Row("comfort noise", True, None),
    Row("key times", False, told(8, 3)),
    Row("key times lost", False, lambda meta, blocks: []),
    Row("key times 300 ms late", False, told(300, 20)),
    Row("key times forged", False, forged),
    Row("both", True, told(8, 3)),
    Row("both, forged", True, forged),
)


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


def pumping(mixes: Mixes, heard: dict[str, Float]) -> float:
    """Variance in dB of 20-ms levels over pauses, strokes and what is between them alike; the mean over the mixes."""
    found = []
    for i, (meta, x) in mixes.items():
        if meta["kind"] == "speech" or not meta["room"]:
            continue
        out = heard[i][LATENCY:]
        free = np.ones(len(x) // 320, bool)
        for start, end in meta["speech_active"]:
            free[max(0, int((start - 0.1) * 50)) : int((end + 0.1) * 50) + 1] = False
        free[:100] = False  # the floor is being learned
        levels = 10 * np.log10(np.mean(out[: len(out) // 320 * 320].reshape(-1, 320) ** 2, axis=1) + 1e-10)
        kept = levels[free[: len(levels)]]
        if len(kept) > 20:
            found.append(float(np.var(kept)))
    return float(np.mean(found))


def measure(module: Any, pool: Path, mixes: Mixes, ran: Ran, quick: bool) -> Any:
    """A row of the table."""
    summary, _, keys = module.score(str(pool), lambda i, path: ran.heard[i].astype(np.float64), RATE, quick)
    proofs = ran.proofs
    strokes = [k for k in keys if k["where"] in ("type", "pause")]
    judged = sum(p.judged for p in proofs)
    audible = sum(p.judged * (p.audible_after_pct or 0.0) for p in proofs)
    return {
        **summary,
        "pumping": pumping(mixes, ran.heard),
        "proof_audible": audible / max(1, judged),
        "judge_audible": 100 * float(np.mean([not k["inaud"] for k in strokes])),
        "proof_judged": judged,
        "proof_strokes": sum(p.strokes for p in proofs),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pool", type=Path, default=Path("../shared/typing"))
    parser.add_argument("--tools", type=Path, default=Path("../shared/typing"), help="where score.py is")
    parser.add_argument("--quick", action="store_true", help="without PESQ and eSTOI")
    parser.add_argument("--out", type=Path, default=RESULT)
    asked = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    module, network = judge(asked.tools), Network()
    mixes = load(module, asked.pool)
    columns = {
        k: v for k, v in COLUMNS.items() if not (asked.quick and k in ("pesq_wb", "estoi", "tr_pesq_dry"))
    }
    print(
        f"{network.name} {network.sha256[:12]} on {len(mixes)} mixes; peer: the engine blind, without comfort noise"
    )
    print(f"{'':24}" + "".join(f"{name:>18}" for name in columns.values()))
    table = {}
    for row in ROWS:
        ran = run(network, mixes, row)
        table[row.name] = measure(module, asked.pool, mixes, ran, asked.quick)
        figures = "".join(f"{table[row.name][key]:18.2f}" for key in columns)
        print(f"{row.name:24}{figures}", flush=True)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    kept = {
        name: {key: round(float(value), 3) for key, value in row.items() if isinstance(value, int | float)}
        for name, row in table.items()
    }
    whole = {"model": network.name, "model_sha256": network.sha256, "peer": "blind", "rows": kept}
    asked.out.write_text(json.dumps({**whole, "cores": os.cpu_count()}, indent=1) + "\n", encoding="utf-8")
    print(f"written: {asked.out}")


if __name__ == "__main__":
    main()
