"""What a loaded model says of itself, for planning its context."""

import ctypes

from inference.engine.bindings import lib
from inference.engine.context_plan import MemoryKind, ModelFacts


def metadata(model: int, key: str) -> str:
    """Return a value of the file's metadata as llama.cpp writes it, "" if there is none or it is an array."""
    buffer = ctypes.create_string_buffer(256)
    length = lib.llama_model_meta_val_str(model, key.encode(), buffer, len(buffer))
    return buffer.value.decode(errors="replace") if length >= 0 else ""


def read_facts(model: int) -> ModelFacts:
    """Return the facts of a llama_model."""
    architecture = metadata(model, "general.architecture")
    num_layers = lib.llama_model_n_layer(model)
    memory = _memory(model)
    head_size = lib.llama_model_n_embd(model) // max(lib.llama_model_n_head(model), 1)
    return ModelFacts(
        architecture=architecture,
        num_layers=num_layers,
        num_heads=lib.llama_model_n_head(model),
        memory=memory,
        kv_layers=_kv_layers(model, architecture, memory, num_layers),
        kv_heads=lib.llama_model_n_head_kv(model),
        head_size_k=_integer(model, f"{architecture}.attention.key_length", head_size),
        head_size_v=_integer(model, f"{architecture}.attention.value_length", head_size),
        shares_kv=_integer(model, f"{architecture}.attention.key_length_mla", 0) > 0,
        size_bytes=lib.llama_model_size(model),
    )


def original_context(model: int) -> int:
    """Return the tokens of context that RoPE was made for (n_ctx_orig_yarn in src/llama-hparams.h)."""
    architecture = metadata(model, "general.architecture")
    return _integer(model, f"{architecture}.rope.scaling.original_context_length", lib.llama_model_n_ctx_train(model))


def _memory(model: int) -> MemoryKind:
    if lib.llama_model_is_diffusion(model):
        return "none"
    if lib.llama_model_is_recurrent(model):
        return "recurrent"
    if lib.llama_model_is_hybrid(model):
        return "hybrid"
    return "sliding window" if lib.llama_model_n_swa(model) > 0 else "attention"


def _kv_layers(model: int, architecture: str, memory: MemoryKind, num_layers: int) -> int | None:
    """Return how many layers have a KV cache; None for hybrids that do not say it with a single number."""
    if memory in ("recurrent", "none"):
        return 0
    if memory != "hybrid":
        return num_layers
    interval = _integer(model, f"{architecture}.full_attention_interval", 0)
    return num_layers // interval if interval else None


def _integer(model: int, key: str, default: int) -> int:
    value = metadata(model, key)
    return int(value) if value.isdigit() and int(value) else default
