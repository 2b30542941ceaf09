"""HTTP ranges (RFC 9110, section 14) over a sound that is made as it is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from starlette.concurrency import iterate_in_threadpool
from starlette.responses import Response, StreamingResponse

from callsvc.web.problems import Problem

_ONE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class View(Protocol):
    """A file that is not there until it is read."""

    @property
    def size(self) -> int: ...

    def chunks(self, offset: int, n: int) -> Iterator[bytes]: ...


def stretch(asked: str | None, size: int) -> tuple[int, int] | None:
    """First byte and length of the one range that was asked for; None for the whole.

    Several ranges, and what is no range, are answered with the whole, as the RFC allows. Raises `Problem` when
    nothing lies in the range.
    """
    match = _ONE.fullmatch(asked.strip()) if asked else None
    if match is None or match[0] == "bytes=-":
        return None
    if not match[1]:
        length = min(int(match[2]), size)
        first, last = size - length, size - 1
    else:
        first = int(match[1])
        last = min(int(match[2]), size - 1) if match[2] else size - 1
        if match[2] and int(match[2]) < first:
            return None
    if first >= size or first > last:
        raise Problem("bad_range", headers={"Content-Range": f"bytes */{size}"})
    return first, last - first + 1


def wav(view: View, asked: str | None) -> Response:
    """The answer: 206 with the stretch, 200 with the whole. What is read, is read as the reader takes it."""
    found = stretch(asked, view.size)
    first, length = found or (0, view.size)
    headers = {"Accept-Ranges": "bytes", "Content-Length": str(length)}
    if found:
        headers["Content-Range"] = f"bytes {first}-{first + length - 1}/{view.size}"
    return StreamingResponse(
        iterate_in_threadpool(view.chunks(first, length)),
        status_code=206 if found else 200,
        headers=headers,
        media_type="audio/wav",
    )
