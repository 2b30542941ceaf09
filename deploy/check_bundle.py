"""Checks an evidence bundle, with Python's own library and openssl alone.

    python3 check_bundle.py BUNDLE [--key FINGERPRINT] [--authority CA.pem]

Written from docs/reference/bundle-format.md and docs/reference/recording-format.md, and from nothing else: it shares no
code with the programs that make bundles. FINGERPRINT is what the authority says of its key: the SHA-256 of its 32 bytes
in hexadecimal, or the beginning of it. CA.pem is the certificate of the time-stamping authority. Prints what it found;
exit code 0: all is as signed; 1: something is not; 2: this is no bundle.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

UNSIGNED = {"SHA256SUMS", "SHA256SUMS.sig", "SHA256SUMS.tsr"}
NEEDED = (
    "SHA256SUMS",
    "SHA256SUMS.sig",
    "nyckel.pub",
    "paket.json",
    "original/manifest.json",
    "original/manifest.sig",
)
CAUSES = {"loss", "silence", "absent", "hold", "mask", "mute", "recorder", "failure"}
BLOCK = 1 << 20


class Check:
    """Gathers what is wrong."""

    def __init__(self, bundle: Path) -> None:
        self.bundle = bundle
        self.faults: list[str] = []
        self.good: list[str] = []

    def fault(self, sentence: str) -> None:
        self.faults.append(sentence)

    def expect(self, true: bool, fault: str) -> bool:
        if not true:
            self.fault(fault)
        return true


def openssl(*arguments: str | Path) -> bool:
    done = subprocess.run(["openssl", *arguments], capture_output=True, check=False)
    return done.returncode == 0


def signed(key: Path, signature: Path, message: Path) -> bool:
    return openssl(
        "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", key, "-sigfile", signature, "-in", message
    )  # fmt: skip


def fingerprint(key: Path) -> str:
    """SHA-256 of the 32 bytes of an Ed25519 public key; empty when the file holds none."""
    done = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", key, "-outform", "DER"], capture_output=True, check=False
    )
    # RFC 8410: twelve bytes say that it is Ed25519, thirty-two are the key.
    if done.returncode != 0 or len(done.stdout) != 44:
        return ""
    return hashlib.sha256(done.stdout[12:]).hexdigest()


def digest(path: Path) -> str:
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            whole.update(block)
    return whole.hexdigest()


def check_files(check: Check) -> None:
    """Every file is the one that was listed, and no other is there."""
    listed: dict[str, str] = {}
    for line in (check.bundle / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        match = re.fullmatch(r"([0-9a-f]{64})  ([^\0]+)", line)
        if not check.expect(match is not None, f"SHA256SUMS has a line of another form: {line[:60]!r}"):
            continue
        assert match is not None
        name = match[2]
        parts = Path(name).parts
        check.expect(not Path(name).is_absolute() and ".." not in parts, f"{name} lies outside the bundle.")
        check.expect(name not in listed, f"{name} is listed twice.")
        listed[name] = match[1]
    there = set()
    for path in sorted(check.bundle.rglob("*")):
        if path.is_symlink():
            check.fault(f"{path.relative_to(check.bundle)} is a link.")
        elif path.is_file():
            there.add(path.relative_to(check.bundle).as_posix())
    for name in sorted(there - set(listed) - UNSIGNED):
        check.fault(f"{name} is no part of the bundle.")
    for name, expected in sorted(listed.items()):
        if name not in there:
            check.fault(f"{name} is missing.")
        elif digest(check.bundle / name) != expected:
            check.fault(f"{name} was changed.")
    check.good.append(f"{len(listed)} files are listed")


def check_signature(check: Check, known: str) -> None:
    bundle = check.bundle
    key = fingerprint(bundle / "nyckel.pub")
    check.expect(bool(key), "nyckel.pub is no Ed25519 key.")
    ok = signed(bundle / "nyckel.pub", bundle / "SHA256SUMS.sig", bundle / "SHA256SUMS")
    check.expect(ok, "The signature does not fit: SHA256SUMS or its signature was changed.")
    if known:
        same = len(known) >= 16 and key.startswith(known)
        check.expect(same, f"The bundle is signed with another key than the one asked for: {key}")
    else:
        check.good.append(f"signed with the key {key}: ask the authority whether that is its own")


def check_timestamp(check: Check, what: str, message: str, answer: str, authority: Path | None) -> None:
    """What the time-stamping authority says of the original's signature, or of the bundle's list."""
    if not (check.bundle / answer).exists():
        check.good.append(f"{what} has no timestamp")
    elif authority is None:
        check.good.append(f"{what} has a timestamp; name the authority's certificate to check it")
    else:
        data = check.bundle / message
        ok = openssl("ts", "-verify", "-data", data, "-in", check.bundle / answer, "-CAfile", authority)
        if check.expect(ok, f"The timestamp is not of {what}, or not of this authority."):
            check.good.append(f"{what} has a timestamp of this authority")


def stream_info(path: Path) -> tuple[int, int, int, int]:
    """Rate, channels, bits and samples of a FLAC file, from its STREAMINFO block (RFC 9639)."""
    raw = path.read_bytes()[:42]
    if len(raw) < 42 or raw[:4] != b"fLaC" or raw[4] & 0x7F != 0:
        raise ValueError(f"{path.name} is no FLAC file.")
    bits = int.from_bytes(raw[18:26], "big")
    return bits >> 44, (bits >> 41 & 7) + 1, (bits >> 36 & 31) + 1, bits & ((1 << 36) - 1)


def check_original(check: Check, about: dict[str, Any]) -> dict[str, Any]:
    """The original's seal is genuine, and it is the one that this copy names."""
    original = check.bundle / "original"
    raw = (original / "manifest.json").read_bytes()
    manifest: dict[str, Any] = json.loads(raw)
    told = about["original"]
    ok = signed(original / "nyckel.pub", original / "manifest.sig", original / "manifest.json")
    check.expect(ok, "The original's signature does not fit its manifest.")
    key = fingerprint(original / "nyckel.pub")
    check.expect(
        key[:16] == manifest["signer"] == told["signer"], "The original was signed with another key."
    )
    check.expect(
        hashlib.sha256(raw).hexdigest() == told["manifest_sha256"], "paket.json names another original."
    )
    for field in ("chain", "outcome", "opened_at", "sealed_at"):
        check.expect(manifest[field] == told[field], f"paket.json and the original disagree on {field}.")
    for field in ("call", "recording"):
        check.expect(manifest[field] == about[field], f"paket.json and the original disagree on {field}.")
    stamped = (original / "manifest.tsr").exists()
    check.expect(
        stamped == bool(told["stamped_at"]), "paket.json and the original disagree on the timestamp."
    )
    check.good.append(f"original of {told['sealed_at']}, {told['outcome']}")
    return manifest


