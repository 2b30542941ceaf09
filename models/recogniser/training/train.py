"""Teach the small recogniser: `python -m models.recogniser.training.train --work DIR --cpu-minutes 45`.

Needs torch, transformers and espeak-ng, which the product does not. What made it learn on one core:

    short windows            that end with the sound, growing from three seconds to ten: an encoder over thirty, most
                             of them silence, costs ten times as much (the card says so: `window_s`)
    phonemes                 a classifier on the encoder's frames, dropped at export
    words                    every frame says its word too, through the decoder's own last head: it shares the work
    guided attention         decoder heads are told where the word is that they write; they give the word times too

Seeded; the same machine with the same budget of processor time gives nearly the same model.
"""

from __future__ import annotations

import argparse
import hashlib
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
from models.recogniser.training.material import Utterance, Window, load, pack, save, utterance
from models.recogniser.training.speech import VARIANTS, Voice

# share of the budget until which a stage lasts: (until, batch, frames of 10 ms, utterances at most)
STAGES = [(0.35, 32, 320, 1), (0.70, 20, 640, 2), (1.01, 14, 960, 3)]
WARM_STEPS = 100
MOST_RATE = 1.2e-3
WEIGHTS = {"words": 1.0, "phonemes": 0.5, "named": 0.5, "guide": 0.3}
CARD = {
    "name": "callsvc-demo-sv",
    "longest_s": 8.0,
    "window_s": 9.6,
    "note": "För demonstration och prov: kan 295 ord i konstgjorda röster, inget annat."
    " For demonstration and tests: knows 295 Swedish words in synthetic voices, nothing else.",
}
EMPTY = 0.06
"""Share of windows in which nobody speaks."""
GUIDE = {0: "written", 1: "writing", 2: "writing"}


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


def targets(batch: list[Window], tokenizer: Tokenizer) -> tuple[torch.Tensor, ...]:
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
        # That nothing comes any more is seen in the silence after the last word.
        last = int(window.words[-1][2] * 50) if window.words else -1
        span.append((last + 2, last + 20) if window.words else (-1, -1))
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


class Budget:
    """Processor and wall minutes; `share` is how much of the tighter one is spent, beginning at `begin`."""

    def __init__(self, cpu_minutes: float, wall_minutes: float, begin: float) -> None:
        self._cpu, self._wall, self._begin = cpu_minutes * 60, wall_minutes * 60, begin
        self._cpu_at, self._wall_at = time.process_time(), time.monotonic()

    @property
    def share(self) -> float:
        spent = max(
            (time.process_time() - self._cpu_at) / self._cpu, (time.monotonic() - self._wall_at) / self._wall
        )
        return self._begin + (1.0 - self._begin) * spent


def learn(
    trainee: network.Trainee,
    material: list[Utterance],
    tokenizer: Tokenizer,
    budget: Budget,
    work: Path,
    seed: int,
) -> None:
    """Take steps until the budget is spent; every so often the weights go to `work/checkpoint.pt`."""
    rng = np.random.default_rng(seed)
    optimiser = torch.optim.AdamW(trainee.parameters(), lr=1.0, betas=(0.9, 0.98), weight_decay=0.01)
    step, stage, saved = 0, -1, budget.share
    texts = int(tokenizer.token_to_id("<|endoftext|>") or 0)
    while (share := budget.share) < 1.0:
        now = next(k for k, one in enumerate(STAGES) if share < one[0])
        if now != stage:
            stage, batches = now, windows(material, share, rng)
        rate = MOST_RATE * min(1.0, (step + 1) / WARM_STEPS) * (0.02 + 0.49 * (1 + math.cos(math.pi * share)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        batch = next(batches)
        ids, wanted, place = targets(batch, tokenizer)
        mel = torch.from_numpy(np.stack([w.mel for w in batch]))
        labels = torch.from_numpy(np.stack([w.phonemes for w in batch]))
        places, names = naming(batch, tokenizer, mel.shape[-1] // 2, rng)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits, heard, attentions = trainee(mel, ids)
            sounds = trainee.phonemes(heard)
            named = trainee.named(heard.flatten(0, 1)[places], texts)
        losses = {
            "words": cross_entropy(logits.float().flatten(0, 1), wanted.flatten(), ignore_index=-100),
            "phonemes": cross_entropy(sounds.float().flatten(0, 1), labels.flatten()),
            "named": cross_entropy(named.float(), names) if len(names) else torch.zeros(()),
            "guide": guidance(attentions, place, ids.shape[1]),
        }
        loss = sum(WEIGHTS[name] * one for name, one in losses.items())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainee.parameters(), 1.0)
        optimiser.step()
        step += 1
        if step % 50 == 0:
            right = (logits.argmax(-1) == wanted)[wanted >= 0].float().mean().item()
            shown = {"step": step, "share": round(share, 3), "stage": stage, "right": round(right, 3)}
            shown["cpu_s"] = round(time.process_time())
            print(json.dumps(shown | {n: round(one.item(), 3) for n, one in losses.items()}), flush=True)
        if share - saved > 0.04:
            saved = share
            torch.save(trainee.state_dict(), work / "checkpoint.pt")


def train(args: argparse.Namespace) -> None:
    """Gather, learn, and write the model as faster-whisper reads it to `work/model`."""
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(args.seed)
    phrases = Phrases(args.phrases) if args.phrases else Phrases()
    kept = args.work / "material.npz"
    if not kept.exists():
        save(*gather(args.sentences, args.seed, phrases, args.jumbled), kept)
    material, numbers = load(kept)
    texts = [phrases.sentence(phrases.known, rng) for _ in range(2000)]
    # Often enough each that every word becomes one token.
    texts += [word for word in phrases.words for _ in range(300)]
    tokenizer = (
        Tokenizer.from_file(str(args.tokenizer))
        if args.tokenizer
        else tokens.build(texts, 1500, network.WINDOW_S)
    )
    tokenizer.save(str(args.work / "tokenizer.json"))
    trainee = network.Trainee(network.build(tokenizer), len(numbers) + 1)
    trainee.whisper.tie_weights()
    if args.start:
        trainee.load_state_dict(torch.load(args.start), strict=False)
    minutes = sum(one.frames for one in material) / 6000
    print(
        json.dumps({"utterances": len(material), "minutes": round(minutes), "phonemes": len(numbers)}),
        flush=True,
    )
    learn(
        trainee,
        material,
        tokenizer,
        Budget(args.cpu_minutes, args.wall_minutes, args.begin),
        args.work,
        args.seed,
    )
    torch.save(trainee.state_dict(), args.work / "checkpoint.pt")
    target = args.work / "model"
    network.export(trainee.whisper.float(), tokenizer, args.work / "hf", target)
    seal(target)


def seal(model: Path) -> None:
    """Write the model's card, and the digests that every later look at it holds it to."""
    (model / "card.json").write_text(json.dumps(CARD, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
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
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--cpu-minutes", type=float, default=45.0)
    parser.add_argument("--wall-minutes", type=float, default=600.0)
    parser.add_argument("--sentences", type=int, default=13_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tokenizer", type=Path, help="that of the earlier run")
    parser.add_argument("--phrases", type=Path, help="other sentences than phrases.toml's")
    parser.add_argument(
        "--jumbled", type=float, default=0.65, help="share of sentences pieced together or in no order"
    )
    parser.add_argument("--start", type=Path, help="weights of an earlier run to go on from")
    parser.add_argument(
        "--begin", type=float, default=0.0, help="share of the schedule that they have behind them"
    )
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    train(args)


if __name__ == "__main__":
    main()
