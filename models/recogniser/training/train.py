"""Teach the small recogniser: `python -m models.recogniser.training.train --work DIR --cpu-minutes 45`.

Needs torch, transformers and espeak-ng, which the product does not. What made it learn on one core:

    short slices first       one utterance of some seconds at any place in the thirty, whole windows at the end
    phonemes                 a classifier on the encoder's frames, dropped at export
    guided attention         decoder heads are told where the word is that they write; they give the word times too

Seeded; the same machine with the same budget of processor time gives nearly the same model.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy

from models.recogniser.training import network, tokens
from models.recogniser.training.corpus import Phrases
from models.recogniser.training.material import Utterance, Window, pack, utterance
from models.recogniser.training.speech import Voice

VARIANTS = ["m1", "m3", "m7", "f2", "f4", "f5"]
# share of the budget until which a stage lasts: (until, batch, frames of 10 ms, utterances at most)
STAGES = [(0.40, 32, 320, 1), (0.70, 20, 640, 2), (1.01, 8, 3000, 4)]
GUIDE = {0: "written", 1: "writing", 2: "writing"}


def gather(count: int, seed: int, phrases: Phrases) -> tuple[list[Utterance], dict[str, int]]:
    """Speak `count` sentences, half of them in no order, half in the telephone's band."""
    rng = np.random.default_rng(seed)
    voice = Voice()
    numbers: dict[str, int] = {}
    found = []
    for k in range(count):
        text = phrases.jumble(rng) if k % 2 else phrases.sentence(phrases.known, rng)
        spoken = voice.say(
            text, str(rng.choice(VARIANTS)), int(rng.integers(140, 181)), int(rng.integers(40, 61))
        )
        found.append(utterance(spoken, bool(rng.random() < 0.5), numbers))
    return found, numbers


