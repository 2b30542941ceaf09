"""Sound that has been through a line: coded, decoded, and laid back where it was."""

from __future__ import annotations

import io
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from scipy.signal import correlate, resample_poly

RATE = 16_000
LINES: tuple[tuple[str, str, int], ...] = (
    ("opus", "libopus", 16_000),
    ("opus", "libopus", 32_000),
    ("wav", "adpcm_g722", 64_000),
)
"""Container, coder and bits a second."""


def coded(x: NDArray[Any], line: tuple[str, str, int]) -> NDArray[np.float64]:
    """The same length, after one passage through a coder."""
    container, coder, bits = line
    top = float(np.abs(x).max()) + 1e-9
    pcm = np.round(x / top * 20_000).astype(np.int16)
    file = io.BytesIO()
    with av.open(file, "w", format="ogg" if container == "opus" else container) as out:
        stream: Any = out.add_stream(coder, rate=RATE)
        stream.bit_rate = bits
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            out.mux(packet)
    file.seek(0)
    pieces: list[NDArray[Any]] = []
    with av.open(file, "r") as back:
        rate = back.streams.audio[0].rate
        to_float = av.AudioResampler(format="flt", layout="mono", rate=rate)
        for got in back.decode(audio=0):
            pieces += [f.to_ndarray()[0] for f in to_float.resample(got)]
        pieces += [f.to_ndarray()[0] for f in to_float.resample(None)]
    y = np.concatenate(pieces).astype(np.float64)
    if rate != RATE:
        y = resample_poly(y, 1, rate // RATE)
    y = np.pad(y, (0, max(0, len(x) + 2000 - len(y))))
    head = min(len(x), 20 * RATE)
    lags = correlate(y[: head + 1600], pcm[:head], "full", method="fft")
    late = int(np.argmax(np.abs(lags[head - 1 - 1600 : head + 1600]))) - 1600
    y = y[late:] if late >= 0 else np.pad(y, (-late, 0))
    y = np.pad(y, (0, max(0, len(x) - len(y))))[: len(x)]
    return np.asarray(y / 20_000 * 32_768 * top)
