"""From a validated chat request to what the engine generates from and how its output is read."""

import secrets
from dataclasses import dataclass
from typing import Any

from access.identity import current_identity
from inference.chat.answer import AnswerReader, new_reader
from inference.chat.completion import ChatCompletion
from inference.chat.constraint import ToolPlan, build_constraint
from inference.chat.formats import ToolFormat
from inference.chat.legacy import modernize
from inference.chat.messages import normalize
from inference.chat.template import TemplateRefused, render_prompt
from inference.chat.thinking import answer_markers, find_thinking
from inference.chat.tool_plan import Prompting, plan_tools, prompt_for_tools
from inference.engine.messages import Constraint, GenerateRequest, SamplingParams, Thinking
from inference.exceptions import InvalidRequest
from inference.pool import EnginePool
from inference.specs import model_spec, sampling_params, seeded
from registry.served_model import ServedModel


@dataclass(frozen=True)
class PreparedChat:
    """A request as the engine takes it, and what is needed to read the answer."""

    prompt: str
    sampling: SamplingParams
    num_choices: int
    plan: ToolPlan
    format: ToolFormat | None
    constraint: Constraint | None
    thinking: Thinking | None
    keep_alive: float | None = None

    def requests(self) -> list[GenerateRequest]:
        """Return one request for each choice. Their prompts are the same: the engine computes it once."""
        identity = current_identity.get()
        return [
            GenerateRequest(
                secrets.token_hex(16),
                self.prompt,
                seeded(self.sampling, number),
                constraint=self.constraint,
                thinking=self.thinking,
                markers=answer_markers(self.format),
                client=identity.client,
                priority=identity.priority,
            )
            for number in range(self.num_choices)
        ]

    def new_reader(self) -> AnswerReader:
        return new_reader(self.prompt, self.plan.schemas, self.format)


def prepare_chat(model: ServedModel, parameters: dict[str, Any]) -> PreparedChat:
    """Render the prompt and build the constraint; CPU work that belongs in a thread. Raises InvalidRequest."""
    parameters = modernize(parameters)
    plan = plan_tools(parameters)
    prompting = prompt_for_tools(model.registration.effective_chat_template, plan, _messages(model, parameters))
    prompt = _render(model, parameters, prompting)
    budget = reasoning_budget(parameters)
    thinking = find_thinking(model.registration.effective_chat_template, prompt, prompting.format, budget)
    constraint = build_constraint(parameters, plan, prompting.format, may_think=thinking is not None)
    if constraint is None and budget is None:
        thinking = None  # nothing depends on where it ends
    sampling = sampling_params(parameters, model.defaults)
    num_choices = parameters.get("n") or 1
    keep_alive = parameters.get("keep_alive")
    return PreparedChat(prompt, sampling, num_choices, plan, prompting.format, constraint, thinking, keep_alive)


def start_completion(pool: EnginePool, model: ServedModel, prepared: PreparedChat) -> ChatCompletion:
    """Hand a request to the pool; what comes of it is in the completion's events."""
    spec = model_spec(model.registration, prepared.keep_alive)
    requests = enumerate(prepared.requests())
    generations = [pool.generate(spec, request, counts_prompt=number == 0) for number, request in requests]
    return ChatCompletion(generations, [prepared.new_reader() for _ in generations])


def reasoning_budget(parameters: dict[str, Any]) -> int | None:
    """Return how many tokens a model may think, None for no limit."""
    budget = parameters.get("reasoning_budget")
    if budget is None:
        budget = (parameters.get("reasoning") or {}).get("max_tokens")
    if budget is None and reasoning_effort(parameters) == "none":
        budget = 0
    return None if budget == -1 else budget


def reasoning_effort(parameters: dict[str, Any]) -> str | None:
    return parameters.get("reasoning_effort") or (parameters.get("reasoning") or {}).get("effort")


def _messages(model: ServedModel, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    return normalize(parameters["messages"], model.defaults.system_prompt)


def _render(model: ServedModel, parameters: dict[str, Any], prompting: Prompting) -> str:
    last = prompting.messages[-1]
    is_continuable = last["role"] == "assistant" and "tool_calls" not in last
    try:
        return render_prompt(
            model.registration.effective_chat_template,
            prompting.messages,
            prompting.tools,
            model.registration.bos_token,
            model.registration.eos_token,
            _variables(parameters),
            continue_final=is_continuable and parameters.get("continue_final_message") is not False,
            write_call=prompting.write_call,
        )
    except TemplateRefused as error:
        raise InvalidRequest(
            f"The chat template of model `{model.name}` refuses these messages: {error}.", param="messages"
        ) from error


def _variables(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return what the request tells the template beside the messages."""
    variables = dict(parameters.get("chat_template_kwargs") or {})
    effort = reasoning_effort(parameters)
    if effort == "none":
        variables.setdefault("enable_thinking", False)
    elif effort:
        variables["reasoning_effort"] = effort
    return variables
