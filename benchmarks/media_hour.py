"""An hour of a call in less than a minute: two clocks that are wrong, losses, holds and masks, and how the tracks lie then.

    python -m benchmarks.media_hour [--minutes 60]

Caller and operator talk over the whole path from packets to taps, on a clock of the benchmark's own: their clocks are 100
ppm fast and 100 ppm slow, 3 % of the packets are lost, twice the call is on hold and twice it is masked. Every twenty
seconds both clap at one moment. The peer is a recording that puts together what came, frame by frame, which is what one
gets from decoded frames when their times are not looked at. Results go to benchmarks/results/media-hour.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from callsvc import logs
from tests.support.long_call import long_call

RESULT = Path(__file__).with_name("results") / "media-hour.json"
PPM = 100.0
LOSS = 0.03
TARGET_MS = 10.0


async def measure(minutes: float) -> dict[str, Any]:
    began = time.process_time()
    outcome = await long_call(minutes, ppm=(PPM, -PPM), loss=LOSS)
    cpu_s = time.process_time() - began
    worst = max(abs(skew) for skew in outcome.skews_ms)
    return {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "peer": "frames put together as they came",
        "minutes": minutes,
        "ppm": [PPM, -PPM],
        "loss": LOSS,
        "claps": len(outcome.skews_ms),
        "skew_at_end_ms": outcome.skews_ms[-1],
        "skew_worst_ms": worst,
        "target_ms": TARGET_MS,
        "met": worst <= TARGET_MS and outcome.whole,
        "peer_skew_at_end_ms": outcome.concatenated_skew_ms,
        "ratio": round(abs(outcome.skews_ms[-1]) / max(1.0, outcome.concatenated_skew_ms), 4),
        "frames_lost": outcome.lost,
        "frames_listed": outcome.listed,
        "gapless": outcome.whole,
        "masked_s": outcome.masked_s,
        "held_s": outcome.held_s,
        "cpu_s_per_call_s": round(cpu_s / (minutes * 60), 5),
        "outcome": {name: value for name, value in asdict(outcome).items() if name == "length_s"},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    options = parser.parse_args()
    logs.configure("benchmark", level="error", form="text", personal=False)
    result = asyncio.run(measure(options.minutes))
    print(json.dumps(result, indent=1))
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
