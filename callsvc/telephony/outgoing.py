"""What the callers of many calls are sent, worked on together.

Thirty calls of NumPy a frame cost more than what they reckon. So the frames of all calls whose sound came back at once are
rows of one array, as far as they are of the usual kind: a whole frame for a telephone (G.711), with nothing laid over it.
Any other goes its own way, and comes to the same samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from audio.codecs.g711 import G711
from audio.marks import Run
from audio.resample import Floats, lowered, rounded, to_int16

if TYPE_CHECKING:
    from callsvc.telephony.uplink import Uplink

Usual = tuple["Uplink", Run]


def send(uplinks: Sequence[Uplink], failed: Callable[[Exception], None]) -> None:
    """Send on what came back to these calls. One call's fault is told, and is not the next one's."""
    usual: dict[G711, list[Usual]] = {}
    sound: dict[G711, list[Floats]] = {}
    for uplink in uplinks:
        try:
            blocks = uplink.take_back()
            if not blocks:
                continue
            law = uplink.law
            run = uplink.usual(len(blocks)) if law is not None else None
            if law is None or run is None:
                uplink.send(np.concatenate(blocks) if len(blocks) > 1 else blocks[0])
            else:
                usual.setdefault(law, []).append((uplink, run))
                sound.setdefault(law, []).extend(blocks)
        except Exception as error:
            failed(error)
    for law, rows in usual.items():
        _send_rows(law, rows, sound[law], failed)


def _send_rows(
    law: G711, rows: Sequence[Usual], blocks: Sequence[Floats], failed: Callable[[Exception], None]
) -> None:
    frames = np.concatenate(blocks).reshape(len(rows), -1)
    heard = to_int16(frames)
    lower = lowered([uplink.resampler for uplink, _ in rows], frames)
    payloads = law.law.encode_rows(rounded(lower * np.float32(32768.0)))
    for (uplink, run), samples, payload in zip(rows, heard, payloads, strict=True):
        try:
            uplink.send_usual(run, samples, payload)
        except Exception as error:
            failed(error)
