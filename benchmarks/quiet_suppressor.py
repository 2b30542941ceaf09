"""Every suppressor that installs from packages against ours, by the pool's own judge.

    python -m benchmarks.quiet_suppressor [--pool ../shared/typing] [--mixes POOL]

One table: strokes that stay audible, harm to speech, delay, and processor time for each stream against RNNoise in
the same interleaved run. Every signal is fed to its delayed end, so that no suppressor loses its last words. An
anchor that is not installed is named and left out. Results go to benchmarks/results/quiet-suppressor.json.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.suppressor.features import BLOCK, RATE
from models.suppressor.network import Network, weights_path
from models.suppressor.stream import Stream, strokes
from models.suppressor.training.validate import detection, hear_all, judge

Samples = NDArray[np.float64]
RESULT = Path(__file__).with_name("results") / "quiet-suppressor.json"
ROUNDS = 25
BATCHES = (1, 64)

# column, heading, whether more is better, target here, target on another pool
COLUMNS: tuple[tuple[str, str, int, float, float], ...] = (
    ("inaud_type", "typing only: inaudible %", 1, 99.8, 99.5),
    ("inaud_type_tel", "(tel)", 1, 99.8, 99.7),
    ("type_audible_pct", "frames audible %", -1, 0.05, 0.1),
    ("type_att_p10", "worst decile dB", 1, 42, 42),
    ("inaud_pause", "pauses: inaudible %", 1, 98, 98),
    ("inaud_pause_tel", "(tel)", 1, 99, 99),
    ("pesq_wb", "talk: PESQ wb", 1, 3.35, 3.10),
    ("estoi", "eSTOI", 1, 0.955, 0.935),
    ("sisdr_imp", "SI-SDR gain dB", 1, 6, 8.5),
    ("tr_pesq_dry", "transparency PESQ", 1, 4.55, 4.55),
    ("tr_level", "level change dB", 0, 0.15, 0.15),
    ("delay_ms", "delay ms", -1, 20, 20),
    ("cpu_alone", "CPU alone", -1, 0.9, 0.9),
    ("cpu_batch_64", "CPU of 64", -1, 0.06, 0.06),
)


class Anchor:
    """A suppressor to be ahead of: a whole signal in, a whole signal out, and one block of 10 ms for timing."""

    package = ""
    rate = RATE

    def __init__(self) -> None:
        self.version = importlib.metadata.version(self.package)

    def whole(self, x: Samples) -> Samples:
        raise NotImplementedError

    def block(self) -> Callable[[], object] | None:
        """One block's work, or nothing where it cannot run block by block."""
        return None


def pcm(x: NDArray[Any]) -> NDArray[np.int16]:
    return np.clip(np.round(x * 32768), -32768, 32767).astype(np.int16)


class RNNoise(Anchor):
    package, rate = "pyrnnoise", 48_000

    def __init__(self) -> None:
        super().__init__()
        self._lib = importlib.import_module("pyrnnoise.rnnoise")

    def whole(self, x: Samples) -> Samples:
        state = self._lib.create()
        frames = pcm(np.pad(x, (0, -len(x) % 480))).reshape(-1, 480)
        out = np.concatenate([self._lib.process_mono_frame(state, f)[0] for f in frames])
        self._lib.destroy(state)
        return np.asarray(out[: len(x)] / 32768, np.float64)

    def block(self) -> Callable[[], object]:
        state, frame = self._lib.create(), pcm(np.random.default_rng(1).standard_normal(480) * 0.03)
        return lambda: self._lib.process_mono_frame(state, frame)


class WebRTC(Anchor):
    package = "webrtc-noise-gain"

    def _new(self) -> Callable[[bytes], Any]:
        step: Callable[[bytes], Any] = (
            importlib.import_module("webrtc_noise_gain").AudioProcessor(0, 3).Process10ms
        )
        return step

    def whole(self, x: Samples) -> Samples:
        step = self._new()
        frames = pcm(np.pad(x, (0, -len(x) % BLOCK))).reshape(-1, BLOCK)
        out = b"".join(step(f.tobytes()).audio for f in frames)
        return np.frombuffer(out, np.int16)[: len(x)] / 32768

    def block(self) -> Callable[[], object]:
        step, frame = self._new(), pcm(np.random.default_rng(1).standard_normal(BLOCK) * 0.03).tobytes()
        return lambda: step(frame)


class Speex(Anchor):
    package = "speexdsp-ns"

    def _new(self) -> Callable[[bytes], bytes]:
        made = importlib.import_module("speexdsp_ns").NoiseSuppression.create(BLOCK, RATE)
        step: Callable[[bytes], bytes] = made.process
        return step

    def whole(self, x: Samples) -> Samples:
        step = self._new()
        frames = pcm(np.pad(x, (0, -len(x) % BLOCK))).reshape(-1, BLOCK)
        return np.frombuffer(b"".join(step(f.tobytes()) for f in frames), np.int16)[: len(x)] / 32768

    def block(self) -> Callable[[], object]:
        step, frame = self._new(), pcm(np.random.default_rng(1).standard_normal(BLOCK) * 0.03).tobytes()
        return lambda: step(frame)


