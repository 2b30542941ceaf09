"""How long a test throws at random: briefly among the others, at length when somebody asks for it by `FUZZ_TIMES`."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("FUZZ_TIMES", "1"))


def examples(usual: int) -> settings:
    """So many examples, `FUZZ_TIMES` over."""
    return settings(
        deadline=None,
        max_examples=usual * TIMES,
        suppress_health_check=[HealthCheck.too_slow],
    )
