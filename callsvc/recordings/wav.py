"""Sound as the bytes of a WAV file, made as they are asked for: what an HTTP range needs."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final

from audio.taps import Samples

HEADER_BYTES: Final = 44
MAX_DATA: Final = 0xFFFF_FFFF - HEADER_BYTES


class WavView:
    """16-bit PCM. `size` is known at once; nothing is decrypted before it is read.

    `read(start, n)` gives int16 samples of shape (n,) for one channel, (n, channels) for more.
    """

    def __init__(
        self,
        rate_hz: int,
        samples: int,
        read: Callable[[int, int], Samples],
        *,
        channels: int = 1,
        chunks_a_second: int = 1,
    ) -> None:
        self._frame = 2 * channels
        self.rate_hz = rate_hz
        self.samples = min(samples, MAX_DATA // self._frame)
        self.size = HEADER_BYTES + self._frame * self.samples
        self._read = read
        self._step = self._frame * rate_hz // chunks_a_second
        self._header = _header(rate_hz, channels, self._frame * self.samples)

    def read(self, offset: int, n: int) -> bytes:
        """Bytes `offset` to `offset + n`, fewer at the end."""
        end = min(offset + n, self.size)
        if end <= offset:
            return b""
        front = self._header[offset:end]
        offset = max(offset, HEADER_BYTES)
        if end <= offset:
            return front
        first = (offset - HEADER_BYTES) // self._frame
        last = -(-(end - HEADER_BYTES) // self._frame)
        data = self._read(first, last - first).astype("<i2").tobytes()
        skip = offset - HEADER_BYTES - self._frame * first
        return front + data[skip : skip + end - offset]

    def chunks(self, offset: int, n: int) -> Iterator[bytes]:
        """The same bytes a stretch of sound at a time: browsers ask for all and leave early, and each stretch is
        decrypted only when it is their turn."""
        end = min(offset + n, self.size)
        while offset < end:
            part = self.read(offset, min(self._step, end - offset))
            yield part
            offset += len(part)


def _header(rate_hz: int, channels: int, data: int) -> bytes:
    frame = 2 * channels
    return (
        struct.pack("<4sI4s", b"RIFF", HEADER_BYTES - 8 + data, b"WAVE")
        + struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate_hz, frame * rate_hz, frame, 16)
        + struct.pack("<4sI", b"data", data)
    )
