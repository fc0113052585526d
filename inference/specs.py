"""From a registration to what the engine and the sampler need."""

from typing import Any

from inference.engine.config import EngineConfig
from inference.engine.messages import SamplingParams
from inference.pool import ModelSpec
from registry.models import GenerationDefaults, RegisteredModel

DEFAULTED = ("temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "seed")


def model_spec(model: RegisteredModel) -> ModelSpec:
    config = EngineConfig(
        model_path=str(model.resolved_path),
        n_ctx=model.context_length,
        n_seq_max=model.parallel,
        n_gpu_layers=model.gpu_layers,
        n_threads=model.threads,
    )
    return ModelSpec(model.pk, model.name, config)


def sampling_params(parameters: dict[str, Any], defaults: GenerationDefaults) -> SamplingParams:
    """Merge a validated request over its model's defaults; None in the request means absent."""
    merged = {name: _first(parameters.get(name), getattr(defaults, name)) for name in DEFAULTED}
    max_tokens = _first(parameters.get("max_completion_tokens"), parameters.get("max_tokens"), defaults.max_tokens)
    stop = _first(parameters.get("stop"), defaults.stop)
    return SamplingParams(
        **merged, max_tokens=max_tokens, stop=tuple(stop), ignore_eos=bool(parameters.get("ignore_eos"))
    )


def _first(*values: Any) -> Any:
    """Return the first value that is not None."""
    return next((value for value in values if value is not None), None)
