"""Whether a directory holds a whole model of speech to text.

The library takes a path that is not there for a name on the internet and fetches a tokenizer that is missing; so
nothing reaches it before this has looked at every file. Each fault has its own message and says what to do.

    config.json  model.bin  tokenizer.json  vocabulary.json | .txt  preprocessor_config.json
    checksums.json   optional: {"file": "sha256"}; a model that brings it is held to it
    card.json        optional: {"name": ..., "longest_s": ..., "window_s": ..., "note": ...}
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from models.recogniser.errors import LanguageUnknown, ModelUnusable

NEEDED = ("config.json", "model.bin", "tokenizer.json", "preprocessor_config.json")
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
MARKS = ("<|startoftranscript|>", "<|transcribe|>", "<|notimestamps|>", "<|endoftext|>")
LONGEST_S = 24.0
HINT = (
    "Point transcripts.model_dir at a whole faster-whisper model, such as KB-Whisper converted to CTranslate2;"
    " copy it again if it was cut short."
)
UNCONVERTED = ("pytorch_model.bin", "model.safetensors")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A directory that was found whole. `sha256` is of model.bin; `longest_s` is the longest piece to give it.

    `window_s`: the model was taught on windows of this length, and is given no longer ones unless the sound is.
    """

    path: Path
    name: str
    sha256: str
    size: int
    longest_s: float
    languages: frozenset[str]
    window_s: float = 30.0

    def require(self, language: str) -> None:
        """Raises `LanguageUnknown` for a language that the model cannot write."""
        if language not in self.languages:
            raise LanguageUnknown(
                "The model {name} does not know the language {language!r}.",
                "Set transcripts.language to one that it knows, or use another model.",
                name=self.name,
                language=language,
            )


def check(path: Path) -> ModelCard:
    """Look at every file of the model. Raises `ModelUnusable` with the first thing that is wrong."""
    if not path.exists():
        raise ModelUnusable("The model directory {path} is not there.", HINT, path=path)
    if not path.is_dir():
        raise ModelUnusable("{path} is a file; the model is a directory.", HINT, path=path)
    _present(path)
    config = _object(path, "config.json")
    if not isinstance(config.get("lang_ids"), list) or "alignment_heads" not in config:
        raise ModelUnusable("{file} is no Whisper model's configuration.", HINT, file=path / "config.json")
    inputs = _object(path, "preprocessor_config.json")
    if inputs.get("feature_size", 80) not in (80, 128):
        raise ModelUnusable(
            "{file} asks for an input that Whisper has not.", HINT, file=path / "preprocessor_config.json"
        )
    languages = _tokens(path)
    _weights(path / "model.bin")
    card = _object(path, "card.json") if (path / "card.json").is_file() else {}
    return ModelCard(
        path,
        str(card.get("name") or path.resolve().name),
        _checksums(path),
        sum(entry.stat().st_size for entry in path.iterdir() if entry.is_file()),
        float(card.get("longest_s", LONGEST_S)),
        languages,
        float(card.get("window_s", 30.0)),
    )


def _present(path: Path) -> None:
    for name in NEEDED:
        file = path / name
        if not file.is_file():
            if name == "model.bin" and any((path / other).is_file() for other in UNCONVERTED):
                raise ModelUnusable(
                    "{path} holds a model that is not converted to CTranslate2.",
                    "Convert it with ct2-transformers-converter, or fetch the converted one.",
                    path=path,
                )
            raise ModelUnusable("The model in {path} lacks {name}.", HINT, path=path, name=name)
        if file.stat().st_size == 0:
            raise ModelUnusable("{file} is empty.", HINT, file=file)
    if not any((path / name).is_file() for name in VOCABULARIES):
        raise ModelUnusable("The model in {path} lacks vocabulary.json or vocabulary.txt.", HINT, path=path)