class NoiseReduce(Anchor):
    """Works on whole files only: no delay or processor time of its own to compare."""

    package = "noisereduce"

    def whole(self, x: Samples) -> Samples:
        made: Samples = importlib.import_module("noisereduce").reduce_noise(y=x, sr=RATE)
        return made


ANCHORS: dict[str, type[Anchor]] = {
    "RNNoise": RNNoise,
    "WebRTC NS": WebRTC,
    "SpeexDSP": Speex,
    "noisereduce": NoiseReduce,
}


def installed() -> dict[str, Anchor]:
    """The anchors that are there; the others are named."""
    found: dict[str, Anchor] = {}
    for name, kind in ANCHORS.items():
        try:
            found[name] = kind()
        except (ImportError, OSError) as error:
            print(f"!! {name} is left out: {kind.package} is not installed ({error})", file=sys.stderr)
    return found


def our_block(network: Network, streams: int) -> Callable[[], object]:
    stream = Stream(network, streams)
    blocks = (np.random.default_rng(1).standard_normal((streams, BLOCK)) * 0.03).astype(np.float32)
    return lambda: stream.step(blocks)


def timings(network: Network, anchors: dict[str, Anchor]) -> dict[str, list[float]]:
    """Microseconds of processor time for one block of one stream, round by round, all taking turns."""
    jobs: dict[str, tuple[Callable[[], object], int]] = {
        f"ours {n}": (our_block(network, n), n) for n in BATCHES
    }
    for name, anchor in anchors.items():
        job = anchor.block()
        if job is not None:
            jobs[name] = (job, 1)
    spent: dict[str, list[float]] = {name: [] for name in jobs}
    for job, _ in jobs.values():
        for _ in range(20):
            job()
    for _ in range(ROUNDS):
        for name, (job, streams) in jobs.items():
            count = 40 if streams == 1 else 10
            begun = time.thread_time()
            for _ in range(count):
                job()
            spent[name].append((time.thread_time() - begun) / count / streams * 1e6)
    return spent


