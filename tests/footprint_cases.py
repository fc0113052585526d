"""Models large enough that their weights and KV caches count, settings for them, and what they take of the memory."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from inference.client import EngineClient
from inference.engine.config import EngineConfig
from inference.engine.messages import EmbedRequest, GenerateRequest, Request, SamplingParams
from inference.footprints import estimate
from inference.generation import Generation
from tests import tiny_models
from tests.tiny_models import Sizes

ANSWER = 16  # tokens
TOKENS = range(300, 900)  # words of the demo model's vocabulary
SIZES = Sizes(
    context=8192, width=512, layers=8, heads=8, hidden=1536, window=1024, experts=4, state=64, rank=32, ssm_heads=16
)


@dataclass(frozen=True)
class Comparison:
    """What was estimated, and measured after prompts that fill the context of every sequence; in bytes."""

    estimated: int
    measured: int

    @property
    def ratio(self) -> float:
        return self.estimated / self.measured


@contextmanager
def written_model(kind: tiny_models.Kind, folder: Path | None = None, **sizes: int) -> Iterator[Path]:
    """Give the path of a model of `SIZES`, about 100 MB; afterwards it is removed."""
    with TemporaryDirectory(dir=folder) as directory:
        yield tiny_models.write_tiny_model(Path(directory) / f"{kind}.gguf", kind, replace(SIZES, **sizes))


async def compare(config: EngineConfig) -> Comparison:
    """Estimate a configuration, then load it and fill it with prompts."""
    footprint = await estimate(config)
    engine = await EngineClient.start("measured", config)
    try:
        await asyncio.gather(*(_answer(engine, request) for request in _requests(engine)))
        return Comparison(footprint.host_bytes, engine.measured_bytes())
    finally:
        await engine.close()


async def _answer(engine: EngineClient, request: Request) -> None:
    generation = Generation(request.id)
    engine.submit(request, generation)
    async for output in generation:
        assert not (output and output.failure), output.failure


def _requests(engine: EngineClient) -> list[Any]:
    """Return as many requests as are computed at once, each as long as the context allows."""
    info = engine.info
    if info.kind == "embedding":
        return [EmbedRequest("all", tuple(_tokens(info.n_ctx, seed) for seed in range(2)))]
    sampling = SamplingParams(temperature=0, max_tokens=ANSWER, ignore_eos=True)
    count = min(info.n_seq_max, info.kv_cells // info.n_ctx)
    return [GenerateRequest(str(seed), _tokens(info.n_ctx - ANSWER, seed), sampling) for seed in range(count)]


def _tokens(count: int, seed: int) -> tuple[int, ...]:
    return tuple(Random(seed).choices(TOKENS, k=count))
