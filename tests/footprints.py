"""`python -m tests.footprints [DIR]`: is what a model will take of the memory estimated right? Prints a Markdown table.

It writes models with random weights of some hundred MB, one at a time, into DIR (or a temporary folder), estimates
what they take with several settings, loads them in real workers, fills their contexts, and measures. Takes ten minutes
on two cores. Linux only, since nothing else tells what is measured.
"""

import argparse
import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

from inference.bench.random_model import random_model
from inference.engine.config import EngineConfig
from tests.footprint_cases import Comparison, compare, written_model

# A step takes a second at most: deep in a context, slow machines fill no larger ones, nor the memory for them.
FULL_BATCH = 64

SETTINGS: dict[str, dict[str, Any]] = {
    "2048 × 1": {"n_ctx": 2048, "n_seq_max": 1},
    "8192 × 1, batches of 64": {"n_ctx": 8192, "n_seq_max": 1, "n_ubatch": FULL_BATCH},
    "2048 × 8, q8_0, flash attention": {
        **{"n_ctx": 2048, "n_seq_max": 8, "flash_attention": "on"},
        **{"kv_type_k": "q8_0", "kv_type_v": "q8_0"},
    },
    "4096 × 4, 8192 cells shared, batches of 64": {
        **{"n_ctx": 4096, "n_seq_max": 4, "kv_cells": 8192, "n_ubatch": FULL_BATCH}
    },
}
POOLING_SETTINGS: dict[str, dict[str, Any]] = {
    f"embedding, {n_ctx}": {"kind": "embedding", "n_ctx": n_ctx, "n_seq_max": 64} for n_ctx in (512, 2048, 4096)
}
# Models that compute a whole text each time have no batches and no cache.
WHOLE_TEXT_SETTINGS: dict[str, dict[str, Any]] = {
    "512 × 4": {"n_ctx": 512, "n_seq_max": 4},
    "2048 × 1": {"n_ctx": 2048, "n_seq_max": 1},
}
NAMES = {
    "attention": "Qwen3",
    "window": "Gemma 3",
    "recurrent": "Mamba",
    "hybrid": "Granite 4",
    "moe": "Qwen3-MoE",
    "diffusion": "LLaDA",
}
VOCABULARY_MODEL = "0.15b"
MIB = 2**20


@contextmanager
def model(name: str, folder: Path | None) -> Iterator[Path]:
    """Give the path of a model of `NAMES`, or of the one with a real vocabulary; afterwards it is removed."""
    if name != VOCABULARY_MODEL:
        with written_model(name, folder) as path:
            yield path
        return
    with random_model(name, keep=False, **({"folder": folder} if folder else {})) as path:
        yield path


def rows(folder: Path | None) -> Iterator[str]:
    yield from ("| model | settings | estimated, MiB | measured, MiB | ratio |", "|---|---|---|---|---|")
    for name in (*NAMES, VOCABULARY_MODEL):
        with model(name, folder) as path:
            for title, settings in _settings_of(name).items():
                result = asyncio.run(compare(EngineConfig(str(path), host_cache_bytes=0, **settings)))
                yield _row(NAMES.get(name, "Qwen3, 151,936 tokens"), title, result)


def _settings_of(name: str) -> dict[str, dict[str, Any]]:
    others = {"attention": {**SETTINGS, **POOLING_SETTINGS}, "diffusion": WHOLE_TEXT_SETTINGS}
    return others.get(name, SETTINGS)


def _row(name: str, title: str, result: Comparison) -> str:
    sizes = f"{result.estimated / MIB:.0f} | {result.measured / MIB:.0f}"
    return f"| {name} | {title} | {sizes} | {result.ratio:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="where the models are written for a while")
    folder = parser.parse_args().folder
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    for row in rows(folder):
        print(row, flush=True)


if __name__ == "__main__":
    main()
