"""A track as the bytes of a WAV file, made as they are asked for: what an HTTP range needs."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from audio.taps import Samples

HEADER_BYTES = 44
MAX_DATA = 0xFFFF_FFFF - HEADER_BYTES


class WavView:
    """16-bit mono PCM. `size` is known at once; nothing is decrypted before it is read."""

    def __init__(self, rate_hz: int, samples: int, read: Callable[[int, int], Samples]) -> None:
        self._samples = min(samples, MAX_DATA // 2)
        self._read = read
        self._rate_hz = rate_hz
        self._header = _header(rate_hz, self._samples)
        self.size = HEADER_BYTES + 2 * self._samples

    def read(self, offset: int, n: int) -> bytes:
        """Bytes `offset` to `offset + n`, fewer at the end."""
        end = min(offset + n, self.size)
        if end <= offset:
            return b""
        front = self._header[offset:end]
        offset = max(offset, HEADER_BYTES)
        if end <= offset:
            return front
        first = (offset - HEADER_BYTES) // 2
        last = -(-(end - HEADER_BYTES) // 2)
        data = self._read(first, last - first).astype("<i2").tobytes()
        skip = offset - HEADER_BYTES - 2 * first
        return front + data[skip : skip + end - offset]

    def chunks(self, offset: int, n: int) -> Iterator[bytes]:
        """The same bytes a second of sound at a time, so that little is decrypted for a reader who goes away."""
        step = 2 * self._rate_hz
        end = min(offset + n, self.size)
        while offset < end:
            part = self.read(offset, min(step, end - offset))
            yield part
            offset += len(part)


def _header(rate_hz: int, samples: int) -> bytes:
    data = 2 * samples
    return (
        struct.pack("<4sI4s", b"RIFF", HEADER_BYTES - 8 + data, b"WAVE")
        + struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate_hz, 2 * rate_hz, 2, 16)
        + struct.pack("<4sI", b"data", data)
    )
