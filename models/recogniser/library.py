"""The one door to faster-whisper: it is imported here, after it was told to stay off the network."""

from __future__ import annotations

import os
from functools import cache
from typing import Any


@cache
def faster_whisper() -> Any:
    """The library's top module, with the hub switched off unless the environment says otherwise."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import faster_whisper as library
    import faster_whisper.vad

    return library
