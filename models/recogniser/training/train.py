"""Teach the small recogniser: `python -m models.recogniser.training.train --work DIR`.

Needs torch, transformers and espeak-ng, which the product does not. What made it learn on one core:

    short windows            that end with the sound, growing from three seconds to ten: an encoder over thirty, most
                             of them silence, costs ten times as much (the card says so: `window_s`)
    phonemes                 a classifier on the encoder's frames, dropped at export
    words                    every frame says its word too, through the decoder's own last head: it shares the work
    places                   and its place, through another one: time marks come of that
    guided attention         decoder heads are told where the word is that they write; they give the word times too

Seeded and counted in steps: the same machine makes the same model again. A run that was cut off goes on where it last
kept itself, with the same command.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy

from models.recogniser.training import network, tokens
from models.recogniser.training.corpus import Phrases
from models.recogniser.training.lessons import MARK_HEAD, NONE, Lesson, Marks, about, guidance, lesson, naming
from models.recogniser.training.material import Utterance, Window, load, pack, save, utterance
from models.recogniser.training.speech import VARIANTS, Voice

# share of the steps until which a stage lasts: (until, batch, frames of 10 ms, utterances at most)
STAGES = [(0.40, 32, 320, 1), (0.72, 20, 640, 2), (1.01, 14, 960, 3)]
WARM_STEPS = 100
MATRIX_RATE = 3e-3
RATE = 2e-3
WEIGHTS = {"words": 1.0, "phonemes": 0.5, "named": 0.5, "guide": 0.3, "times": 0.3, "placed": 0.15}
LOOKING = ("q_proj.weight", "k_proj.weight")
KEEP_EVERY = 100
TIMED = 0.45
"""Share of windows whose text is written with time marks."""
EMPTY = 0.06
"""Share of windows in which nobody speaks."""


def gather(count: int, seed: int, phrases: Phrases, jumbled: float) -> tuple[list[Utterance], dict[str, int]]:
    """Speak `count` sentences, this share of them pieced together or in no order, half in the telephone's band."""
    rng = np.random.default_rng(seed)
    voice = Voice()
    numbers: dict[str, int] = {}
    found = []
    for k in range(count):
        if k % 100 < 60 * jumbled:
            text = phrases.pieces(rng)
        elif k % 100 < 100 * jumbled:
            text = phrases.jumble(rng)
        else:
            text = phrases.sentence(phrases.known, rng)
        spoken = voice.say(
            text, str(rng.choice(VARIANTS)), int(rng.integers(140, 181)), int(rng.integers(40, 61))
        )
        found.append(utterance(spoken, bool(rng.random() < 0.5), numbers))
    return found, numbers


