"""Scores weights with the pool's own judge: python -m models.suppressor.training.validate WEIGHTS

By default on a pool of keyboards and speakers that training holds out, mixed by the pool's own script.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.suppressor.features import LATENCY
from models.suppressor.network import Network
from models.suppressor.stream import Heard, Stream, strokes
from models.suppressor.training import bank

COLUMNS = {
    "inaud_type": "typing only: inaudible %",
    "inaud_type_tel": "(tel)",
    "type_audible_pct": "frames audible %",
    "type_att_p10": "worst-decile dB",
    "inaud_pause": "pauses: inaudible %",
    "inaud_pause_tel": "(tel)",
    "pesq_wb": "talk: PESQ",
    "estoi": "eSTOI",
    "sisdr_imp": "SI-SDR gain",
    "tr_pesq_dry": "transparency PESQ",
    "tr_level": "level dB",
    "delay_ms": "delay ms",
}


def judge(pool: Path) -> Any:
    """The pool's score.py, as a module."""
    spec = importlib.util.spec_from_file_location("typing_score", pool / "score.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(pool / "score.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def held_out_pool(pool: Path, work: Path, seed: int = 77) -> Path:
    """A pool of the held-out keyboards and speakers, made when it is not there."""
    out = work / "heldout"
    if (out / "mixes" / "s07.json").exists():
        return out
    chosen = bank.held_out_speakers(pool)
    rows = json.loads((pool / "speech/speech.json").read_text())
    speech = sorted((r for r in rows if r["speaker"] in chosen), key=lambda r: str(r["speaker"]))
    for n, row in enumerate(speech):
        if n % 4 == 3:  # the script wants some that it takes for full-band; it band-limits by the file itself
            row.update(sr=48_000, bandwidth=16_000)
    keys = json.loads((pool / "keys/keys.json").read_text())
    kept = {k: v for k, v in keys.items() if k in bank.HELD_OUT_KEYBOARDS}
    for folder, name, content in (("speech", "speech.json", speech), ("keys", "keys.json", kept)):
        (out / folder).mkdir(parents=True, exist_ok=True)
        (out / folder / name).write_text(json.dumps(content))
    for part in sorted(
        {"speech/" + str(r["file"]).split("/")[0] for r in speech} | {"keys/" + k for k in kept}
    ):
        if not (out / part).exists():
            (out / part).symlink_to((pool / part).resolve())
    counts = ["--n-talk", "28", "--n-type", "12", "--n-speech", "8"]
    subprocess.run(
        [sys.executable, str(pool / "build_mixes.py"), str(out), "--seed", str(seed), *counts], check=True
    )
    return out


def hear_all(network: Network, mixes: dict[str, NDArray[Any]]) -> dict[str, Heard]:
    """Every mix as one stream of a batch, and 20 ms longer than it went in: what is delayed comes out whole."""
    size = max(len(x) for x in mixes.values()) + LATENCY
    blocks = -(-size // 160)
    sound = np.zeros((len(mixes), blocks * 160), np.float32)
    for row, x in zip(sound, mixes.values(), strict=True):
        row[: len(x)] = x
    stream = Stream(network, len(mixes))
    out = np.empty_like(sound)
    keys, voice = np.empty((2, len(mixes), blocks), np.float32)
    for n in range(blocks):
        here = slice(n * 160, (n + 1) * 160)
        out[:, here] = stream.step(sound[:, here])
        keys[:, n], voice[:, n] = stream.keys, stream.voice
    return {i: Heard(out[k, : len(mixes[i]) + LATENCY], keys[k], voice[k]) for k, i in enumerate(mixes)}


def detection(
    found: dict[str, list[float]], pool: Path, kind: str, tolerance: float = 0.03
) -> dict[str, float]:
    """Precision and recall of strokes, each true one matched at most once."""
    hits = said = true = 0
    for i, times in found.items():
        meta = json.loads((pool / f"mixes/{i}.json").read_text())
        if meta["kind"] != kind:
            continue
        left = sorted(e["t"] for e in meta["keys"])
        true, said = true + len(left), said + len(times)
        for t in times:
            near = [x for x in left if abs(x - t) <= tolerance]
            if near:
                left.remove(min(near, key=lambda x: abs(x - t)))
                hits += 1
    return {"precision": hits / max(said, 1), "recall": hits / max(true, 1), "strokes": float(true)}


def score(network: Network, pool: Path, tools: Path, quick: bool = False) -> dict[str, Any]:
    """The judge's summary, and the detector's precision and recall."""
    module = judge(tools)
    mixes = {
        p.stem: module.read(f"{pool}/mixes/16k/{p.stem}.mix.flac", 16_000)
        for p in sorted(pool.glob("mixes/*.json"))
    }
    heard = hear_all(network, mixes)
    summary, files, keys = module.score(
        str(pool), lambda i, path: heard[i].samples.astype(np.float64), 16_000, quick
    )
    found = {i: strokes(h.keys) for i, h in heard.items()}
    detector = {kind: detection(found, pool, kind) for kind in ("talk", "type")}
    return {"summary": summary, "detector": detector, "files": files, "keys": keys}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--pool", type=Path, default=Path("../shared/typing"))
    parser.add_argument("--work", type=Path, default=Path("var/suppressor"))
    parser.add_argument(
        "--shared", action="store_true", help="score on --pool itself instead of the held-out pool"
    )
    parser.add_argument("--quick", action="store_true", help="without PESQ and eSTOI")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    where = args.pool if args.shared else held_out_pool(args.pool, args.work)
    made = score(Network(args.weights), where, args.pool, args.quick)
    for key, title in COLUMNS.items():
        if key in made["summary"]:
            print(f"{title:28s} {made['summary'][key]}")
    for kind, figures in made["detector"].items():
        print(
            f"strokes found, {kind:12s}  precision {figures['precision']:.3f}  recall {figures['recall']:.3f}"
        )
    if args.json:
        args.json.write_text(json.dumps(made))


if __name__ == "__main__":
    main()
