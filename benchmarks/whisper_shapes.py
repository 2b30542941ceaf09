"""Model directories of Whisper's true shapes with random weights: what they cost is true, what they write is not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ctranslate2.specs import WhisperSpec
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from models.recogniser.training.tokens import TASKS

Half = NDArray[np.float16]
TEXTS = 50_257
"""Text tokens of Whisper's tokenizer."""
LANGUAGES = 99
WINDOW, ROWS = 1500, 448


@dataclass(frozen=True)
class Shape:
    """Width, heads, layers on each side (or other ones in the decoder), and the mel bands that the encoder takes."""

    width: int
    heads: int
    layers: int
    mels: int = 80
    decoder_layers: int = 0


SHAPES = {
    "tiny": Shape(384, 6, 4),
    "base": Shape(512, 8, 6),
    "small": Shape(768, 12, 12),
    "medium": Shape(1024, 16, 24),
    "large": Shape(1280, 20, 32, 128),
    "large-turbo": Shape(1280, 20, 32, 128, 4),
}


class _Weights:
    """Arrays out of one pool of random numbers, each from a place of its own so that none is shared."""

    def __init__(self) -> None:
        self._pool = (np.random.default_rng(1).standard_normal(1 << 22) * 0.02).astype(np.float16)
        self._at = 0

    def __call__(self, *shape: int) -> Half:
        size = int(np.prod(shape))
        self._at = (self._at + 7919) % len(self._pool)
        return np.resize(np.roll(self._pool, -self._at), size).reshape(shape)


def write(name: str, target: Path) -> None:
    """The five files of a model of this shape, 16-bit as published ones are."""
    shape, draw = SHAPES[name], _Weights()
    tokenizer = _tokenizer()
    layers = shape.decoder_layers or shape.layers
    spec = WhisperSpec(shape.layers, shape.heads, layers, shape.heads)
    wide = shape.width
    spec.encoder.conv1.weight, spec.encoder.conv1.bias = draw(wide, shape.mels, 3), draw(wide)
    spec.encoder.conv2.weight, spec.encoder.conv2.bias = draw(wide, wide, 3), draw(wide)
    spec.encoder.position_encodings.encodings = draw(WINDOW, wide)
    spec.decoder.position_encodings.encodings = draw(ROWS, wide)
    spec.decoder.embeddings.weight = draw(tokenizer.get_vocab_size(), wide)
    spec.decoder.projection.weight = spec.decoder.embeddings.weight
    for side in (spec.encoder, spec.decoder):
        _norm(side.layer_norm, wide)
        for layer in side.layer:
            _attention(layer.self_attention, (3 * wide, wide), wide, draw)
            if side is spec.decoder:
                _attention(layer.attention, (wide, 2 * wide, wide), wide, draw)
            _norm(layer.ffn.layer_norm, wide)
            _linear(layer.ffn.linear_0, 4 * wide, wide, draw)
            _linear(layer.ffn.linear_1, wide, 4 * wide, draw)
    number = tokenizer.token_to_id
    spec.config.lang_ids = [number("<|sv|>")]
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [number("<|endoftext|>")]
    spec.config.alignment_heads = [[layers - 1, head] for head in range(min(6, shape.heads))]
    vocabulary = tokenizer.get_vocab()
    spec.register_vocabulary(sorted(vocabulary, key=lambda token: vocabulary[token]))
    spec.validate()
    spec.optimize()
    target.mkdir(parents=True)
    spec.save(str(target))
    tokenizer.save(str(target / "tokenizer.json"))
    inputs = {
        "feature_size": shape.mels,
        "sampling_rate": 16000,
        "hop_length": 160,
        "n_fft": 400,
        "chunk_length": 30,
    }
    (target / "preprocessor_config.json").write_text(json.dumps(inputs) + "\n", encoding="utf-8")


def _norm(norm: object, wide: int) -> None:
    norm.gamma, norm.beta = np.ones(wide, np.float16), np.zeros(wide, np.float16)  # type: ignore[attr-defined]


def _linear(linear: object, out: int, wide: int, draw: _Weights) -> None:
    linear.weight, linear.bias = draw(out, wide), draw(out)  # type: ignore[attr-defined]


def _attention(attention: object, outs: tuple[int, ...], wide: int, draw: _Weights) -> None:
    _norm(attention.layer_norm, wide)  # type: ignore[attr-defined]
    for linear, out in zip(attention.linear, (*outs, wide), strict=False):  # type: ignore[attr-defined]
        _linear(linear, out, wide, draw)


def _tokenizer() -> Tokenizer:
    """As many tokens as Whisper's, in its order; Swedish is the only language with a real name."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    texts = letters + [f"Ġ{n:05d}" for n in range(TEXTS - len(letters) - 1)] + [""]
    made = Tokenizer(models.BPE(vocab={token: n for n, token in enumerate(texts)}, merges=[]))
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    marks = ["<|endoftext|>", "<|startoftranscript|>", "<|sv|>"]
    marks += [f"<|l{n:02d}|>" for n in range(LANGUAGES - 1)]
    marks += TASKS
    made.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in marks])
    made.add_tokens([AddedToken(f"<|{n * 0.02:.2f}|>", normalized=False) for n in range(1501)])
    return made
