"""Trains the suppressor: python -m models.suppressor.training --pool ../shared/typing"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import math
import pickle
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import multiprocessing

from models.suppressor.network import weights_path
from models.suppressor.training import bank as banks
from models.suppressor.training import export
from models.suppressor.training.loss import Batch, Prices, cost, features, spectra
from models.suppressor.training.mixer import Mixer, stack
from models.suppressor.training.muon import Muon
from models.suppressor.training.net import Net


def open_bank(pool: Path, work: Path, seed: int) -> banks.Bank:
    """The bank of this pool and this recipe, made when it is not there."""
    here = Path(__file__).parent
    recipe = b"".join(
        (here / name).read_bytes() for name in ("bank.py", "codecs.py", "synthetic.py", "swedish.py")
    )
    path = work / f"bank-{hashlib.sha256(recipe).hexdigest()[:12]}-{seed}.pickle"
    if not path.exists():
        print("making the sound bank, about a minute", flush=True)
        draft = path.with_suffix(".part")
        with draft.open("wb") as file:
            pickle.dump(banks.build(pool, seed), file, protocol=5)
        draft.replace(path)
    with path.open("rb") as file:
        made: banks.Bank = pickle.load(file)
    return made


def produce(bank: banks.Bank, seconds: float, streams: int, seed: list[int], queue: Any) -> None:
    """Fills the queue for ever."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    mixer = Mixer(bank, seconds, seed)
    while True:
        made = stack([mixer.example() for _ in range(streams)])
        queue.put({k: torch.from_numpy(v) for k, v in made.items()})


def batches(bank: banks.Bank, args: argparse.Namespace, start: int) -> Iterator[dict[str, torch.Tensor]]:
    """Batches from processes that mix while the network learns."""
    context = multiprocessing.get_context("fork")
    queue = context.Queue(4)
    for n in range(args.mixers):
        job = (bank, args.seconds, args.streams, [args.seed, start, n], queue)
        context.Process(target=produce, args=job, daemon=True).start()
    while True:
        yield queue.get()


def prepared(raw: dict[str, torch.Tensor], device: torch.device) -> tuple[Batch, torch.Tensor]:
    """Spectra and features of a raw batch."""
    x = raw["mix"].to(device)
    mix, speech = spectra(x), spectra(raw["speech"].to(device))
    # What the network says at a block is about the frame before: labels move with it.
    keys = torch.nn.functional.pad(raw["keys"].T[:-1], (0, 0, 1, 0)).to(device)
    voice = torch.nn.functional.pad(raw["voice"].T[:-1], (0, 0, 1, 0)).to(device)
    labels = (keys, voice, *(raw[k].to(device) for k in ("threshold_db", "line_threshold_db", "speech_db")))
    return Batch(mix, speech, *labels), features(x, mix)


class Trainer:
    """Network, running mean of its weights, optimisers, and where it stands."""

    def __init__(self, args: argparse.Namespace) -> None:
        torch.manual_seed(args.seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.net = Net().to(self.device)
        self.mean = copy.deepcopy(self.net)
        self.step = 0
        self.curve: list[dict[str, float]] = []
        self.begun: int | None = None
        self.spent = 0.0
        self.heard = 0.0
        matrices = [
            p for n, p in self.net.named_parameters() if p.ndim == 2 and p.shape[0] > 1 and "gain" not in n
        ]
        chosen = {id(p) for p in matrices}
        rest = [p for p in self.net.parameters() if id(p) not in chosen]
        self.optimisers = (Muon(matrices, args.rate), torch.optim.Adam(rest, args.rate, (0.9, 0.98)))

    def save(self, path: Path) -> None:
        draft = path.with_suffix(".part")
        kept = {
            "net": self.net.state_dict(),
            "mean": self.mean.state_dict(),
            "optimisers": [o.state_dict() for o in self.optimisers],
            "step": self.step,
            "begun": self.begun,
            "spent": self.spent,
            "heard": self.heard,
            "curve": self.curve,
        }
        torch.save(kept, draft)
        draft.replace(path)

    def load(self, path: Path, weights_only: bool = False) -> None:
        kept = torch.load(path, map_location=self.device, weights_only=False)
        self.net.load_state_dict(kept["mean" if weights_only else "net"])
        self.mean.load_state_dict(kept["mean"])
        self.curve = kept["curve"]
        self.step = kept["step"]
        self.heard = kept["heard"]
        if not weights_only:
            self.begun, self.spent = kept["begun"], kept["spent"]
            for optimiser, state in zip(self.optimisers, kept["optimisers"], strict=True):
                optimiser.load_state_dict(state)

    def learn(self, raw: dict[str, torch.Tensor], rate: float, prices: Prices) -> dict[str, float]:
        batch, seen = prepared(raw, self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            gains, keys, voice = self.net(seen)
        parts = cost(gains, keys, voice, batch, prices)
        total = torch.stack(list(parts.values())).sum()
        self.net.zero_grad(set_to_none=True)
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        if bool(torch.isfinite(norm)):
            for optimiser in self.optimisers:
                for group in optimiser.param_groups:
                    group["lr"] = rate
                optimiser.step()
        keep = min(0.998, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for slow, fast in zip(self.mean.parameters(), self.net.parameters(), strict=True):
                slow.lerp_(fast, 1 - keep)
        self.step += 1
        return {k: float(v.detach()) for k, v in parts.items()}

    def export(self, path: Path) -> None:
        weights = {k: v.detach().cpu().numpy().astype(np.float32) for k, v in self.mean.state_dict().items()}
        export.write(weights, path)


def rate_at(done: float, since: int, top: float) -> float:
    """A short warm-up, level for a third, then half a cosine down to a hundredth."""
    warm = min(1.0, (since + 1) / 60)
    fall = max(0.0, done - 0.33) / 0.67
    return top * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, fall))))