def _object(path: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads((path / name).read_text(encoding="utf-8"))
    except (ValueError, OSError):
        found = None
    if not isinstance(found, dict):
        raise ModelUnusable("{file} cannot be read as JSON.", HINT, file=path / name)
    return found


def _tokens(path: Path) -> frozenset[str]:
    """The languages that the tokenizer has a mark for, once marks and vocabulary were found to agree."""
    whole = _object(path, "tokenizer.json")
    try:
        added = {str(token["content"]): int(token["id"]) for token in whole["added_tokens"]}
        known = len({*whole["model"]["vocab"].values(), *added.values()})
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ModelUnusable(
            "{file} is no tokenizer of Whisper's.", HINT, file=path / "tokenizer.json"
        ) from None
    for mark in MARKS:
        if mark not in added:
            raise ModelUnusable(
                "{file} lacks the mark {mark}.", HINT, file=path / "tokenizer.json", mark=mark
            )
    name = next(name for name in VOCABULARIES if (path / name).is_file())
    try:
        text = (path / name).read_text(encoding="utf-8")
        words = len(json.loads(text)) if name.endswith(".json") else len(text.removesuffix("\n").split("\n"))
    except (ValueError, OSError, TypeError):
        raise ModelUnusable("{file} cannot be read.", HINT, file=path / name) from None
    # A vocabulary may be filled up to a round size; one that is smaller belongs to another model.
    if words < known:
        raise ModelUnusable(
            "{name} has {words} entries and tokenizer.json {known}: they are of two models.",
            HINT,
            name=name,
            words=words,
            known=known,
        )
    start, end = added["<|startoftranscript|>"], added["<|transcribe|>"]
    return frozenset(
        content[2:-2]
        for content, number in added.items()
        if start < number < end and content[2:-2].isalpha() and 2 <= len(content) - 4 <= 3
    )


def _weights(file: Path) -> None:
    """Walk through CTranslate2's container: a file that is cut short, or is something else, does not come out even."""
    size = file.stat().st_size
    try:
        with file.open("rb") as data:
            (version,) = struct.unpack("<I", _take(data, 4))
            if not 1 <= version <= 64:
                raise ValueError
            kind = _string(data)
            _take(data, 4)
            if kind != "WhisperSpec":
                raise ModelUnusable(
                    "{file} is a model of another kind ({kind}), not Whisper.",
                    HINT,
                    file=file,
                    kind=kind[:40],
                )
            (count,) = struct.unpack("<I", _take(data, 4))
            for _ in range(count):
                _string(data)
                (rank,) = _take(data, 1)
                _take(data, 4 * rank + 1)
                (length,) = struct.unpack("<I", _take(data, 4))
                data.seek(length, 1)
                if data.tell() > size:
                    raise EOFError
            (aliases,) = struct.unpack("<I", _take(data, 4))
            for _ in range(2 * aliases):
                _string(data)
    except EOFError:
        raise ModelUnusable(
            "{file} is cut short: it ends after {size} bytes.", HINT, file=file, size=size
        ) from None
    except (ValueError, UnicodeDecodeError, struct.error):
        raise ModelUnusable("{file} is no CTranslate2 model.", HINT, file=file) from None


def _take(data: BinaryIO, count: int) -> bytes:
    found = data.read(count)
    if len(found) < count:
        raise EOFError
    return found


def _string(data: BinaryIO) -> str:
    (length,) = struct.unpack("<H", _take(data, 2))
    if not 1 <= length <= 1024:
        raise ValueError
    return _take(data, length)[:-1].decode()


def _checksums(path: Path) -> str:
    """The digest of model.bin; every file that checksums.json names has the digest it names."""
    wanted = _object(path, "checksums.json") if (path / "checksums.json").is_file() else {}
    for name, digest in wanted.items():
        file = path / name
        if "/" in name or not file.is_file():
            raise ModelUnusable(
                "The model in {path} lacks {name}, which its checksums.json names.",
                HINT,
                path=path,
                name=name,
            )
        if _sha256(file, *_identity(file)) != digest:
            raise ModelUnusable(
                "{file} is not the file that checksums.json names: it was changed or damaged.",
                HINT,
                file=file,
            )
    file = path / "model.bin"
    return _sha256(file, *_identity(file))


def _identity(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_size, found.st_mtime_ns


@cache
def _sha256(file: Path, _size: int, _changed: int) -> str:
    """Of a file as it is now: size and time of change keep a large model from being read at every look."""
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
