"""Edits that somebody might make to a sealed recording, drawn by a seed."""

from __future__ import annotations

import random
from collections.abc import Callable

from callsvc.recordings.layout import HEADER_BYTES, unpack

Files = dict[str, bytes]


def records(segments: bytes) -> list[bytes]:
    """The segment file cut into its records."""
    found, at = [], 0
    while at < len(segments):
        header = unpack(segments[at:])
        assert header is not None
        found.append(segments[at : at + HEADER_BYTES + header.size])
        at += len(found[-1])
    return found


def flip_bit(files: Files, rng: random.Random, _foreign: Files) -> str:
    name = rng.choice(sorted(files))
    at, bit = rng.randrange(len(files[name])), rng.randrange(8)
    changed = bytearray(files[name])
    changed[at] ^= 1 << bit
    files[name] = bytes(changed)
    return f"bit {bit} of byte {at} of {name}"


def overwrite(files: Files, rng: random.Random, _foreign: Files) -> str:
    name = rng.choice(sorted(files))
    at = rng.randrange(len(files[name]))
    length = min(rng.randint(1, 300), len(files[name]) - at)
    new = bytes(b ^ rng.randint(1, 255) for b in files[name][at : at + length])
    files[name] = files[name][:at] + new + files[name][at + length :]
    return f"{length} bytes at {at} of {name}"


def cut_out(files: Files, rng: random.Random, _foreign: Files) -> str:
    name = rng.choice(sorted(files))
    at = rng.randrange(len(files[name]))
    length = rng.randint(1, 200)
    files[name] = files[name][:at] + files[name][at + length :]
    return f"{length} bytes gone at {at} of {name}"


def put_in(files: Files, rng: random.Random, _foreign: Files) -> str:
    name = rng.choice(sorted(files))
    at = rng.randrange(len(files[name]) + 1)
    files[name] = files[name][:at] + rng.randbytes(rng.randint(1, 200)) + files[name][at:]
    return f"bytes added at {at} of {name}"


def truncate(files: Files, rng: random.Random, _foreign: Files) -> str:
    name = rng.choice(sorted(files))
    files[name] = files[name][: rng.randrange(len(files[name]))]
    return f"{name} cut to {len(files[name])}"


def drop_file(files: Files, rng: random.Random, _foreign: Files) -> str:
    name = rng.choice(sorted(files))
    del files[name]
    return f"{name} gone"


def swap_records(files: Files, rng: random.Random, _foreign: Files) -> str:
    found = records(files["segments"])
    a, b = rng.sample(range(len(found)), 2)
    found[a], found[b] = found[b], found[a]
    files["segments"] = b"".join(found)
    return f"records {a} and {b} swapped"


def drop_records(files: Files, rng: random.Random, _foreign: Files) -> str:
    found = records(files["segments"])
    at = rng.randrange(len(found))
    count = rng.randint(1, 4)
    del found[at : at + count]
    files["segments"] = b"".join(found)
    return f"{count} records gone from {at}"


def double_record(files: Files, rng: random.Random, _foreign: Files) -> str:
    found = records(files["segments"])
    at = rng.randrange(len(found))
    found.insert(rng.randrange(len(found) + 1), found[at])
    files["segments"] = b"".join(found)
    return f"record {at} twice"


def foreign_record(files: Files, rng: random.Random, foreign: Files) -> str:
    found, others = records(files["segments"]), records(foreign["segments"])
    at = rng.randrange(len(found))
    found[at] = others[rng.randrange(len(others))]
    files["segments"] = b"".join(found)
    return f"record {at} is another recording's"


def foreign_file(files: Files, rng: random.Random, foreign: Files) -> str:
    name = rng.choice(sorted(files))
    files[name] = foreign[name]
    return f"{name} is another recording's"


def foreign_seal(files: Files, rng: random.Random, foreign: Files) -> str:
    """Manifest and signature of another recording of the same installation: both good, neither of this one."""
    for name in rng.choice([("manifest.json", "manifest.sig"), ("manifest.json", "manifest.sig", "index")]):
        files[name] = foreign[name]
    return "another recording's seal"


EDITS: tuple[Callable[[Files, random.Random, Files], str], ...] = (
    flip_bit,
    overwrite,
    cut_out,
    put_in,
    truncate,
    drop_file,
    swap_records,
    drop_records,
    double_record,
    foreign_record,
    foreign_file,
    foreign_seal,
)
