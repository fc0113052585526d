"""What a configuration leaves open, decided from the model and the machine."""

import math
from dataclasses import dataclass, replace
from typing import Literal

from inference.engine.architectures import sequence_limit
from inference.engine.config import EngineConfig, FlashAttention
from inference.engine.threads import choose_threads

MemoryKind = Literal["attention", "sliding window", "recurrent", "hybrid", "none"]

CONTEXT_PADDING = 256  # llama.cpp rounds each sequence's share of the cells up to this (src/llama-context.cpp)
MAX_CELLS = 2**32 - 1
MAX_SLOTS = 256  # LLAMA_MAX_SEQ (src/llama-cparams.h)
SLOTS_PER_SEQUENCE = 4
MAX_HOST_CACHE = 8192 * 2**20
HOST_CACHE_SHARE = 8
# Without flash attention the scores of every token with every cell are in memory: of a batch so small that they stay
# few. On a CPU such batches are computed as quickly as larger ones (docs/performance.md).
SCORING_BATCH = 256
CPU_BATCH, GPU_BATCH, POOLING_BATCH = 1024, 2048, 512
PHYSICAL_BATCH = 512
SCORES_SHARE = 8  # they may take this part of what the model does
LEAST_SCORES = 128 * 2**20
CPU = "CPU"
MAY_BE_OPEN = (
    *("kv_unified", "kv_cells", "host_cache_bytes", "use_mmap"),
    *("n_batch", "n_ubatch", "n_threads", "n_threads_batch"),
)

# Values of a block, and its bytes (ggml_type_traits in ggml/src/ggml.c).
BLOCKS = {
    "f32": (1, 4),
    "f16": (1, 2),
    "bf16": (1, 2),
    "q8_0": (32, 34),
    "q4_0": (32, 18),
    "q4_1": (32, 20),
    "q5_0": (32, 22),
    "q5_1": (32, 24),
    "iq4_nl": (32, 18),
}


class PlanError(Exception):
    """Settings that this model or llama.cpp cannot run with; the message names them."""


@dataclass(frozen=True)
class ModelFacts:
    """What a loaded model says of itself.

    num_heads: of the queries. num_layers: without the output, which llama.cpp offloads as one more.
    kv_layers: those that have a KV cache, None if the file does not say. kv_heads: the heads of such a layer.
    head_size_k, head_size_v: the values that one of them keeps of a token.
    size_bytes: of the weights.
    shares_kv: whether K and V are one (MLA), so that only K is kept and both need the same type.
    """

    architecture: str = ""
    num_layers: int = 0
    num_heads: int = 0
    memory: MemoryKind = "attention"
    kv_layers: int | None = None
    kv_heads: int = 0
    head_size_k: int = 0
    head_size_v: int = 0
    shares_kv: bool = False
    size_bytes: int = 0


@dataclass(frozen=True)
class MachineFacts:
    """What the process may use. memory_bytes 0: unknown. gpus: what llama.cpp can offload to, in its order.

    huge_pages: whether memory that it asks for comes in huge pages.
    """

    cores: int
    memory_bytes: int = 0
    gpus: tuple[str, ...] = ()
    huge_pages: bool = False


@dataclass(frozen=True)
class ContextPlan:
    """A configuration without open values, and what was decided.

    automatic: the names of the fields that the given configuration left open.
    sequence_limit: why n_seq_max is less than what was asked for, or "".
    kv_bytes: about what the KV cache takes, None if that is not known.
    num_offloaded: layers on a GPU, the output counted as one. devices: what computes.
    """

    config: EngineConfig
    model: ModelFacts
    automatic: frozenset[str]
    sequence_limit: str
    kv_bytes: int | None
    num_offloaded: int
    devices: tuple[str, ...]


def plan_context(config: EngineConfig, model: ModelFacts, machine: MachineFacts) -> ContextPlan:
    """Decide everything that `config` leaves open. Raises PlanError."""
    _check_gpus(config, machine)
    limit = sequence_limit(model.architecture) if config.kind == "chat" and config.n_seq_max > 1 else ""
    limited = replace(config, n_seq_max=1) if limit else config
    planned = replace(
        _whole_text(limited) if model.memory == "none" else _with_memory(limited, model, machine),
        use_mmap=maps_file(config, machine),
        n_threads=config.n_threads or choose_threads(machine.cores),
        n_threads_batch=config.n_threads_batch or machine.cores,
    )
    num_offloaded = _num_offloaded(planned, model, machine)
    return ContextPlan(
        config=planned,
        model=model,
        automatic=_open_fields(config),
        sequence_limit=limit,
        kv_bytes=_kv_bytes(planned, model),
        num_offloaded=num_offloaded,
        devices=_devices(planned, machine) if num_offloaded else (CPU,),
    )


