"""Fetches a model when told to: each file resumed where it was cut off, checked against the publisher's digest.

    ask (HEAD)  size and digest of each file, at one commit
    fetch       into <name>.part/, by range from where an earlier try ended
    check       SHA-256, or git's own digest for small files; then the whole directory, as before every use
    rename      to <name>/, with checksums.json, so that a later change is found

Nothing else in the service speaks with the hub.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin

from models.recogniser.catalogue import Entry
from models.recogniser.directory import ModelCard, check
from models.recogniser.errors import FetchFailed, ModelUnusable

NEEDED = ("config.json", "tokenizer.json", "model.bin")
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
PREPROCESSOR = "preprocessor_config.json"
# What the publisher leaves out where it is the same for every model of that kind.
STANDARD = {
    "feature_extractor_type": "WhisperFeatureExtractor",
    "feature_size": 80,
    "sampling_rate": 16000,
    "hop_length": 160,
    "n_fft": 400,
    "chunk_length": 30,
}
BLOCK = 1 << 18
PATIENCE_S = 30.0
TRIES = 5
REACH = "Is this machine allowed to reach the internet? HF_ENDPOINT names a mirror; a model can be copied by hand, too."

Address = Callable[[str, str, str], str]
"""repository, file, revision -> where it lies."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A file as its publisher tells of it; `digest` is SHA-256 (64 letters) or git's SHA-1 of the blob (40)."""

    name: str
    url: str
    size: int
    digest: str


def hub(repository: str, file: str, revision: str) -> str:
    """A file's address at the hub, or at the mirror that HF_ENDPOINT names."""
    from huggingface_hub import hf_hub_url

    return hf_hub_url(repository, file, revision=revision)


def fetch(
    entry: Entry,
    folder: Path,
    progress: Callable[[str, int, int], None] = lambda name, done, size: None,
    *,
    address: Address = hub,
) -> ModelCard:
    """The model in `folder/<name>`, whole and checked. Raises `FetchFailed`; what has come so far stays for the next try.

    `progress` is told the file, and how many bytes of it are here.
    """
    target = folder / entry.name
    if target.exists():
        return check(target)
    part = folder / f"{entry.name}.part"
    part.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = _ask(entry, address)
    missing = sum(one.size - _there(part / one.name) for one in files)
    if (free := shutil.disk_usage(part).free) < missing:
        raise FetchFailed(
            "{name} needs {missing_mb} MB more than lie here; {free_mb} MB are free.",
            "Make room.",
            name=entry.name,
            missing_mb=missing >> 20,
            free_mb=free >> 20,
        )
    for one in files:
        _get(one, part / one.name, progress)
    if not (part / PREPROCESSOR).exists():
        (part / PREPROCESSOR).write_text(json.dumps(STANDARD, indent=1) + "\n", encoding="utf-8")
    sums = {path.name: _sha256(path) for path in sorted(part.iterdir()) if path.name != "checksums.json"}
    (part / "checksums.json").write_text(json.dumps(sums, indent=1) + "\n", encoding="utf-8")
    try:
        check(part)
    except ModelUnusable as error:
        raise FetchFailed(
            "What came of {name} is no whole model: {why}", error.hint, name=entry.name, why=error
        ) from None
    part.rename(target)
    return check(target)


