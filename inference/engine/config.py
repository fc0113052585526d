"""What an engine needs to know to load a model."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["chat", "embedding", "rerank"]
KVType = Literal["f16", "bf16", "f32", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "iq4_nl"]
FlashAttention = Literal["auto", "on", "off"]
SplitMode = Literal["layer", "row", "none"]
Speculation = Literal["off", "lookup", "draft"]

ALL_LAYERS = -1


@dataclass(frozen=True)
class EngineConfig:
    """The runtime settings of one loaded model; equal configs mean the loaded engine can stay.

    None leaves a value to the worker, which knows the model and the machine (`context_plan.py`); the configuration of a
    loaded engine has a number instead.

    n_ctx: tokens that one sequence may hold, prompt and answer together.
    n_seq_max: sequences decoded at once; more requests wait.
    n_gpu_layers: layers to offload; -1 for all (a build without a GPU backend ignores it).
    n_threads, n_threads_batch: threads that compute single tokens, and those that compute prompts.
    n_batch: most tokens computed in one step. n_ubatch: most of them computed at once.
    step_target_ms: how long a step may take while sequences generate: prompts are computed in parts that fit in
        (`step_budget.py` says what they get at least).
    kind: what the model is for; it decides which engine computes it.
    kv_unified: whether the sequences share all cells of the KV cache, instead of having n_ctx each.
    kv_cells: tokens that the KV cache holds in all.
    num_slots: sequence ids. Where all share the cells there are more than n_seq_max, for sequences that may come back.
    swa_full: whether layers with a sliding window keep the whole context, so that it can be cut back to any length;
        draft models need that.
    host_cache_bytes: main memory for sequences that lost their cells; 0 for none.
    kv_disk_directory: where conversations outlive the engine; "" for nowhere. kv_disk_bytes: what all of them may take.
    use_mmap: whether the weights stay in the mapped file; None: wherever they are computed with fastest.
    tensor_split: the share of each GPU; empty lets llama.cpp choose.
    cpu_moe_layers: layers, from the first, whose experts stay in main memory; -1 for all.
    loras: paths of adapters, each with its scale.
    draft_max: most tokens guessed at a time; draft_model_path is needed for "draft" only.
    """

    model_path: str
    n_ctx: int
    n_seq_max: int = 4
    n_gpu_layers: int = ALL_LAYERS
    n_threads: int | None = None
    n_batch: int | None = 512
    kind: Kind = "chat"
    n_threads_batch: int | None = None
    n_ubatch: int | None = None
    step_target_ms: int = 240
    kv_unified: bool | None = None
    kv_cells: int | None = None
    num_slots: int | None = None
    kv_type_k: KVType = "f16"
    kv_type_v: KVType = "f16"
    flash_attention: FlashAttention = "auto"
    swa_full: bool = False
    host_cache_bytes: int | None = None
    kv_disk_directory: str = ""
    kv_disk_bytes: int = 0
    use_mmap: bool | None = None
    use_mlock: bool = False
    split_mode: SplitMode = "layer"
    tensor_split: tuple[float, ...] = ()
    main_gpu: int = 0
    cpu_moe_layers: int = 0
    loras: tuple[tuple[str, float], ...] = ()
    speculation: Speculation = "off"
    draft_model_path: str | None = None
    draft_max: int = 8
