"""What an engine needs to know to load a model."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["chat", "embedding", "rerank"]


@dataclass(frozen=True)
class EngineConfig:
    """The runtime settings of one loaded model; equal configs mean the loaded engine can stay.

    n_ctx: tokens that one sequence may hold, prompt and answer together.
    n_seq_max: sequences decoded at once; more requests wait.
    n_gpu_layers: layers to offload; -1 for all (a build without a GPU backend ignores it).
    n_threads: None lets the engine choose from the cores of the machine.
    n_batch: most tokens computed in one step.
    step_target_ms: how long a step may take while sequences generate: prompts are computed in parts that fit in.
    host_cache_bytes: main memory for sequences that lost their cells; 0 for none.
    kind: what the model is for; it decides which engine computes it.
    """

    model_path: str
    n_ctx: int
    n_seq_max: int = 4
    n_gpu_layers: int = -1
    n_threads: int | None = None
    n_batch: int = 512
    step_target_ms: int = 220
    host_cache_bytes: int = 0
    kind: Kind = "chat"