def _ask(entry: Entry, address: Address) -> list[Remote]:
    def find(name: str) -> Remote | None:
        return _head(name, address(entry.repository, name, entry.revision))

    found: list[Remote] = []
    for name in NEEDED:
        one = find(name)
        if one is None:
            raise FetchFailed(
                "{repository} has no {name} at {revision}.",
                "Report it.",
                repository=entry.repository,
                name=name,
                revision=entry.revision[:12],
            )
        # The weights are held to what the catalogue knows of them, whatever a mirror says; best before they are fetched.
        if name == "model.bin":
            if len(one.digest) == len(entry.weights) and one.digest != entry.weights:
                raise FetchFailed(
                    "{url} offers other weights than the catalogue knows: the digest differs.",
                    "Report it.",
                    url=one.url,
                )
            one = replace(one, digest=entry.weights)
        found.append(one)
    vocabulary = next((one for name in VOCABULARIES if (one := find(name)) is not None), None)
    if vocabulary is None:
        raise FetchFailed(
            "{repository} has no vocabulary at {revision}.",
            "Report it.",
            repository=entry.repository,
            revision=entry.revision[:12],
        )
    found.append(vocabulary)
    if (preprocessor := find(PREPROCESSOR)) is not None:
        found.append(preprocessor)
    return found


class _Stay(urllib.request.HTTPRedirectHandler):
    """The hub tells size and digest in the answer that leads elsewhere."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


def _head(name: str, url: str, hops: int = 3) -> Remote | None:
    request = urllib.request.Request(url, method="HEAD", headers={"Accept-Encoding": "identity"})
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=PATIENCE_S) as answer:
            headers = answer.headers
    except urllib.error.HTTPError as error:
        headers = error.headers
        error.close()
        if error.code == 404:
            return None
        if error.code not in (301, 302, 303, 307, 308):
            raise FetchFailed(
                "{url} is refused ({code}).", "Try again later.", url=url, code=error.code
            ) from None
        if "X-Linked-Etag" not in headers and hops:
            return _head(name, urljoin(url, headers["Location"]), hops - 1)
    except (OSError, HTTPException) as error:
        raise FetchFailed("{url} cannot be reached: {why}.", REACH, url=url, why=error) from None
    digest = (headers.get("X-Linked-Etag") or headers.get("ETag") or "").removeprefix("W/").strip('"')
    size = headers.get("X-Linked-Size") or headers.get("Content-Length") or ""
    if len(digest) not in (40, 64) or not size.isdigit():
        raise FetchFailed(
            "{url} comes without a digest that it could be checked against.", "Report it.", url=url
        )
    return Remote(name, url, int(size), digest)


def _get(one: Remote, target: Path, progress: Callable[[str, int, int], None]) -> None:
    """The whole file, in as many tries as it takes while each brings something."""
    tries = 0
    while (there := _there(target)) < one.size:
        try:
            _get_on(one, target, there, progress)
        except (OSError, HTTPException) as error:
            tries = tries + 1 if _there(target) == there else 1
            if tries >= TRIES:
                raise FetchFailed(
                    "{url} was cut off: {why}.", "Run the same command again.", url=one.url, why=error
                ) from None
    if _there(target) > one.size or _digest(target, one) != one.digest:
        target.unlink()
        raise FetchFailed(
            "{name} is not what its publisher has: the digest differs.",
            "Run the same command again.",
            name=one.name,
        )
    progress(one.name, one.size, one.size)


def _get_on(one: Remote, target: Path, there: int, progress: Callable[[str, int, int], None]) -> None:
    request = urllib.request.Request(one.url, headers={"Accept-Encoding": "identity"})
    if there:
        request.add_header("Range", f"bytes={there}-")
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        # A server that knows no ranges sends the whole file again.
        on = answer.status == 206
        with target.open("ab" if on else "wb") as file:
            _copy(answer, file, one, there if on else 0, progress)
    if _there(target) < one.size:
        raise OSError("the connection ended early")


def _copy(
    answer: IO[bytes], file: IO[bytes], one: Remote, done: int, progress: Callable[[str, int, int], None]
) -> None:
    while block := answer.read(BLOCK):
        file.write(block)
        done += len(block)
        progress(one.name, done, one.size)


def _there(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _digest(path: Path, one: Remote) -> str:
    if len(one.digest) == 64:
        return _sha256(path)
    # As git names a blob.
    return hashlib.sha1(b"blob %d\0" % one.size + path.read_bytes(), usedforsecurity=False).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
