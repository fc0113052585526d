"""From a validated completion request to what the engine generates from."""

import secrets
from dataclasses import replace
from typing import Any

from access.identity import current_identity
from inference.calls import call
from inference.engine.messages import Constraint, DetokenizeRequest, GenerateRequest, SamplingParams
from inference.pool import EnginePool
from inference.serializers.completions import DEFAULT_MAX_TOKENS
from inference.specs import model_spec, sampling_params, seeded
from inference.text.completion import TextCompletion
from registry.models import GenerationDefaults
from registry.served_model import ServedModel

Prompt = str | tuple[int, ...]


def start_completion(
    pool: EnginePool, model: ServedModel, parameters: dict[str, Any], constraint: Constraint | None
) -> TextCompletion:
    """Hand all candidates of all prompts to the pool, prompt by prompt."""
    spec = model_spec(model.registration, parameters.get("keep_alive"))
    best_of = parameters["best_of"]
    requests = enumerate(_requests(model, parameters, constraint))
    generations = [pool.generate(spec, request, number % best_of == 0) for number, request in requests]
    is_empty = parameters.get("max_tokens") == 0
    return TextCompletion(generations, best_of, model.name, is_empty)


async def echoed_prompts(model: ServedModel, parameters: dict[str, Any]) -> list[str]:
    """Return what each prompt's completions begin with: its text if the request wants an echo, else nothing."""
    if not parameters.get("echo"):
        return [""] * len(parameters["prompt"])
    return [await _text(model, prompt) for prompt in parameters["prompt"]]


async def _text(model: ServedModel, prompt: Prompt) -> str:
    if isinstance(prompt, str):
        return prompt
    text = await call(model.registration, DetokenizeRequest(secrets.token_hex(16), prompt, param="prompt"))
    return text.decode(errors="replace")


def _requests(model: ServedModel, parameters: dict[str, Any], constraint: Constraint | None) -> list[GenerateRequest]:
    suffix = parameters["suffix"]
    sampling = _sampling(parameters, model.defaults)
    scores = parameters.get("logprobs") if parameters.get("echo") else None
    identity = current_identity.get()
    prompts = [prompt if suffix else prompt or model.registration.bos_token for prompt in parameters["prompt"]]
    return [
        GenerateRequest(
            secrets.token_hex(16),
            prompt,
            seeded(sampling, number),
            suffix=suffix,
            constraint=constraint,
            prompt_logprobs=scores,
            client=identity.client,
            priority=identity.priority,
        )
        for prompt in prompts
        for number in range(parameters["best_of"])
    ]


def _sampling(parameters: dict[str, Any], defaults: GenerationDefaults) -> SamplingParams:
    """Return the parameters of all candidates; what `logprobs` means differs from chat completions."""
    sampling = sampling_params({**parameters, "logprobs": None}, defaults)
    logprobs = parameters.get("logprobs")
    if parameters["best_of"] > parameters["n"]:
        logprobs = logprobs or 0
    # With 0, too, one token is drawn, which TextCompletion drops: the engine has no end without one.
    max_tokens = DEFAULT_MAX_TOKENS if sampling.max_tokens is None else max(sampling.max_tokens, 1)
    return replace(sampling, logprobs=logprobs, max_tokens=max_tokens)
