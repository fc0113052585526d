"""What a loaded engine reports about itself."""

import ctypes

from inference.engine.bindings import lib
from inference.engine.context_plan import ContextPlan
from inference.engine.messages import EngineInfo

# Fields of a planned configuration that are reported as they are.
REPORTED = (
    "n_ctx",
    "n_seq_max",
    "kind",
    "kv_unified",
    "kv_cells",
    "kv_type_k",
    "kv_type_v",
    "flash_attention",
    "host_cache_bytes",
    "use_mmap",
    "kv_disk_directory",
    "loras",
    "speculation",
)


def engine_info(model: int, context: int, plan: ContextPlan, load_seconds: float) -> EngineInfo:
    """Return the report of a llama_model in a llama_context; batch sizes and threads are those of the context."""
    return EngineInfo(
        n_threads=lib.llama_n_threads(context),
        n_threads_batch=lib.llama_n_threads_batch(context),
        n_batch=lib.llama_n_batch(context),
        n_ubatch=lib.llama_n_ubatch(context),
        n_gpu_layers=plan.num_offloaded,
        num_layers=plan.model.num_layers,
        devices=plan.devices,
        memory_kind=plan.model.memory if lib.llama_get_memory(context) else "none",
        model_bytes=plan.model.size_bytes,
        kv_bytes=plan.kv_bytes,
        sequence_limit=plan.sequence_limit,
        automatic=plan.automatic,
        description=_description(model),
        system_info=system_info(),
        load_seconds=load_seconds,
        **{name: getattr(plan.config, name) for name in REPORTED},
    )


def system_info() -> str:
    """Return which processor features and backends this build of llama.cpp uses."""
    return lib.llama_print_system_info().decode().strip(" |")


def _description(model: int) -> str:
    """Return what llama.cpp calls the model, such as `qwen3 8B Q4_K - Medium`."""
    buffer = ctypes.create_string_buffer(256)
    lib.llama_model_desc(model, buffer, len(buffer))
    return buffer.value.decode(errors="replace")