def floor_spread(out: Samples, meta: dict[str, Any]) -> float | None:
    """How unevenly the floor lies across strokes: standard deviation in dB of 50 ms frames outside speech."""
    active = np.zeros(len(out) // 800, bool)
    for a, b in meta["speech_active"]:
        active[int(a * RATE / 800) : int(b * RATE / 800) + 1] = True
    db = 10 * np.log10(np.mean(out[: len(active) * 800].reshape(-1, 800) ** 2, axis=1) + 1e-10)
    quiet = db[~active]
    return float(np.std(quiet)) if len(quiet) > 4 else None


def mixes(pool: Path, module: Any, rate: int) -> dict[str, Samples]:
    ids = sorted(p.stem for p in pool.glob("mixes/*.json"))
    return {i: module.read(f"{pool}/mixes/{rate // 1000}k/{i}.mix.flac", rate) for i in ids}


def figures(module: Any, pool: Path, out: dict[str, Samples], rate: int, quick: bool) -> dict[str, float]:
    summary, _, _ = module.score(str(pool), lambda i, path: module.rs(out[i], rate, RATE), RATE, quick)
    row: dict[str, float] = dict(summary)
    spreads = []
    for i, y in out.items():
        meta = json.loads((pool / f"mixes/{i}.json").read_text())
        if meta["kind"] == "talk" and (spread := floor_spread(module.rs(y, rate, RATE), meta)) is not None:
            spreads.append(spread)
    row["floor_spread_db"] = round(float(np.mean(spreads)), 2)
    return row


def met(value: float, better: int, target: float) -> bool:
    return abs(value) <= target if better == 0 else value >= target if better > 0 else value <= target + 1e-9


def table(rows: dict[str, dict[str, float]], held_out: bool) -> str:
    names = list(rows)
    lines = ["| | " + " | ".join(names) + " | target | met |", "|---" * (len(names) + 3) + "|"]
    for key, title, better, here, there in COLUMNS:
        goal = there if held_out else here
        cells = [f"{rows[n][key]:.3f}".rstrip("0").rstrip(".") if key in rows[n] else "-" for n in names]
        sign = {1: ">=", -1: "<=", 0: "+-"}[better]
        value = rows["ours"].get(key)
        verdict = "-" if value is None else "yes" if met(value, better, goal) else "NO"
        lines.append(f"| {title} | " + " | ".join(cells) + f" | {sign} {goal:g} | {verdict} |")
    return "\n".join(lines)


def earlier(path: Path | None, anchors: dict[str, Anchor], held_out: bool) -> dict[str, dict[str, float]]:
    """What an earlier run found of the same anchors on the same pool: nothing of theirs is random."""
    if path is None:
        return {}
    kept = json.loads(path.read_text())
    if kept["pool"] != pool_name(held_out):
        return {}
    same = {name for name, anchor in anchors.items() if kept["versions"].get(name) == anchor.version}
    return {name: row for name, row in kept["rows"].items() if name in same or name == "unprocessed"}


def pool_name(held_out: bool) -> str:
    return "held-out split" if held_out else "../shared/typing"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pool", type=Path, default=Path("../shared/typing"))
    parser.add_argument("--mixes", type=Path, help="another pool of the same form, such as the held-out one")
    parser.add_argument("--weights", type=Path, default=weights_path())
    parser.add_argument("--only-ours", action="store_true")
    parser.add_argument(
        "--reuse",
        type=Path,
        help="an earlier result of the same pool: anchors of the same version are not scored anew, but timed",
    )
    parser.add_argument("--quick", action="store_true", help="without PESQ and eSTOI")
    parser.add_argument("--result", type=Path, default=RESULT)
    args = parser.parse_args()
    if not (args.pool / "score.py").exists():
        print(f"!! SKIPPED: no pool with a judge at {args.pool} (give one with --pool)", file=sys.stderr)
        raise SystemExit(0)
    module = judge(args.pool)
    network = Network(args.weights)
    anchors = {} if args.only_ours else installed()
    held_out = args.mixes is not None

    with (
        tempfile.TemporaryDirectory() as folder
    ):  # the judge keeps a cache in the pool: never in the given one
        pool = Path(folder) / "pool"
        pool.mkdir()
        shutil.copytree((args.mixes or args.pool) / "mixes", pool / "mixes", symlinks=False)
        sound = mixes(pool, module, RATE)
        heard = hear_all(network, sound)
        print("scoring ours", file=sys.stderr)
        ours = figures(
            module, pool, {i: h.samples.astype(np.float64) for i, h in heard.items()}, RATE, args.quick
        )
        found = {i: strokes(h.keys) for i, h in heard.items()}
        detector = {kind: detection(found, pool, kind) for kind in ("talk", "type")}
        rows: dict[str, dict[str, float]] = {"ours": ours}
        known = earlier(args.reuse, anchors, held_out)
        if "unprocessed" in known:
            rows["unprocessed"] = known["unprocessed"]
        elif not args.only_ours:
            print("scoring the unprocessed sound", file=sys.stderr)
            rows["unprocessed"] = figures(module, pool, sound, RATE, args.quick)
        for name, anchor in anchors.items():
            if name in known:
                rows[name] = known[name]
                continue
            print("scoring", name, file=sys.stderr)
            inputs = sound if anchor.rate == RATE else mixes(pool, module, anchor.rate)
            out = {i: anchor.whole(np.pad(x, (0, anchor.rate // 10))) for i, x in inputs.items()}
            rows[name] = figures(module, pool, out, anchor.rate, args.quick)

    spent = timings(network, anchors)
    peer = spent.get("RNNoise")
    ratios: dict[str, float] = {}
    for name, times in spent.items():
        if peer is not None:
            ratios[name] = statistics.median(a / b for a, b in zip(times, peer, strict=True))
    for name in rows:
        if name in ratios:
            rows[name]["cpu_alone"] = round(ratios[name], 3)
    if ratios:
        rows["ours"]["cpu_alone"] = round(ratios["ours 1"], 3)
        rows["ours"]["cpu_batch_64"] = round(ratios["ours 64"], 4)
    print(table(rows, held_out))
    for kind, f in detector.items():
        print(
            f"strokes found in {kind}: precision {f['precision']:.3f}, recall {f['recall']:.3f} of {f['strokes']:.0f}"
        )
    spread = ", ".join(f"{n} {r['floor_spread_db']}" for n, r in rows.items())
    print(f"spread of the floor in pauses across strokes, dB: {spread}")
    if peer is not None:
        print(f"RNNoise: {statistics.median(peer):.0f} us for 10 ms of one stream; CPU is relative to it")
    args.result.parent.mkdir(parents=True, exist_ok=True)
    kept = {
        "rows": rows,
        "targets": {key: there if held_out else here for key, _, _, here, there in COLUMNS},
        "detector": detector,
        "peer": "RNNoise",
        "versions": {name: anchor.version for name, anchor in anchors.items()},
        "ratio": ratios,
        "microseconds": {name: round(statistics.median(times), 2) for name, times in spent.items()},
        "model": {"name": network.name, "sha256": network.sha256},
        "pool": pool_name(held_out),
        "cores": os.cpu_count(),
    }
    args.result.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