def windows(material: list[Utterance], share: float, rng: np.random.Generator) -> Iterator[list[Window]]:
    """Batches of windows of one length, each with some utterances and the silence around them."""
    _, batch, longest, most = next(stage for stage in STAGES if share < stage[0])
    short = [one for one in material if one.frames <= longest - 80]
    while True:
        picks = [
            [short[int(rng.integers(len(short)))] for _ in range(int(rng.integers(1, most + 1)))]
            if rng.random() > EMPTY
            else []
            for _ in range(batch)
        ]
        needs = [sum(one.frames + 50 for one in pick) + 40 + int(rng.integers(0, 60)) for pick in picks]
        length = min(longest, max(160, *needs)) // 2 * 2
        yield [
            pack(pick, length, min(length, need) // 2 * 2, rng)
            for pick, need in zip(picks, needs, strict=True)
        ]


def losses(
    trainee: network.Trainee,
    batch: list[Window],
    taught: Lesson,
    marks: Marks,
    tokenizer: Tokenizer,
    seed: int,
) -> tuple[dict[str, torch.Tensor], float]:
    """What each lesson cost, and the share of the next words that were right."""
    rng = np.random.default_rng(seed)
    mel = torch.from_numpy(np.stack([w.mel for w in batch]))
    labels = torch.from_numpy(np.stack([w.phonemes for w in batch]))
    frames = mel.shape[-1] // 2
    places, names = naming(batch, tokenizer, frames, rng)
    some = torch.from_numpy(rng.integers(0, len(batch) * frames, 256))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits, heard, attentions = trainee(mel, taught.tokens)
        sounds = trainee.phonemes(heard)
        named = trainee.named(heard.flatten(0, 1)[places], marks.end)
        placed = trainee.placed(heard.flatten(0, 1)[some], marks.first_time, MARK_HEAD)
    timing = taught.moments[:, 1 : taught.tokens.shape[1] + 1]
    timed = timing >= 0
    wanted = taught.following.masked_fill(timed, NONE)
    zero = torch.zeros(())
    times = torch.log_softmax(logits[timed].float(), -1)[:, marks.first_time :]
    found = {
        "words": cross_entropy(logits.float().flatten(0, 1), wanted.flatten(), ignore_index=NONE),
        "phonemes": cross_entropy(sounds.float().flatten(0, 1), labels.flatten()),
        "named": cross_entropy(named.float(), names) if len(names) else zero,
        "guide": guidance(attentions, taught),
        "times": -(about(timing[timed], times.shape[-1]) * times).sum(-1).mean() if timed.any() else zero,
        "placed": cross_entropy(placed.float(), about(some % frames, placed.shape[-1])),
    }
    right = (logits.argmax(-1) == wanted)[wanted >= 0].float().mean().item()
    return found, right


class Optimisers:
    """Matrices of the layers are stepped with orthogonal momentum, which took half as many steps as Adam.

    Where to look is learned faster with Adam, and so is everything outside of the layers.
    """

    def __init__(self, trainee: network.Trainee) -> None:
        inner: list[torch.nn.Parameter] = []
        rest: list[torch.nn.Parameter] = []
        for name, p in trainee.named_parameters():
            if p.requires_grad:
                turned = ".layers." in name and p.ndim == 2 and not name.endswith(LOOKING)
                (inner if turned else rest).append(p)
        self._all: list[torch.optim.Optimizer] = [
            torch.optim.Muon(inner, lr=1.0, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(rest, lr=1.0, betas=(0.9, 0.98), weight_decay=0.01),
        ]

    def step(self, rate: float) -> None:
        """Take a step at this share of the highest rates and forget the gradients."""
        for one, most in zip(self._all, (MATRIX_RATE, RATE), strict=True):
            for group in one.param_groups:
                group["lr"] = most * rate
            one.step()
            one.zero_grad()

    def state(self) -> list[Any]:
        """What `restore` needs."""
        return [one.state_dict() for one in self._all]

    def restore(self, state: list[Any]) -> None:
        """Go on from `state`."""
        for one, kept in zip(self._all, state, strict=True):
            one.load_state_dict(kept)


def learn(
    trainee: network.Trainee,
    material: list[Utterance],
    tokenizer: Tokenizer,
    steps: int,
    work: Path,
    seed: int,
) -> None:
    """Take the steps; every so often everything goes to `work/checkpoint.pt`, from where the next run goes on."""
    rng = np.random.default_rng(seed)
    optimisers = Optimisers(trainee)
    marks = Marks.of(tokenizer)
    kept = work / "checkpoint.pt"
    first, stage = 0, -1
    if kept.exists():
        state = torch.load(kept, weights_only=False)
        trainee.load_state_dict(state["weights"])
        optimisers.restore(state["optimisers"])
        rng.bit_generator.state = state["rng"]
        first = state["step"]
    for step in range(first, steps):
        share = step / steps
        now = next(k for k, one in enumerate(STAGES) if share < one[0])
        if now != stage:
            stage, batches = now, windows(material, share, rng)
        batch = next(batches)
        timed = [bool(rng.random() < TIMED) for _ in batch]
        found, right = losses(trainee, batch, lesson(batch, timed, tokenizer, marks), marks, tokenizer, step)
        torch.stack([WEIGHTS[name] * one for name, one in found.items()]).sum().backward()
        torch.nn.utils.clip_grad_norm_(trainee.parameters(), 1.0)
        warm = min(1.0, (step + 1) / WARM_STEPS)
        optimisers.step(warm * (0.02 + 0.49 * (1 + math.cos(math.pi * share))))
        if (step + 1) % 50 == 0:
            shown: dict[str, float] = {"step": step + 1, "stage": stage, "cpu_s": round(time.process_time())}
            shown |= {"right": round(right, 3)}
            print(json.dumps(shown | {n: round(one.item(), 3) for n, one in found.items()}), flush=True)
        if (step + 1) % KEEP_EVERY == 0:
            state = {"weights": trainee.state_dict(), "optimisers": optimisers.state(), "step": step + 1}
            torch.save(state | {"rng": rng.bit_generator.state}, work / "checkpoint.new")
            os.replace(work / "checkpoint.new", kept)


def train(args: argparse.Namespace) -> None:
    """Gather, learn, and write the model as faster-whisper reads it to `work/model`."""
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(args.seed)
    phrases = Phrases()
    kept = args.work / "material.npz"
    if not kept.exists():
        save(*gather(args.sentences, args.seed, phrases, args.jumbled), args.work / "material.new.npz")
        os.replace(args.work / "material.new.npz", kept)
    material, numbers = load(kept)
    texts = [phrases.sentence(phrases.known, rng) for _ in range(2000)]
    # Often enough each that every word becomes one token.
    texts += [word for word in phrases.words for _ in range(300)]
    tokenizer = tokens.build(texts, 2000, network.WINDOW_S)
    trainee = network.Trainee(network.build(tokenizer), len(numbers) + 1)
    minutes = sum(one.frames for one in material) / 6000
    print(
        json.dumps({"utterances": len(material), "minutes": round(minutes), "phonemes": len(numbers)}),
        flush=True,
    )
    learn(trainee, material, tokenizer, args.steps, args.work, args.seed)
    target = args.work / "model"
    network.export(trainee.whisper.float(), tokenizer, args.work / "hf", target)
    seal(target, len(phrases.words))


def card(words: int) -> dict[str, Any]:
    """What the model says of itself."""
    return {
        "name": "callsvc-demo-sv",
        "longest_s": 8.0,
        "window_s": 9.6,
        "note": f"För demonstration och prov: kan {words} ord i konstgjorda röster, inget annat."
        f" For demonstration and tests: knows {words} Swedish words in synthetic voices, nothing else.",
    }


def seal(model: Path, words: int) -> None:
    """Write the model's card, and the digests that every later look at it holds it to."""
    told = json.dumps(card(words), indent=1, ensure_ascii=False) + "\n"
    (model / "card.json").write_text(told, encoding="utf-8")
    sums = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(model.iterdir())
        if file.suffix in (".bin", ".json") and file.name != "checksums.json"
    }
    (model / "checksums.json").write_text(json.dumps(sums, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--work", type=Path, required=True, help="where the run keeps itself, and goes on from"
    )
    parser.add_argument("--steps", type=int, default=2200)
    parser.add_argument("--sentences", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--jumbled", type=float, default=0.65, help="share of sentences pieced together or in no order"
    )
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    train(args)


if __name__ == "__main__":
    main()
