"""What a window teaches: the tokens to write, with time marks or without, and where the guided heads should look."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from tokenizers import Tokenizer

from models.recogniser.training.material import Window

NONE = -100
"""No lesson here: what `cross_entropy` leaves out."""
WORD_HEADS = {0: "written", 1: "writing", 2: "writing"}
"""Head 0 of each decoder layer: at the word just written, or at the one being written."""
MARK_LAYER, MARK_HEAD = 2, 1
"""The head that looks at the moment for which a time mark is written."""
NEAR = 2
"""Frames of 20 ms about that moment that count as it."""
SPREAD = 1.5
"""Frames by which a time mark may be off for half a mark: Gaussian targets, not one right mark among wrong ones."""

Span = tuple[int, int]
NOWHERE: Span = (-1, -1)


@dataclass(frozen=True)
class Marks:
    """Numbers of the tokens that are no text."""

    start: int
    swedish: int
    transcribe: int
    no_times: int
    silence: int
    end: int
    first_time: int

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> Marks:
        names = ("startoftranscript", "sv", "transcribe", "notimestamps", "nospeech", "endoftext", "0.00")
        return cls(*(int(tokenizer.token_to_id(f"<|{name}|>") or 0) for name in names))


@dataclass
class _Row:
    """One window's tokens; where each lies in the sound, as it is written, and the moment it names if it is a mark."""

    tokens: list[int] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    moments: list[int] = field(default_factory=list)

    def add(self, token: int, span: Span = NOWHERE, moment: int = -1) -> None:
        self.tokens.append(token)
        self.spans.append(span)
        self.moments.append(moment)


def _row(window: Window, timed: bool, tokenizer: Tokenizer, marks: Marks) -> _Row:
    row = _Row()
    for token in (marks.start, marks.swedish, marks.transcribe):
        row.add(token)
    if not timed:
        row.add(marks.no_times)
    silence = NOWHERE
    for k, said in enumerate(window.said):
        begins, ends = round(said[0][1] * 50), round(said[-1][2] * 50)
        if timed:
            row.add(marks.first_time + begins, (begins, begins + 10), begins)
        for word, start, end in said:
            for token in tokenizer.encode(" " + word).ids:
                row.add(token, (int(start * 50), max(int(start * 50) + 1, int(end * 50))))
        # That nothing comes any more is seen in the silence after the last word.
        silence = (ends + 2, ends + 20)
        if k + 1 < len(window.said):
            silence = (ends + 2, max(ends + 3, min(ends + 20, round(window.said[k + 1][0][1] * 50))))
        if timed:
            row.add(marks.first_time + ends, silence, ends)
    if timed and not window.said:
        row.add(marks.first_time)
    row.add(marks.end, silence)
    return row


@dataclass(frozen=True)
class Lesson:
    """A batch: tokens given, the next tokens, and per token where it lies and which moment it names."""

    tokens: torch.Tensor
    following: torch.Tensor
    spans: torch.Tensor
    moments: torch.Tensor


def lesson(batch: list[Window], timed: list[bool], tokenizer: Tokenizer, marks: Marks) -> Lesson:
    """Lay the windows' tokens out; nothing is taught about the fixed tokens at the start, but for speech or silence."""
    rows = [_row(window, times, tokenizer, marks) for window, times in zip(batch, timed, strict=True)]
    width = max(len(row.tokens) for row in rows)
    tokens = torch.full((len(rows), width), marks.end)
    following = torch.full((len(rows), width), NONE)
    spans = torch.full((len(rows), width, 2), -1)
    moments = torch.full((len(rows), width), -1)
    for k, (row, window, times) in enumerate(zip(rows, batch, timed, strict=True)):
        count, fixed = len(row.tokens), 3 if times else 4
        tokens[k, :count] = torch.tensor(row.tokens)
        following[k, fixed - 1 : count - 1] = torch.tensor(row.tokens[fixed:])
        following[k, 0] = marks.swedish if window.said else marks.silence
        spans[k, :count] = torch.tensor(row.spans)
        moments[k, :count] = torch.tensor(row.moments)
    return Lesson(tokens[:, :-1], following[:, :-1], spans, moments)


def guidance(attentions: tuple[torch.Tensor, ...], taught: Lesson) -> torch.Tensor:
    """How little of the guided heads' attention lies where it should: -log of the share, averaged."""
    steps = taught.tokens.shape[1]
    total = torch.zeros(())
    frames = torch.arange(attentions[0].shape[-1])
    for layer, kind in WORD_HEADS.items():
        where = taught.spans[:, :steps] if kind == "written" else taught.spans[:, 1 : steps + 1]
        known = where[..., 0] >= 0
        inside = (frames >= where[..., :1] - 1) & (frames <= where[..., 1:])
        share = (attentions[layer][:, 0, : where.shape[1]].float() * inside).sum(-1)
        total = total - torch.log(share[known] + 1e-4).mean() if known.any() else total
    moment = taught.moments[:, 1 : steps + 1]
    known = moment >= 0
    if known.any():
        near = (frames - moment[..., None]).abs() <= NEAR
        share = (attentions[MARK_LAYER][:, MARK_HEAD, : moment.shape[1]].float() * near).sum(-1)
        total = total - torch.log(share[known] + 1e-4).mean()
    return total / (len(WORD_HEADS) + 1)


def about(moments: torch.Tensor, count: int) -> torch.Tensor:
    """Gaussian shares (moments, count) of the first `count` time marks about each moment."""
    off = torch.arange(count) - moments[:, None]
    share = torch.exp(-0.5 * (off / SPREAD) ** 2)
    return share / share.sum(-1, keepdim=True)


def naming(
    batch: list[Window], tokenizer: Tokenizer, frames: int, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Some of the frames in which a word of one token is spoken, numbered through the batch, and these tokens."""
    places, names = [], []
    for k, window in enumerate(batch):
        for word, start, end in window.words:
            tokens_of = tokenizer.encode(" " + word).ids
            first, last = int(start * 50) + 1, min(frames, int(end * 50))
            if len(tokens_of) == 1 and last > first:
                some = rng.integers(first, last, (last - first + 3) // 4)
                places += [k * frames + int(at) for at in some]
                names += tokens_of * len(some)
    return torch.tensor(places, dtype=torch.long), torch.tensor(names, dtype=torch.long)
