"""Structured output: what is generated under a schema fits it, however wild the sampling; other schemas are refused."""

import json
import threading
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError, validators

from inference.chat.constraint import ToolPlan, build_constraint
from inference.engine.config import EngineConfig
from inference.engine.core import EngineCore
from inference.engine.llama import Llama
from inference.engine.messages import Constraint, GenerateRequest, SamplingParams
from inference.exceptions import InvalidRequest
from tests.live_server import DEMO
from tests.schemas import ACCEPTED, REFUSED
from tests.schemas.generator import generated

SCHEMAS = {**ACCEPTED, **generated(120)}
NUM_SEEDS = 2
CONFIG = EngineConfig(str(DEMO), n_ctx=512, n_seq_max=32, n_batch=512)
PROMPT = "<|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\n"
# Hot, with no filter. The demo model loves to go on counting: the penalty and the bias only let it come to an end.
WILD = {
    "temperature": 2.0,
    "top_k": 0,
    "top_p": 1.0,
    "min_p": 0.0,
    "frequency_penalty": 2.0,
    "logit_bias": tuple((closing, 6.0) for closing in '",]}'),
    "max_tokens": 250,
}

Answer = tuple[str, str]  # finish reason and text


def multiple_of(_: Any, divisor: float, value: Any, __: Any) -> Any:
    """Compare as decimals; jsonschema divides doubles, for which 0.3 is no multiple of 0.1."""
    if isinstance(value, int | float) and not isinstance(value, bool) and Decimal(str(value)) % Decimal(str(divisor)):
        yield ValidationError(f"{value} is not a multiple of {divisor}")


def errors(schema: dict[str, Any], text: str) -> list[str]:
    """Return what is wrong with a text by the schema's own version, formats included."""
    draft = validators.validator_for(schema, default=Draft202012Validator)
    validator = validators.extend(draft, {"multipleOf": multiple_of})(schema, format_checker=draft.FORMAT_CHECKER)
    return [error.message for error in validator.iter_errors(json.loads(text))]


def constraint_of(schema: dict[str, Any]) -> Constraint:
    response_format = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    return build_constraint({"response_format": response_format}, ToolPlan(), None)


@pytest.fixture(scope="module")
def compiled() -> threading.Event:
    return threading.Event()


@pytest.fixture(scope="module")
def llama(compiled):
    llama = Llama(CONFIG, on_compiled=compiled.set)
    yield llama
    llama.close()


@pytest.fixture(scope="module")
def generate(llama, compiled):
    """Return a function that answers requests in the engine, all at once: id → finish reason and text."""

    def generate(constraints: dict[Any, Constraint], **sampling: Any) -> dict[Any, Answer]:
        core = EngineCore(CONFIG, llama)
        texts, answers = defaultdict(str), {}
        for number, (key, constraint) in enumerate(constraints.items()):
            params = SamplingParams(**{**WILD, "seed": number, **sampling})
            assert core.add_request(GenerateRequest(key, PROMPT, params, constraint)) is None
        while len(answers) < len(constraints):
            if not core.has_work:
                assert compiled.wait(30)
            compiled.clear()
            for output in core.step():
                assert output.failure is None, (output.request_id, output.failure)
                texts[output.request_id] += output.text
                if output.finished:
                    answers[output.request_id] = output.finish_reason, texts[output.request_id]
        return answers

    return generate


@pytest.fixture(scope="module")
def answers(generate) -> dict[str, list[Answer]]:
    """What the model says to every schema."""
    constraints = {(name, seed): constraint_of(schema) for name, schema in SCHEMAS.items() for seed in range(NUM_SEEDS)}
    found = defaultdict(list)
    for (name, _), answer in generate(constraints).items():
        found[name].append(answer)
    return found


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_generated_fits_the_schema(answers, name):
    for finish_reason, text in answers[name]:
        assert finish_reason in ("stop", "length")
        if finish_reason == "stop":
            assert errors(SCHEMAS[name], text) == [], text


def test_most_answers_come_to_their_end(answers):
    """Else the test above would say nothing."""
    reasons = [reason for found in answers.values() for reason, _ in found]
    assert len(SCHEMAS) >= 250
    assert reasons.count("stop") > 0.97 * len(reasons)
    assert sum(any(reason == "stop" for reason, _ in found) for found in answers.values()) > 0.98 * len(SCHEMAS)


@pytest.mark.parametrize("name", REFUSED)
def test_a_schema_that_cannot_be_enforced_is_refused(name):
    schema, location, part = REFUSED[name]
    with pytest.raises(InvalidRequest) as caught:
        constraint_of(schema)
    assert caught.value.param == f"response_format.json_schema.schema{location}"
    assert caught.value.message.startswith(f"Invalid `{caught.value.param}`: ")
    assert part in caught.value.message
    assert "\n" not in caught.value.message
