"""A file under a key of its own: whole it comes back, and in no other way."""

from __future__ import annotations

from pathlib import Path

import pytest

from callsvc.recordings.errors import Damaged
from callsvc.recordings.sealed_file import FRAME, NONCE, TAG, seal, sealed_size, unseal

pytestmark = pytest.mark.evidence

KEY = bytes(range(32))
# Made once, by version 1.
GOLDEN = bytes.fromhex(
    "a8a9e5188190eff598ab47bbcf4fb204dc29924ca0d180fde56b40af4880eec097a5e1d14206dd07338bb4"
)
STEP = NONCE + FRAME + TAG


def opened(sealed: bytes, size: int, key: bytes = KEY) -> bytes:
    return b"".join(unseal(lambda offset, length: sealed[offset : offset + length], size, key))


def sealed(folder: Path, content: bytes) -> bytes:
    (folder / "plain").write_bytes(content)
    seal(folder / "plain", folder / "sealed", KEY)
    return (folder / "sealed").read_bytes()


@pytest.mark.parametrize("size", [0, 1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME])
def test_a_file_comes_back_and_is_as_long_as_was_said(tmp_path: Path, size: int) -> None:
    content = bytes(n % 251 for n in range(1000)) * (size // 1000 + 1)
    made = sealed(tmp_path, content[:size])
    assert len(made) == sealed_size(size)
    assert opened(made, size) == content[:size]


def test_what_version_1_sealed_is_read() -> None:
    assert opened(GOLDEN, 15) == b"Vid tolvslaget."


def test_what_is_not_as_it_was_sealed_is_refused(tmp_path: Path) -> None:
    size = 2 * FRAME + 7
    made = sealed(tmp_path, b"x" * size)
    first, second, last = made[:STEP], made[STEP : 2 * STEP], made[2 * STEP :]
    changed = bytearray(made)
    changed[STEP + 100] ^= 1
    for wrong in (second + first + last, first + first + last, bytes(changed), b"", made[:-1]):
        with pytest.raises(Damaged):
            opened(wrong, size)
    with pytest.raises(Damaged):  # cut after a frame, and said to be that short
        opened(first + second, 2 * FRAME)
    with pytest.raises(Damaged):
        opened(made, size, key=bytes(32))