class Schedule:
    """How much of the run is behind us, in steps or in minutes, over any number of interruptions."""

    def __init__(self, trainer: Trainer, args: argparse.Namespace) -> None:
        self.trainer, self.args = trainer, args
        self.begun = trainer.step if trainer.begun is None else trainer.begun
        self.before, self.clock, self.first = trainer.spent, time.monotonic(), trainer.step

    def steps(self) -> int:
        return self.trainer.step - self.begun

    def spent(self) -> float:
        return self.before + time.monotonic() - self.clock

    def done(self) -> float:
        share = self.spent() / 60 / self.args.minutes if self.args.minutes else self.steps() / self.args.steps
        return float(share)

    def left(self) -> float:
        """Minutes."""
        return self.spent() / 60 * (1 / max(self.done(), 1e-6) - 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", type=Path, default=Path("../shared/typing"))
    parser.add_argument("--work", type=Path, default=Path("var/suppressor"))
    parser.add_argument("--name", default="run", help="name of the checkpoint")
    parser.add_argument("--start", type=Path, help="checkpoint to begin from, with a fresh schedule")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--minutes", type=float, help="end the schedule by time instead of by steps")
    parser.add_argument("--streams", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--mixers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--everything", action="store_true", help="hold nothing out: the last polish")
    parser.add_argument("--package", action="store_true", help="put the weights into the package at the end")
    parser.add_argument("--prices", type=json.loads, default={}, help="JSON: parts of the loss")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)

    bank = open_bank(args.pool, args.work, args.seed)
    if not args.everything:
        bank = bank.without(banks.held_out_speakers(args.pool), set(banks.HELD_OUT_KEYBOARDS))
    trainer = Trainer(args)
    prices = Prices(**args.prices)
    path = args.work / f"{args.name}.pt"
    if path.exists():
        trainer.load(path)
    elif args.start:
        trainer.load(args.start, weights_only=True)
    schedule = Schedule(trainer, args)
    sums: dict[str, float] = {}
    count = 0
    source = batches(bank, args, trainer.step)
    print(f"{trainer.device}, from step {trainer.step}, {args.streams} x {args.seconds:g} s each", flush=True)
    stop: list[int] = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, _: stop.append(number))
    while (done := schedule.done()) < 1 and not stop:
        for k, v in trainer.learn(next(source), rate_at(done, schedule.steps(), args.rate), prices).items():
            sums[k] = sums.get(k, 0.0) + v
        count += 1
        trainer.heard += args.streams * args.seconds
        over = schedule.done() >= 1 or bool(stop)
        if trainer.step % 50 == 0 or over:
            means = {k: v / count for k, v in sums.items()}
            hours = trainer.heard / 3600
            trainer.curve.append({"step": trainer.step, "hours": hours, **means})
            told = " ".join(f"{k} {v:.4f}" for k, v in means.items())
            line = f"{trainer.step:6d} {100 * schedule.done():3.0f} % {hours:6.1f} h  {sum(means.values()):.4f}  {told}"
            print(f"{line}  {schedule.left():.0f} min left", flush=True)
            sums, count = {}, 0
        if trainer.step % 100 == 0 or over:
            trainer.begun = schedule.begun
            trainer.spent = schedule.spent()
            trainer.save(path)
            trainer.export(args.work / f"{args.name}.onnx")
    if args.package and not stop:
        trainer.export(weights_path())
        print("the card has to name", hashlib.sha256(weights_path().read_bytes()).hexdigest())
    print("stopped:" if stop else "done:", path, flush=True)


if __name__ == "__main__":
    main()