def windows(
    material: list[Utterance], share: float, rng: np.random.Generator
) -> Iterator[tuple[list[Window], int, int]]:
    """Batches of windows, with their frames and the place of their first frame in the window of thirty seconds."""
    _, batch, longest, most = next(stage for stage in STAGES if share < stage[0])
    short = [one for one in material if one.frames <= longest - 40]
    while True:
        picks = [
            [short[int(rng.integers(len(short)))] for _ in range(int(rng.integers(1, most + 1)))]
            if rng.random() > 0.06
            else []
            for _ in range(batch)
        ]
        sums = [sum(p.frames + 50 for p in pick) + 60 for pick in picks]
        length = longest if longest == 3000 else min(longest, max(160, *sums)) // 2 * 2
        offset = 0 if length == 3000 else int(rng.integers(0, 1500 - length // 2))
        out = []
        for pick, need in zip(picks, sums, strict=True):
            spare = min(length, 1300)
            filled = min(spare, need + int(rng.integers(0, 60))) // 2 * 2
            out.append(pack(pick, length, filled, rng))
        yield out, length, offset


def targets(batch: list[Window], tokenizer: Tokenizer, offset: int) -> tuple[torch.Tensor, ...]:
    """Token matrix, next tokens (-100: no lesson), and where guided heads should look."""
    mark = {
        name: tokenizer.token_to_id(f"<|{name}|>")
        for name in ("startoftranscript", "sv", "transcribe", "notimestamps", "nospeech", "endoftext")
    }
    prompt = [mark["startoftranscript"], mark["sv"], mark["transcribe"], mark["notimestamps"]]
    rows, nexts, spans = [], [], []
    for window in batch:
        row, span = list(prompt), [(-1, -1)] * len(prompt)
        for word, start, end in window.words:
            for token in tokenizer.encode(" " + word).ids:
                row.append(token)
                span.append((int(start * 50), max(int(start * 50) + 1, int(end * 50))))
        row.append(mark["endoftext"])
        span.append((-1, -1))
        following = [-100, -100, -100, *row[4:], -100]
        following[0] = mark["sv"] if window.words else mark["nospeech"]
        rows.append(row)
        nexts.append(following[: len(row)])
        spans.append(span)
    width = max(map(len, rows))
    ids = torch.full((len(rows), width), mark["endoftext"])
    wanted = torch.full((len(rows), width), -100)
    place = torch.full((len(rows), width, 2), -1)
    for k, (row, following, span) in enumerate(zip(rows, nexts, spans, strict=True)):
        ids[k, : len(row)] = torch.tensor(row)
        wanted[k, : len(following)] = torch.tensor(following)
        place[k, : len(span)] = torch.tensor(span)
    return ids[:, :-1], wanted[:, :-1], place


def guidance(attentions: tuple[torch.Tensor, ...], place: torch.Tensor, steps: int) -> torch.Tensor:
    """How little of head 0's attention lies on its word: -log of the share, averaged."""
    total = torch.zeros(())
    frames = torch.arange(attentions[0].shape[-1])
    for layer, kind in GUIDE.items():
        where = place[:, :steps] if kind == "written" else place[:, 1 : steps + 1]
        known = where[..., 0] >= 0
        inside = (frames >= where[..., :1] - 1) & (frames <= where[..., 1:])
        share = (attentions[layer][:, 0, : where.shape[1]].float() * inside).sum(-1)
        total = total - torch.log(share[known] + 1e-4).mean() if known.any() else total
    return total / len(GUIDE)


def train(work: Path, cpu_minutes: float, wall_minutes: float, count: int, seed: int) -> None:
    """Train until either budget is spent, and write the model to `work/model` (and every few minutes to `work/checkpoint.pt`)."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    phrases = Phrases()
    material, numbers = gather(count, seed, phrases)
    texts = [phrases.sentence(phrases.known, rng) for _ in range(4000)] + [
        phrases.jumble(rng) for _ in range(4000)
    ]
    tokenizer = tokens.build(texts, 900, network.WINDOW_S)
    trainee = network.Trainee(network.build(tokenizer), len(numbers) + 1)
    trainee.whisper.tie_weights()
    optimiser = torch.optim.AdamW(trainee.parameters(), lr=1.0, betas=(0.9, 0.98), weight_decay=0.01)
    begun, opened, step, stage, saved = time.process_time(), time.monotonic(), 0, -1, 0.0
    minutes = sum(one.frames for one in material) / 6000
    print(json.dumps({"utterances": count, "minutes": round(minutes), "phonemes": len(numbers)}), flush=True)
    while (
        share := max(
            (time.process_time() - begun) / 60 / cpu_minutes, (time.monotonic() - opened) / 60 / wall_minutes
        )
    ) < 1.0:
        now = next(k for k, one in enumerate(STAGES) if share < one[0])
        if now != stage:
            stage, batches = now, windows(material, share, rng)
        rate = 1.2e-3 * min(1.0, (step + 1) / 150) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        batch, _, offset = next(batches)
        ids, wanted, place = targets(batch, tokenizer, offset)
        mel = torch.from_numpy(np.stack([w.mel for w in batch]))
        labels = torch.from_numpy(np.stack([w.phonemes for w in batch]))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits, sounds, attentions = trainee(mel, offset, ids)
        words = cross_entropy(logits.float().flatten(0, 1), wanted.flatten(), ignore_index=-100)
        phonemes = cross_entropy(sounds.float().flatten(0, 1), labels.flatten())
        guide = guidance(attentions, place, ids.shape[1])
        loss = words + (0.5 if stage else 1.0) * phonemes + 0.3 * guide
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainee.parameters(), 1.0)
        optimiser.step()
        step += 1
        if step % 50 == 0:
            right = (logits.argmax(-1) == wanted)[wanted >= 0].float().mean()
            line = {
                "step": step,
                "share": round(share, 3),
                "stage": stage,
                "words": round(words.item(), 3),
                "right": round(right.item(), 3),
                "phonemes": round(phonemes.item(), 3),
                "guide": round(guide.item(), 3),
            }
            print(json.dumps(line), flush=True)
        if share - saved > 0.08:
            saved = share
            torch.save(trainee.whisper.state_dict(), work / "checkpoint.pt")
            tokenizer.save(str(work / "tokenizer.json"))
    network.export(trainee.whisper.float(), tokenizer, work / "hf", work / "model")
    tokenizer.save(str(work / "tokenizer.json"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--cpu-minutes", type=float, default=45.0)
    parser.add_argument("--wall-minutes", type=float, default=600.0)
    parser.add_argument("--sentences", type=int, default=9000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    train(args.work, args.cpu_minutes, args.wall_minutes, args.sentences, args.seed)


if __name__ == "__main__":
    main()
