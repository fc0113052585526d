"""What to say of a model that cannot fit into the memory budget: the settings with which it would."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from inference.client import EngineLoadError
from inference.engine.config import EngineConfig
from inference.engine.footprint import Footprint
from inference.footprints import estimate
from llmsite.config_models import MIN_CONTEXT
from registry.formatting import human_bytes

CONTEXT_STEP = 256  # llama.cpp rounds up to it
FULL_TYPES = ("f16", "bf16", "f32")
SMALLER_TYPES = {**dict.fromkeys(FULL_TYPES, ("q8_0", "q4_0")), "q8_0": ("q4_0",)}
MOST_TRIES = 3  # sizes are nearly linear: the first guess is mostly the last

Estimate = Callable[[EngineConfig], Awaitable[Footprint]]
Size = Callable[[Footprint], int]


@dataclass(frozen=True)
class Suggestion:
    """Settings that fit. text: what is changed, such as "a context size of 4096"."""

    text: str
    config: EngineConfig
    num_bytes: int

    def __str__(self) -> str:
        return f"{self.text} ({human_bytes(self.num_bytes)})"


@dataclass(frozen=True)
class Misfit:
    """A model that does not fit.

    least_bytes: what it takes with the smallest settings that were tried; with `is_hopeless` none were, since its
    weights and the process are too much already.
    """

    least_bytes: int
    suggestions: tuple[Suggestion, ...] = ()
    is_hopeless: bool = False

    @property
    def advice(self) -> str:
        """Such as "it would fit with a context size of 4096 (7.2 GiB)"."""
        if self.suggestions:
            return f"it would fit with {', or with '.join(map(str, self.suggestions))}"
        subject = "its weights and the process alone take" if self.is_hopeless else "at the least it takes"
        return f"no setting makes it fit: {subject} {human_bytes(self.least_bytes)}"


async def find_misfit(
    config: EngineConfig,
    budget: int,
    estimate: Estimate = estimate,
    size: Size = lambda footprint: footprint.most_host_bytes,
) -> Misfit | None:
    """Return why a configuration does not fit into `budget` bytes of main memory, None if it does.

    size: which bytes of a footprint count. Estimates it once if it fits or never can, else some six times. Raises
    EngineLoadError if the model could not be loaded at all.
    """
    footprint = await estimate(config)
    needed = size(footprint)
    if needed <= budget:
        return None
    unavoidable = footprint.process + footprint.weights.host
    if unavoidable > budget:
        return Misfit(unavoidable, is_hopeless=True)
    without_cache = size(replace(footprint, host_cache_bytes=0))
    if without_cache <= budget:
        return Misfit(without_cache, (_smaller_cache(config, budget, without_cache),))
    drops_cache = without_cache < needed
    reduced = replace(config, host_cache_bytes=0) if drops_cache else config
    return await _Search(reduced, budget, estimate, size, without_cache, drops_cache).misfit()


def _smaller_cache(config: EngineConfig, budget: int, without_cache: int) -> Suggestion:
    mebibytes = (budget - without_cache) // 2**20
    num_bytes = mebibytes * 2**20
    text = f"a host cache of {mebibytes} MiB"
    return Suggestion(text, replace(config, host_cache_bytes=num_bytes), without_cache + num_bytes)


class _Search:
    """Looks for single settings that make a configuration fit, which takes `needed` bytes as it is.

    drops_cache: whether its host cache was given up already.
    """

    def __init__(
        self, config: EngineConfig, budget: int, estimate: Estimate, size: Size, needed: int, drops_cache: bool
    ) -> None:
        self._config = config
        self._budget = budget
        self._estimate = estimate
        self._size = size
        self._needed = needed
        self._drops_cache = drops_cache
        self._least = needed
        self._is_chat = config.kind == "chat"

    async def misfit(self) -> Misfit:
        """Return what was found."""
        single = [await self._shorter_context(), await self._fewer_sequences(), await self._smaller_types()]
        found = [each for each in single if each]
        if not found and (smallest := await self._smallest()):
            found = [smallest]
        return Misfit(self._least, tuple(found))

    async def _shorter_context(self) -> Suggestion | None:
        if self._config.kv_cells:
            return await self._scaled("kv_cells", self._config.n_ctx, CONTEXT_STEP, "{} KV cells")
        return await self._scaled("n_ctx", MIN_CONTEXT, CONTEXT_STEP, "a context size of {}")

    async def _fewer_sequences(self) -> Suggestion | None:
        if self._config.kv_cells or not self._is_chat:
            return None
        return await self._scaled("n_seq_max", 1, 1, "parallel requests set to {}")

    async def _smaller_types(self) -> Suggestion | None:
        config = self._config
        for kv_type in SMALLER_TYPES.get(config.kv_type_v, ()) if self._is_chat else ():
            flash = "on" if config.flash_attention == "off" else config.flash_attention
            smaller = replace(config, kv_type_k=kv_type, kv_type_v=kv_type, flash_attention=flash)
            text = f"the KV types {kv_type}" + (" and flash attention" if config.flash_attention == "off" else "")
            if fitting := await self._fitting(text, smaller):
                return fitting
        return None

    async def _smallest(self) -> Suggestion | None:
        smallest, text = replace(self._config, n_ctx=MIN_CONTEXT, kv_cells=None), f"a context size of {MIN_CONTEXT}"
        if self._is_chat:
            smallest, text = replace(smallest, n_seq_max=1), f"{text} with parallel requests set to 1"
        return await self._fitting(text, smallest)

    async def _scaled(self, name: str, least: int, step: int, text: str) -> Suggestion | None:
        """Find about the largest value of a setting that fits: between two sizes they grow in a line."""
        highest, high_bytes = getattr(self._config, name), self._needed
        if least >= highest:
            return None
        best = await self._fitting(text.format(least), replace(self._config, **{name: least}))
        for _ in range(MOST_TRIES if best else 0):
            bytes_per_unit = (high_bytes - best.num_bytes) / (highest - least)
            more = (self._budget - best.num_bytes) / bytes_per_unit if bytes_per_unit > 0 else 0
            value = (least + int(more)) // step * step
            if value <= least:
                break
            config = replace(self._config, **{name: value})
            num_bytes = await self._try(config)
            if num_bytes is not None and num_bytes <= self._budget:
                best, least = self._suggestion(text.format(value), config, num_bytes), value
            else:
                highest, high_bytes = value, num_bytes or high_bytes
        return best

    async def _fitting(self, text: str, config: EngineConfig) -> Suggestion | None:
        num_bytes = await self._try(config)
        fits = num_bytes is not None and num_bytes <= self._budget
        return self._suggestion(text, config, num_bytes) if fits else None

    async def _try(self, config: EngineConfig) -> int | None:
        """Return what a configuration takes, None if the model cannot run with it."""
        try:
            num_bytes = self._size(await self._estimate(config))
        except EngineLoadError:
            return None
        self._least = min(self._least, num_bytes)
        return num_bytes

    def _suggestion(self, text: str, config: EngineConfig, num_bytes: int) -> Suggestion:
        return Suggestion(f"{text} and no host cache" if self._drops_cache else text, config, num_bytes)
