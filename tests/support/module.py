"""A security module in software (SoftHSM) with a token of its own, as a process sees it through its environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
TOKEN = "callsvc"
PIN = "123456"


def make_token(base: Path) -> dict[str, str]:
    """Make an empty token in `base`; the environment that leads to it."""
    (base / "tokens").mkdir(parents=True)
    (base / "softhsm2.conf").write_text(
        f"directories.tokendir = {base}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    (base / "pin").write_text(PIN + "\n")
    environment = {"SOFTHSM2_CONF": str(base / "softhsm2.conf")}
    command = [
        "softhsm2-util",
        "--init-token",
        "--free",
        "--label",
        TOKEN,
        "--so-pin",
        "654321",
        "--pin",
        PIN,
    ]
    subprocess.run(command, env=os.environ | environment, check=True, capture_output=True)
    return environment
