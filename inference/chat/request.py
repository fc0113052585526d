"""From a validated chat request to what the engine generates from and how its output is read."""

import secrets
from typing import Any

from inference.chat.completion import ChatCompletion
from inference.chat.messages import normalize
from inference.chat.parser import OutputParser
from inference.chat.reasoning import ReasoningSplitter
from inference.chat.template import TemplateRefused, render_prompt
from inference.engine.messages import GenerateRequest
from inference.exceptions import InvalidRequest
from inference.pool import EnginePool
from inference.specs import model_spec, sampling_params
from registry.models import RegisteredModel


def start_completion(
    pool: EnginePool, model: RegisteredModel, parameters: dict[str, Any], prompt: str
) -> ChatCompletion:
    """Hand a request to the pool; what comes of it is in the completion's events."""
    request = GenerateRequest(secrets.token_hex(16), prompt, sampling_params(parameters, model.defaults))
    names = frozenset(tool["function"]["name"] for tool in offered_tools(parameters) or ())
    generation = pool.generate(model_spec(model), request)
    return ChatCompletion(generation, OutputParser(names), ReasoningSplitter(prompt))


def chat_prompt(model: RegisteredModel, parameters: dict[str, Any]) -> str:
    """Render the messages with the model's template. Raises InvalidRequest with the template's own reason."""
    messages = normalize(parameters["messages"], model.defaults.system_prompt)
    variables = {**(parameters.get("chat_template_kwargs") or {})}
    if parameters.get("reasoning_effort"):
        variables["reasoning_effort"] = parameters["reasoning_effort"]
    try:
        return render_prompt(
            model.effective_chat_template,
            messages,
            offered_tools(parameters),
            model.bos_token,
            model.eos_token,
            variables,
        )
    except TemplateRefused as error:
        raise InvalidRequest(
            f"The chat template of model `{model.name}` refuses these messages: {error}.", param="messages"
        ) from error


def offered_tools(parameters: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the tools that the model may call, as the template gets them; None if there are none."""
    if parameters.get("tool_choice") == "none":
        return None
    return parameters.get("tools") or None
