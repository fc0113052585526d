"""From a registration to what the engine and the sampler need."""

from dataclasses import replace
from typing import Any

from django.conf import settings

from inference.engine.config import EngineConfig
from inference.engine.messages import SamplingParams
from inference.memory import Memory
from inference.pool.fingerprint import fingerprint
from inference.pool.model_spec import ModelSpec
from llmsite.config import resolve_path
from registry.model_kinds import Kind
from registry.models import GenerationDefaults, RegisteredModel

DEFAULTED = ("temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "seed")
# Of the request alone; where it says nothing, SamplingParams' own default holds, which switches the sampler off.
OPTIONAL = (
    "typical_p",
    "top_n_sigma",
    "repeat_penalty",
    "repeat_last_n",
    "dry_multiplier",
    "dry_base",
    "dry_allowed_length",
    "dry_penalty_last_n",
    "dry_sequence_breakers",
    "xtc_probability",
    "xtc_threshold",
    "mirostat",
    "mirostat_tau",
    "mirostat_eta",
    "logit_bias",
    "samplers",
    "ignore_eos",
)


BATCHED_INPUTS = 64  # texts that one batch of an embedding or rerank model may hold; the admin's limit for `parallel`


# Fields that an engine's configuration has under the same name.
SHARED = (
    "n_batch",
    "n_ubatch",
    "step_target_ms",
    "kv_cells",
    "kv_type_k",
    "kv_type_v",
    "flash_attention",
    "use_mmap",
    "use_mlock",
    "split_mode",
    "main_gpu",
    "cpu_moe_layers",
    "draft_max",
)
LAYOUTS = {"auto": None, "partitioned": False, "unified": True}


def model_spec(model: RegisteredModel, keep_alive: float | None = None) -> ModelSpec:
    """Return what the pool needs; what belongs to `model` is read from the database unless it was fetched.

    keep_alive: seconds that it stays without requests from now on, `inf` for ever; None: as registered.
    """
    is_chat = model.kind == Kind.CHAT
    config = EngineConfig(
        model_path=str(model.resolved_path),
        n_ctx=model.context_length,
        n_seq_max=model.parallel if is_chat else BATCHED_INPUTS,
        n_gpu_layers=model.gpu_layers,
        n_threads=model.threads,
        n_threads_batch=model.threads_batch,
        kind=Kind(model.kind).value,  # a plain string: workers know nothing of Django
        kv_unified=LAYOUTS[model.kv_layout],
        host_cache_bytes=None if model.host_cache_mb is None else model.host_cache_mb * 2**20,
        tensor_split=model.tensor_shares,
        loras=tuple((str(lora.resolved_path), lora.scale) for lora in model.loras.all()),
        **{name: getattr(model, name) for name in SHARED},
        **({**_speculation(model), **_kv_disk()} if is_chat else {}),
    )
    return ModelSpec(
        model.pk,
        model.name,
        config,
        pinned=model.pinned,
        idle_seconds=_idle_seconds(model) if keep_alive is None else keep_alive,
        measured=_measured(model, config),
    )


def _idle_seconds(model: RegisteredModel) -> float | None:
    return _first(model.idle_timeout, settings.CONFIG.pool.idle_timeout)


def _measured(model: RegisteredModel, config: EngineConfig) -> Memory | None:
    """Return what the model took when it last ran with this configuration and file."""
    observation = getattr(model, "observation", None)
    if observation is None or observation.measured_host is None or observation.measured_with != fingerprint(config):
        return None
    return Memory(observation.measured_host, tuple(observation.measured_devices))


def _kv_disk() -> dict[str, Any]:
    """Return where conversations outlive the engine."""
    kv_disk = settings.CONFIG.kv_disk
    return {"kv_disk_directory": kv_disk.directory, "kv_disk_bytes": kv_disk.max_size} if kv_disk.directory else {}


def _speculation(model: RegisteredModel) -> dict[str, Any]:
    """Return how tokens are guessed: by the draft model if there is one, else from the text so far."""
    if model.speculation == "off":
        return {"speculation": "off"}
    if not model.draft_model:
        return {"speculation": "lookup"}
    return {"speculation": "draft", "draft_model_path": str(resolve_path(model.draft_model))}


def sampling_params(parameters: dict[str, Any], defaults: GenerationDefaults) -> SamplingParams:
    """Merge a validated request over its model's defaults; None in the request means absent."""
    merged = {name: _first(parameters.get(name), getattr(defaults, name)) for name in DEFAULTED}
    optional = {name: parameters[name] for name in OPTIONAL if parameters.get(name) is not None}
    max_tokens = _first(parameters.get("max_completion_tokens"), parameters.get("max_tokens"), defaults.max_tokens)
    stop = _first(parameters.get("stop"), defaults.stop)
    logprobs = parameters.get("top_logprobs") or 0 if parameters.get("logprobs") else parameters.get("n_probs")
    return SamplingParams(**merged, **optional, max_tokens=max_tokens, stop=tuple(stop), logprobs=logprobs)


def seeded(sampling: SamplingParams, number: int) -> SamplingParams:
    """Return the parameters of a choice: with the same seed all of them would be the same."""
    return sampling if sampling.seed is None else replace(sampling, seed=sampling.seed + number)


def _first(*values: Any) -> Any:
    """Return the first value that is not None."""
    return next((value for value in values if value is not None), None)
