"""Loading a model and creating its context, from a configuration to llama.cpp's parameters."""

import ctypes
from collections.abc import Callable

from inference.engine.bindings import lib
from inference.engine.config import ALL_LAYERS, EngineConfig
from inference.engine.context_plan import ContextPlan, MachineFacts, PlanError, maps_file, plan_context
from inference.engine.devices import cpu_buffer_type, gpu_names
from inference.engine.huge_pages import has_huge_pages
from inference.engine.machine import available_cores, available_memory
from inference.engine.model_facts import read_facts

KV_TYPES = {
    "f32": lib.GGML_TYPE_F32,
    "f16": lib.GGML_TYPE_F16,
    "bf16": 30,  # GGML_TYPE_BF16 (ggml/include/ggml.h), which the bindings leave out
    "q8_0": lib.GGML_TYPE_Q8_0,
    "q4_0": lib.GGML_TYPE_Q4_0,
    "q4_1": lib.GGML_TYPE_Q4_1,
    "q5_0": lib.GGML_TYPE_Q5_0,
    "q5_1": lib.GGML_TYPE_Q5_1,
    "iq4_nl": lib.GGML_TYPE_IQ4_NL,
}
FLASH_ATTENTION = {
    "auto": lib.LLAMA_FLASH_ATTN_TYPE_AUTO,
    "on": lib.LLAMA_FLASH_ATTN_TYPE_ENABLED,
    "off": lib.LLAMA_FLASH_ATTN_TYPE_DISABLED,
}
SPLIT_MODES = {
    "layer": lib.LLAMA_SPLIT_MODE_LAYER,
    "row": lib.LLAMA_SPLIT_MODE_ROW,
    "none": lib.LLAMA_SPLIT_MODE_NONE,
}
# By whether to map the file and whether to lock it. AUTO maps it unless a device cannot compute on mapped memory.
LOAD_MODES = {
    (True, False): lib.LLAMA_LOAD_MODE_AUTO,
    (True, True): lib.LLAMA_LOAD_MODE_MMAP_MLOCK,
    (False, False): lib.LLAMA_LOAD_MODE_NONE,
    (False, True): lib.LLAMA_LOAD_MODE_MLOCK,
}
EXPERTS = r"\.ffn_(up|down|gate|gate_up)_(ch|)exps"  # LLM_FFN_EXPS_REGEX (common/common.h)


class ModelLoadError(Exception):
    """llama.cpp could not load the file or create its context."""


