"""What comfort noise and key times do to the sound, by the pool's own judge, against the engine without them.

    python -m benchmarks.quiet_options [--pool ../shared/typing] [--quick]

Every mix is a stream of one batch, so all rows see the same network at the same time. Key times come as from a console
page: true ones 8 ms late (sd 3 ms), all lost, 300 ms late, and forged ones (25 a second, all the time). "Pumping" is
the variance in dB of what is left during strokes and between them, in pauses, over all mixes: a gate that opens and
closes has a large one. The last column holds the proof to the judge: the share of strokes in pauses that each calls
audible. Results go to benchmarks/results/quiet-options.json.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from audio.suppressor import BLOCK, LATENCY, RATE
from audio.suppressor.frames import Float
from benchmarks.pool import Hints, Mixes, Ran, Row, asked, load, run

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
    given = asked(__doc__, "quiet-options.json")
    module, network = given.judge, given.network
    mixes = load(module, given.pool)
    columns = {
        k: v for k, v in COLUMNS.items() if not (given.quick and k in ("pesq_wb", "estoi", "tr_pesq_dry"))
    }
    print(
        f"{network.name} {network.sha256[:12]} on {len(mixes)} mixes; peer: the engine blind, without comfort noise"
    )
    print(f"{'':24}" + "".join(f"{name:>18}" for name in columns.values()))
    table = {}
    for row in ROWS:
        ran = run(network, mixes, row)
        table[row.name] = measure(module, given.pool, mixes, ran, given.quick)
        figures = "".join(f"{table[row.name][key]:18.2f}" for key in columns)
        print(f"{row.name:24}{figures}", flush=True)
    kept = {
        name: {key: round(float(value), 3) for key, value in row.items() if isinstance(value, int | float)}
        for name, row in table.items()
    }
    given.write("blind", rows=kept)


if __name__ == "__main__":
    main()
