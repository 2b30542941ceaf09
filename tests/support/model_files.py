"""A model directory that is whole in every respect but that its weights mean nothing."""

from __future__ import annotations

import json
import struct
from pathlib import Path

LANGUAGES = ("en", "sv", "ar", "so", "pl")


def model_directory(path: Path) -> Path:
    """Write the five files of a Whisper model in CTranslate2's form."""
    path.mkdir()
    text = ["a", "b", ""]
    marks = [
        "<|endoftext|>",
        "<|startoftranscript|>",
        *(f"<|{language}|>" for language in LANGUAGES),
        "<|translate|>",
        "<|transcribe|>",
        "<|nospeech|>",
        "<|notimestamps|>",
    ]
    tokenizer = {
        "model": {"type": "BPE", "vocab": {token: n for n, token in enumerate(text)}, "merges": []},
        "added_tokens": [{"id": len(text) + n, "content": mark} for n, mark in enumerate(marks)],
    }
    (path / "tokenizer.json").write_text(json.dumps(tokenizer))
    (path / "vocabulary.json").write_text(json.dumps(text + marks))
    (path / "config.json").write_text(json.dumps({"lang_ids": [5, 6], "alignment_heads": [[0, 0]]}))
    (path / "preprocessor_config.json").write_text(json.dumps({"feature_size": 80}))
    (path / "model.bin").write_bytes(weights("WhisperSpec"))
    return path


def weights(kind: str) -> bytes:
    """CTranslate2's container with one variable of eight bytes and one alias."""
    return b"".join(
        [
            struct.pack("<I", 6),
            _string(kind),
            struct.pack("<II", 3, 1),
            _string("encoder/scale"),
            struct.pack("<BIBI", 1, 2, 0, 8),
            bytes(8),
            struct.pack("<I", 1),
            _string("decoder/scale"),
            _string("encoder/scale"),
        ]
    )


def _string(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"
