"""Trains the demo model from nothing and writes it as GGUF.

    python -m demo.train --out demo/demo.gguf [--steps 7500] [--work demo/work]

The work folder receives the tokenizer and checkpoints; `--resume` goes on from the last one.
"""

import argparse
import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from demo import convert
from demo.batches import Batch, Encoder, batches
from demo.model import Llama, Shape
from demo.tokenizer import train_tokenizer


@dataclass(frozen=True)
class Stage:
    """A part of the training: until which share of the steps, and how long its dialogues may be."""

    until: float
    room: int
    most: int


# Short dialogues teach copying soon; rotary positions do not extrapolate, so long ones must follow.
STAGES = (Stage(0.1, 500, 384), Stage(0.45, 1800, 1024), Stage(1.0, 4000, 2048))
WARMUP, DECAY_FROM, LOWEST = 100, 0.5, 0.01
AVERAGING = 0.998


def options() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(prog="demo.train", description="Train the demo model.")
    parser.add_argument("--out", type=Path, default=Path("demo/demo.gguf"))
    parser.add_argument("--work", type=Path, default=Path("demo/work"), help="for the tokenizer and checkpoints")
    parser.add_argument("--steps", type=int, default=7500)
    parser.add_argument("--tokens", type=int, default=6144, help="tokens a step")
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--every", type=int, default=500, help="steps between checkpoints")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument(
        "--no-compile", dest="compile", action="store_false", help="for machines without a C++ compiler"
    )
    return parser.parse_args()


def rate_factor(step: int, steps: int) -> float:
    """Return the share of the full learning rate: warm-up, plateau, then a straight line down."""
    start = int(steps * DECAY_FROM)
    falling = 1 - (1 - LOWEST) * max(0, step - start) / max(1, steps - start)
    return min(1.0, (step + 1) / WARMUP, falling)


def stage_at(step: int, steps: int) -> Stage:
    """Return the stage that the step belongs to."""
    return next(stage for stage in STAGES if step < stage.until * steps or stage is STAGES[-1])


def optimizers(model: Llama, rate: float) -> list[torch.optim.Optimizer]:
    """Return Muon for the layers' matrices and AdamW for all else."""
    matrices = [p for p in model.blocks.parameters() if p.dim() == 2]
    others = [p for p in model.parameters() if all(p is not m for m in matrices)]
    muon = torch.optim.Muon(matrices, lr=rate, weight_decay=0.02, adjust_lr_fn="match_rms_adamw")
    return [muon, torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.0)]


class Trainer:
    """Holds what a run changes: the model, its running average, the optimizers and the step."""

    def __init__(self, wanted: argparse.Namespace, tokenizer: Tokenizer) -> None:
        torch.manual_seed(wanted.seed)
        self.wanted, self.tokenizer, self.step = wanted, tokenizer, 0
        self.model = Llama(Shape(vocabulary=tokenizer.get_vocab_size()))
        self.average = copy.deepcopy(self.model)
        self.optimizers = optimizers(self.model, wanted.rate)
        if wanted.compile:
            torch._dynamo.config.recompile_limit = 64
            self.model.forward = torch.compile(self.model.forward, dynamic=False)

    def run(self) -> None:
        """Train until the last step, reporting and saving on the way."""
        wanted, started, total, seen = self.wanted, time.time(), 0.0, 0
        while self.step < wanted.steps:
            for batch in self._stage_batches():
                total, seen = total + self.learn(batch), seen + 1
                if self.step % 50 == 0 or self.step == 10:
                    spent = (time.time() - started) / 60
                    print(f"step {self.step} loss {total / seen:.4f} minutes {spent:.1f}", flush=True)
                    total, seen = 0.0, 0
                if self.step % wanted.every == 0 or self.step == wanted.steps:
                    self.save()

    def _stage_batches(self) -> Iterator[Batch]:
        stage, encoder = stage_at(self.step, self.wanted.steps), Encoder(self.tokenizer)
        for batch in batches(encoder, self.wanted.seed + self.step, stage.room, stage.most, self.wanted.tokens):
            if self.step >= self.wanted.steps or stage_at(self.step, self.wanted.steps) != stage:
                return
            yield batch

    def learn(self, batch: Batch) -> float:
        """Take one step and return its loss."""
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.wanted.rate * rate_factor(self.step, self.wanted.steps)
        with torch.autocast("cpu", torch.bfloat16):
            loss = self.model.loss(*batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self._average()
        return loss.item()

    @torch.no_grad()
    def _average(self) -> None:
        # The average must not remember the start, hence the short memory of the first steps.
        keep = min(AVERAGING, self.step / (self.step + 20))
        for mean, parameter in zip(self.average.parameters(), self.model.parameters(), strict=True):
            mean.lerp_(parameter, 1 - keep)

    def weights(self) -> dict[str, Tensor]:
        """Return the averaged weights."""
        return dict(self.average.named_parameters())

    def save(self) -> None:
        """Write a checkpoint and the GGUF file."""
        state: dict[str, Any] = {
            "step": self.step,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
        }
        torch.save(state | {"optimizers": [o.state_dict() for o in self.optimizers]}, checkpoint_file(self.wanted))
        convert.write(self.wanted.out, self.weights(), self.tokenizer, self.model.shape)

    def load(self) -> None:
        """Go on from the checkpoint in the work folder."""
        state = torch.load(checkpoint_file(self.wanted))
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)


def checkpoint_file(wanted: argparse.Namespace) -> Path:
    """Return where the checkpoint lies."""
    return wanted.work / "checkpoint.pt"


def the_tokenizer(wanted: argparse.Namespace) -> Tokenizer:
    """Return the tokenizer, a new one unless a run is resumed."""
    path = wanted.work / "tokenizer.json"
    if not wanted.resume:
        train_tokenizer().save(str(path))
    return Tokenizer.from_file(str(path))


def main() -> None:
    """Train as the command line says."""
    wanted = options()
    wanted.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(wanted.threads)
    trainer = Trainer(wanted, the_tokenizer(wanted))
    if wanted.resume:
        trainer.load()
    trainer.run()


if __name__ == "__main__":
    main()