def _whole_text(config: EngineConfig) -> EngineConfig:
    """Decide for a model that computes a whole text each time: with logits for all of it, and nothing to keep."""
    n_ctx = config.n_ctx
    settings = {"kv_unified": False, "kv_cells": n_ctx, "num_slots": 1, "host_cache_bytes": 0, "kv_disk_directory": ""}
    return replace(config, n_batch=n_ctx, n_ubatch=n_ctx, speculation="off", **settings)


def _with_memory(config: EngineConfig, model: ModelFacts, machine: MachineFacts) -> EngineConfig:
    """Decide how what is computed is kept, and how much is computed at once. Raises PlanError."""
    _check_types(config, model)
    kv_unified, kv_cells = _layout(config)
    flash_attention = _flash_attention(config, kv_cells if kv_unified else _padded(config.n_ctx), model, machine)
    n_batch = _batch_size(config, machine)
    n_ubatch = config.n_ubatch or (SCORING_BATCH if flash_attention == "off" else PHYSICAL_BATCH)
    return replace(
        config,
        kv_unified=kv_unified,
        kv_cells=kv_cells,
        num_slots=_num_slots(config.n_seq_max, model) if kv_unified else config.n_seq_max,
        flash_attention=flash_attention,
        n_batch=n_batch,
        n_ubatch=min(n_ubatch, n_batch),
        host_cache_bytes=_host_cache(config, machine),
        # What was guessed wrong is cut off again; a recurrent state cannot be taken back.
        speculation="off" if model.memory in ("recurrent", "hybrid") else config.speculation,
    )


def maps_file(config: EngineConfig, machine: MachineFacts) -> bool:
    """Return whether the weights stay in the mapped file: where that is open, if no huge pages make up for a copy.

    A GPU computes on its own copy in either case.
    """
    if config.use_mmap is not None:
        return config.use_mmap
    return _computes_on_gpu(config, machine) or not machine.huge_pages


def _open_fields(config: EngineConfig) -> frozenset[str]:
    fields = {name for name in MAY_BE_OPEN if getattr(config, name) is None}
    fields |= {"n_gpu_layers"} if config.n_gpu_layers < 0 else set()
    return frozenset(fields | ({"flash_attention"} if config.flash_attention == "auto" else set()))


def _layout(config: EngineConfig) -> tuple[bool, int]:
    """Return whether the KV cache is unified, and its cells. No sequence ever has fewer than n_ctx of its own."""
    needed = config.n_seq_max * _padded(config.n_ctx)
    is_short = config.kv_cells is not None and config.kv_cells < config.n_seq_max * config.n_ctx
    unified = is_short if config.kv_unified is None else config.kv_unified
    if is_short and not unified:
        raise PlanError(
            f"{config.kv_cells} KV cells are too few for a partitioned cache of "
            f"{config.n_seq_max} × {config.n_ctx} tokens: give more, or let the layout be unified"
        )
    cells = _padded(max(config.kv_cells, config.n_ctx)) if unified and config.kv_cells else needed
    if cells > MAX_CELLS:
        raise PlanError(
            f"a context of {config.n_seq_max} × {config.n_ctx} tokens is more than llama.cpp can address "
            f"({MAX_CELLS} in all)"
        )
    return unified, cells


