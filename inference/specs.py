"""From a registration to what the engine and the sampler need."""

from dataclasses import replace
from typing import Any

from inference.engine.config import EngineConfig
from inference.engine.messages import SamplingParams
from inference.pool import ModelSpec
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


def model_spec(model: RegisteredModel) -> ModelSpec:
    config = EngineConfig(
        model_path=str(model.resolved_path),
        n_ctx=model.context_length,
        n_seq_max=model.parallel if model.kind == Kind.CHAT else BATCHED_INPUTS,
        n_gpu_layers=model.gpu_layers,
        n_threads=model.threads,
        kind=Kind(model.kind).value,  # a plain string: workers know nothing of Django
    )
    return ModelSpec(model.pk, model.name, config)


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
