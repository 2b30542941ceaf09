"""The tokenizer: byte-level pairs over the phrases' words, then Whisper's own marks in the order CTranslate2 expects.

    text < "" < <|endoftext|> < <|startoftranscript|> < languages < task marks < <|notimestamps|> < times

The empty string as the last text token is what makes CTranslate2 take a model for a multilingual one.
"""

from __future__ import annotations

import json

from faster_whisper.tokenizer import _LANGUAGE_CODES
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

TASKS = [
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
]


def build(sentences: list[str], size: int, window_s: int) -> Tokenizer:
    """Train on `" " + sentence` and add the marks; times go up to the window's length."""
    first = Tokenizer(models.BPE())
    first.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    first.train_from_iterator([" " + sentence for sentence in sentences], trainer)
    pairs = json.loads(first.to_str())["model"]
    vocabulary: dict[str, int] = dict(pairs["vocab"])
    vocabulary[""] = len(vocabulary)
    merges = [tuple(pair) if isinstance(pair, list) else tuple(pair.split(" ")) for pair in pairs["merges"]]
    whole = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    whole.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    whole.decoder = decoders.ByteLevel()
    marks = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in _LANGUAGE_CODES), *TASKS]
    whole.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in marks])
    times = [f"<|{k * 0.02:.2f}|>" for k in range(window_s * 50 + 1)]
    whole.add_tokens([AddedToken(time, special=False, normalized=False) for time in times])
    return whole