def _flash_attention(config: EngineConfig, num_cells: int, model: ModelFacts, machine: MachineFacts) -> FlashAttention:
    """Switch flash attention off where "auto" leaves it open, the CPU computes, and the scores find room.

    llama.cpp's kernel for CPUs is quick for prompts, and for texts of a few hundred tokens. Deeper in a context it is
    slower than without it, up to eight times, for less than 64 tokens of a sequence at a time (Q_TILE_SZ in
    ggml/src/ggml-cpu/ops.cpp): while several decode, and for short new prompts.
    """
    is_open = config.flash_attention == "auto" and config.kind == "chat" and BLOCKS[config.kv_type_v][0] == 1
    if not is_open or _computes_on_gpu(config, machine):
        return config.flash_attention
    num_bytes = (config.n_ubatch or SCORING_BATCH) * num_cells * model.num_heads * BLOCKS["f32"][1]
    return "off" if num_bytes <= max(model.size_bytes // SCORES_SHARE, LEAST_SCORES) else config.flash_attention


def _batch_size(config: EngineConfig, machine: MachineFacts) -> int:
    """Return the most tokens of a step. Raises PlanError if that is too few for a token of every sequence."""
    if config.kind != "chat":
        return config.n_batch or POOLING_BATCH
    n_batch = config.n_batch or (GPU_BATCH if _computes_on_gpu(config, machine) else CPU_BATCH)
    if n_batch < config.n_seq_max:
        raise PlanError(
            f"a batch size (n_batch) of {n_batch} is too small for {config.n_seq_max} parallel requests: a step"
            " computes a token of each; give more, or let it be chosen"
        )
    return n_batch


def _computes_on_gpu(config: EngineConfig, machine: MachineFacts) -> bool:
    return bool(machine.gpus) and config.n_gpu_layers != 0


def _num_slots(n_seq_max: int, model: ModelFacts) -> int:
    """Return the sequence ids of a unified cache. They cost nothing there, but for recurrent states."""
    return n_seq_max if model.memory in ("recurrent", "hybrid") else min(SLOTS_PER_SEQUENCE * n_seq_max, MAX_SLOTS)


def _padded(length: int) -> int:
    return math.ceil(length / CONTEXT_PADDING) * CONTEXT_PADDING


def _host_cache(config: EngineConfig, machine: MachineFacts) -> int:
    if config.kind != "chat":
        return 0
    if config.host_cache_bytes is not None:
        return config.host_cache_bytes
    return min(machine.memory_bytes // HOST_CACHE_SHARE, MAX_HOST_CACHE)


def _check_types(config: EngineConfig, model: ModelFacts) -> None:
    """Refuse what llama_init_from_model refuses (src/llama-context.cpp), with the names of the settings."""
    if BLOCKS[config.kv_type_v][0] > 1 and config.flash_attention == "off":
        raise PlanError(f"the KV type of V {config.kv_type_v} needs flash attention, which is off")
    if model.shares_kv and config.kv_type_k != config.kv_type_v:
        raise PlanError(
            f"this model keeps K and V as one: their KV types {config.kv_type_k} and {config.kv_type_v} must be equal"
        )
    types = (("K", config.kv_type_k, model.head_size_k), ("V", config.kv_type_v, model.head_size_v))
    for name, kv_type, head_size in types:
        if head_size % BLOCKS[kv_type][0]:
            raise PlanError(
                f"the KV type of {name} {kv_type} needs heads of a multiple of {BLOCKS[kv_type][0]} values; "
                f"this model's have {head_size}: choose f16, bf16 or f32"
            )


def _check_gpus(config: EngineConfig, machine: MachineFacts) -> None:
    """Refuse GPUs that are not there; without any, all of these settings mean nothing."""
    count = len(machine.gpus)
    if count and config.main_gpu >= count:
        raise PlanError(f"the main GPU {config.main_gpu} is not there: this machine's are numbered 0 to {count - 1}")
    if count and len(config.tensor_split) > count:
        raise PlanError(f"the tensor split has {len(config.tensor_split)} numbers for {count} GPUs")


def _kv_bytes(config: EngineConfig, model: ModelFacts) -> int | None:
    """Return the size of the cache, if every layer that has one keeps all cells."""
    if config.kind != "chat" or model.kv_layers is None:
        return None
    per_head = _row_bytes(model.head_size_k, config.kv_type_k)
    per_head += 0 if model.shares_kv else _row_bytes(model.head_size_v, config.kv_type_v)
    return config.kv_cells * model.kv_layers * model.kv_heads * per_head


def _row_bytes(values: int, kv_type: str) -> int:
    block, num_bytes = BLOCKS[kv_type]
    return values // block * num_bytes


def _num_offloaded(config: EngineConfig, model: ModelFacts, machine: MachineFacts) -> int:
    layers = model.num_layers + 1
    wanted = layers if config.n_gpu_layers < 0 else min(config.n_gpu_layers, layers)
    return wanted if machine.gpus else 0


def _devices(config: EngineConfig, machine: MachineFacts) -> tuple[str, ...]:
    gpus = (machine.gpus[config.main_gpu],) if config.split_mode == "none" else machine.gpus
    return (*gpus, CPU)
