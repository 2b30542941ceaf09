"""How well strokes are found, against an onset detector; and whether the proof says what the judge says.

    python -m benchmarks.quiet_strokes [--pool ../shared/typing] [--weights FILE]

Found: the engine's strokes against the pool's labels, within 30 ms, each label matched once. The peer is what one would
do without a network: peaks of spectral flux (the sum over 1-7 kHz of the rises in level from one 5-ms frame to the
next) above a threshold, given the best threshold for each kind of mix that it could have had on this very pool.

Proof: the share of strokes outside speech that each calls audible, of all mixes, and over each stroke that both judge.
Results go to benchmarks/results/quiet-strokes.json.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from audio.suppressor import RATE
from audio.suppressor.frames import Float
from benchmarks.pool import Mixes, Row, asked, load, run

KINDS = {"talk": "talk and typing", "type": "typing only"}
NEAR_S = 0.03
HOP = 80
APART = 8
"""Frames of 5 ms within which a peak of the flux is the only one."""
Times = dict[str, list[float]]


def flux(sound: Float) -> Float:
    """Spectral flux of each 5-ms frame, dB."""
    window = np.hanning(2 * HOP).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(sound, 2 * HOP)[::HOP] * window
    levels = 10 * np.log10(np.abs(np.fft.rfft(frames, axis=1)[:, 10:70]) ** 2 + 1e-7)
    rises: Float = np.maximum(np.diff(levels, axis=0, prepend=levels[:1]), 0).mean(axis=1).astype(np.float32)
    return rises


def peaks(rises: Float, threshold: float) -> list[float]:
    """Seconds of its peaks above a threshold."""
    return [
        (n + 1) * HOP / RATE
        for n in (rises >= threshold).nonzero()[0]
        if rises[n] == rises[max(0, n - APART) : n + APART + 1].max()
    ]


def scored(mixes: Mixes, found: Times, kind: str) -> tuple[float, float]:
    """Precision and recall."""
    hits = said = true = 0
    for i, (meta, _) in mixes.items():
        if meta["kind"] != kind:
            continue
        left = sorted(e["t"] for e in meta["keys"])
        true, said = true + len(left), said + len(found[i])
        for time in found[i]:
            nearest = min(left, key=lambda t: abs(t - time), default=None)
            if nearest is not None and abs(nearest - time) <= NEAR_S:
                left.remove(nearest)
                hits += 1
    return hits / max(1, said), hits / max(1, true)


def both(precision: float, recall: float) -> float:
    """Their harmonic mean."""
    return 2 * precision * recall / max(1e-9, precision + recall)


def best_peer(mixes: Mixes, kind: str) -> tuple[float, float]:
    """Precision and recall of the peer, with the threshold that is best for it."""
    rises = {i: flux(sound) for i, (meta, sound) in mixes.items() if meta["kind"] == kind}
    tried = [
        scored(mixes, {i: peaks(x, threshold) for i, x in rises.items()}, kind)
        for threshold in np.arange(1.0, 14.0, 0.5)
    ]
    return max(tried, key=lambda figures: both(*figures))


def main() -> None:
    given = asked(__doc__, "quiet-strokes.json", quick=False)
    module, network = given.judge, given.network
    mixes = load(module, given.pool)
    ran = run(network, mixes, Row("blind", False, None))
    print(f"{network.name} {network.sha256[:12]} on {len(mixes)} mixes")
    print(f"{'strokes found':18} {'precision':>10} {'recall':>8} {'F1':>6}   spectral flux, best threshold")
    found: dict[str, Any] = {}
    for kind, title in KINDS.items():
        ours, peer = scored(mixes, ran.strokes, kind), best_peer(mixes, kind)
        found[kind] = {
            "precision": round(ours[0], 3),
            "recall": round(ours[1], 3),
            "peer_precision": round(peer[0], 3),
            "peer_recall": round(peer[1], 3),
            "f1_ratio": round(both(*ours) / both(*peer), 3),
        }
        print(
            f"{title:18} {ours[0]:10.3f} {ours[1]:8.3f} {both(*ours):6.3f}   "
            f"{peer[0]:.3f} {peer[1]:.3f} {both(*peer):.3f}"
        )
    _, _, keys = module.score(str(given.pool), lambda i, path: ran.heard[i].astype(np.float64), RATE, True)
    outside = [k for k in keys if k["where"] in ("type", "pause")]
    judged = sum(p.judged for p in ran.proofs)
    proof = {
        side: {
            "proof": round(
                sum(p.judged * (getattr(p, f"audible_{side}_pct") or 0) for p in ran.proofs) / judged, 3
            ),
            "judge": round(100 * float(np.mean([not k[field] for k in outside])), 3),
        }
        for side, field in (("before", "inaud_in"), ("after", "inaud"))
    }
    for side, figures in proof.items():
        print(f"audible {side}: {figures['proof']:.2f} % by the proof, {figures['judge']:.2f} % by the judge")
    given.write(
        "spectral flux with the best threshold for it on this pool",
        peer_version=f"numpy {np.__version__}",
        strokes=found,
        proof={**proof, "judged": judged, "judge_strokes": len(outside)},
    )


if __name__ == "__main__":
    main()