class BufferOverride(ctypes.Structure):
    """llama_model_tensor_buft_override: where the tensors whose names match a regular expression are kept."""

    _fields_ = (("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p))


def load_model(config: EngineConfig, on_progress: Callable[[float], None] | None = None) -> int:
    """Load the weights; return the llama_model. Raises ModelLoadError.

    on_progress gets the fraction that is loaded, thousands of times for a large model.
    """
    params = lib.llama_model_default_params()
    params.load_mode = LOAD_MODES[maps_file(config, _machine()), config.use_mlock]
    if on_progress:
        params.progress_callback = lib.llama_progress_callback(lambda done, _: _go_on(on_progress, done))
    return _load(config, params)


def simulate_model(config: EngineConfig) -> int:
    """Return a llama_model without weights, of which a context without cells can be made; neither can compute.

    llama.cpp does all else that loading takes, reads the file's metadata, and logs the same. Raises ModelLoadError.
    """
    params = lib.llama_model_default_params()
    params.load_mode = lib.LLAMA_LOAD_MODE_NONE  # llama.cpp maps no file that it does not read
    params.no_alloc = True
    return _load(config, params)


def _go_on(on_progress: Callable[[float], None], fraction: float) -> bool:
    on_progress(fraction)
    return True  # False would make llama.cpp stop loading


def _load(config: EngineConfig, params: lib.llama_model_params) -> int:
    lib.llama_backend_init()
    params.n_gpu_layers = config.n_gpu_layers
    params.split_mode = SPLIT_MODES[config.split_mode]
    params.main_gpu = config.main_gpu
    # These arrays are read while the model is loaded and must live until then.
    shares = _tensor_split(config)
    overrides = _expert_overrides(config)
    params.tensor_split = shares
    params.tensor_buft_overrides = ctypes.cast(overrides, ctypes.c_void_p)
    model = lib.llama_model_load_from_file(config.model_path.encode(), params)
    if not model:
        raise ModelLoadError(f"llama.cpp could not load {config.model_path}")
    return model


def _machine() -> MachineFacts:
    return MachineFacts(available_cores(), available_memory(), gpu_names(), has_huge_pages())


def plan_for(config: EngineConfig, model: int) -> ContextPlan:
    """Decide what `config` leaves open for this model on this machine. Raises ModelLoadError."""
    try:
        return plan_context(config, read_facts(model), _machine())
    except PlanError as error:
        raise ModelLoadError(str(error)) from error


def context_params(config: EngineConfig) -> lib.llama_context_params:
    """Return the parameters for a planned configuration, as a context that generates needs them."""
    params = lib.llama_context_default_params()
    params.n_ctx = config.kv_cells
    params.n_seq_max = config.num_slots
    params.n_batch = config.n_batch
    params.n_ubatch = config.n_ubatch
    params.n_threads = config.n_threads
    params.n_threads_batch = config.n_threads_batch
    params.kv_unified = config.kv_unified
    params.type_k = KV_TYPES[config.kv_type_k]
    params.type_v = KV_TYPES[config.kv_type_v]
    params.flash_attn_type = FLASH_ATTENTION[config.flash_attention]
    params.swa_full = config.swa_full
    params.no_perf = True
    return params


def create_context(model: int, config: EngineConfig, num_outputs: int = 0) -> int:
    """Return a llama_context for a planned configuration. Raises ModelLoadError.

    num_outputs: for how many rows of logits in a physical batch there is memory; 0 for all of its tokens.
    """
    params = context_params(config)
    params.n_outputs_max = num_outputs
    context = lib.llama_init_from_model(model, params)
    if not context:
        raise ModelLoadError(
            f"llama.cpp could not create a context of {config.n_seq_max} × {config.n_ctx} tokens "
            f"with {config.kv_cells} KV cells (less memory is needed with a smaller context size, fewer parallel "
            "sequences or fewer cells)"
        )
    return context


def apply_loras(model: int, context: int, loras: tuple[tuple[str, float], ...]) -> None:
    """Load adapters and apply them to the context; they are freed with the model. Raises ModelLoadError."""
    if not loras:
        return
    adapters = [_load_adapter(model, path) for path, _ in loras]
    pointers = (lib.llama_adapter_lora_p_ctypes * len(loras))(
        *(ctypes.cast(adapter, lib.llama_adapter_lora_p_ctypes) for adapter in adapters)
    )
    scales = (ctypes.c_float * len(loras))(*(scale for _, scale in loras))
    if lib.llama_set_adapters_lora(context, pointers, len(loras), scales):
        raise ModelLoadError("llama.cpp could not apply the adapters")


def _load_adapter(model: int, path: str) -> int:
    adapter = lib.llama_adapter_lora_init(model, path.encode())
    if not adapter:
        raise ModelLoadError(f"llama.cpp could not load the adapter {path}")
    return adapter


def _tensor_split(config: EngineConfig) -> "ctypes.Array[ctypes.c_float] | None":
    """Return one share for each device that llama.cpp knows of; None leaves the split to it."""
    if not config.tensor_split:
        return None
    shares = config.tensor_split[: lib.LLAMA_MAX_DEVICES]
    return (ctypes.c_float * lib.LLAMA_MAX_DEVICES)(*shares)


def _expert_overrides(config: EngineConfig) -> "ctypes.Array[BufferOverride] | None":
    """Return the list, with an empty entry at its end, that keeps experts in main memory."""
    if not config.cpu_moe_layers:
        return None
    layers = "" if config.cpu_moe_layers == ALL_LAYERS else _any_of(range(config.cpu_moe_layers))
    override = BufferOverride(f"{layers}{EXPERTS}".encode(), cpu_buffer_type())
    return (BufferOverride * 2)(override, BufferOverride())


def _any_of(layers: range) -> str:
    return rf"blk\.({'|'.join(map(str, layers))})"