def gaps_of(track: dict[str, Any]) -> list[tuple[int, int, str]]:
    return [
        (int(gap["start"]), int(gap["start"]) + int(gap["length"]), str(gap["cause"]))
        for gap in track["gaps"]
    ]


def check_track(
    check: Check, track: dict[str, Any], original: dict[str, Any], stretch: dict[str, Any]
) -> None:
    """The file is as long as it says, lies where it says, and owns up to every gap of the original."""
    name, rate, start, samples = track["name"], track["rate_hz"], track["start"], track["samples"]
    info = stream_info(check.bundle / track["file"])
    check.expect(info == (rate, 1, 16, samples), f"{track['file']} is not what paket.json says of it.")
    check.expect(rate == original["rate_hz"], f"{name} has another rate than the original.")
    if stretch["whole"]:
        right = start == 0 and samples == original["samples"]
    else:
        first = min(stretch["from_ms"] * rate // 1000, original["samples"])
        last = min(-(-stretch["to_ms"] * rate // 1000), original["samples"])
        right = (start, start + samples) == (first, last)
    check.expect(right, f"{name} is not the stretch of the original that paket.json says.")
    expected = [
        (max(begin, start) - start, min(end, start + samples) - start, cause)
        for begin, end, cause in gaps_of(original)
        if max(begin, start) < min(end, start + samples)
    ]
    check.expect(gaps_of(track) == expected, f"{name} does not have the gaps of the original.")
    check.expect(all(cause in CAUSES for _, _, cause in expected), f"{name} has a gap of an unknown cause.")
    missing = sum(end - begin for begin, end, _ in expected) / rate
    check.good.append(f"{name}: {samples / rate:.2f} s, of which {missing:.2f} s are missing and said to be")


def check_content(check: Check) -> None:
    about: dict[str, Any] = json.loads((check.bundle / "paket.json").read_text(encoding="utf-8"))
    if (about["format"], about["version"]) != ("callsvc-bundle", 1):
        check.fault("This is a bundle of a version that this program does not know.")
        return
    key = fingerprint(check.bundle / "nyckel.pub")
    check.expect(key[:16] == about["signer"], "paket.json names another signer than nyckel.pub.")
    manifest = check_original(check, about)
    originals = {track["name"]: track for track in manifest["tracks"]}
    names = [track["name"] for track in about["tracks"]]
    wanted = [name for name in originals if name in ("caller.rx", "operator.tx")]
    check.expect(names == wanted, "The bundle does not hold the tracks of the original.")
    for track in about["tracks"]:
        if track["name"] in originals:
            check_track(check, track, originals[track["name"]], about["stretch"])
    rate, channels, bits, samples = stream_info(check.bundle / about["stereo"]["file"])
    seconds = (about["stretch"]["to_ms"] - about["stretch"]["from_ms"]) / 1000
    right = (rate, channels, bits) == (about["stereo"]["rate_hz"], 2, 16) and abs(
        samples / rate - seconds
    ) < 0.1
    check.expect(right, "stereo.flac is not what paket.json says of it.")


def check_bundle(bundle: Path, known: str, authority: Path | None) -> Check:
    check = Check(bundle)
    missing = [name for name in NEEDED if not (bundle / name).is_file()]
    for name in missing:
        check.fault(f"{name} is missing.")
    if "SHA256SUMS" not in missing:
        try:
            check_files(check)
        except (OSError, UnicodeDecodeError):
            check.fault("SHA256SUMS cannot be read.")
    if missing:
        return check
    check_signature(check, known)
    check_timestamp(check, "the bundle", "SHA256SUMS", "SHA256SUMS.tsr", authority)
    check_timestamp(check, "the original", "original/manifest.sig", "original/manifest.tsr", authority)
    try:
        check_content(check)
    except (KeyError, TypeError, ValueError, AttributeError, OSError, ArithmeticError) as error:
        check.fault(f"The bundle's description cannot be followed ({type(error).__name__}).")
    return check


def main() -> int:
    parser = argparse.ArgumentParser(description="Checks an evidence bundle.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--key", default="", help="fingerprint of the authority's key")
    parser.add_argument("--authority", type=Path, help="certificate of the time-stamping authority")
    asked = parser.parse_args()
    if not asked.bundle.is_dir():
        print(f"{asked.bundle} is no bundle.", file=sys.stderr)
        return 2
    # openssl is given plain names, whatever the bundle is called.
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "bundle"
        plain.symlink_to(asked.bundle.resolve(), target_is_directory=True)
        check = check_bundle(plain, asked.key.lower(), asked.authority)
    for sentence in check.good:
        print(f"  {sentence}")
    for sentence in check.faults:
        print(f"  NOT RIGHT: {sentence}")
    print("NOT as it was signed." if check.faults else "All is as it was signed.")
    return 1 if check.faults else 0


if __name__ == "__main__":
    sys.exit(main())
