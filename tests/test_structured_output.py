"""Structured output: what is generated under a schema fits it, however wild the sampling; other schemas are refused."""

from collections import defaultdict
from typing import Any

import pytest

from inference.chat.constraint import ToolPlan, build_constraint
from inference.engine.messages import Constraint
from inference.exceptions import InvalidRequest
from tests.live_server import DEMO
from tests.schemas import ACCEPTED, REFUSED
from tests.schemas.generator import generated
from tests.wild_engine import Answer, WildEngine, errors

SCHEMAS = {**ACCEPTED, **generated(120)}
NUM_SEEDS = 2


def constraint_of(schema: dict[str, Any]) -> Constraint:
    response_format = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    return build_constraint({"response_format": response_format}, ToolPlan(), None)


@pytest.fixture(scope="module")
def answers() -> dict[str, list[Answer]]:
    """What the model says to every schema."""
    engine = WildEngine(DEMO)
    constraints = {(name, seed): constraint_of(schema) for name, schema in SCHEMAS.items() for seed in range(NUM_SEEDS)}
    found = defaultdict(list)
    for (name, _), answer in engine.generate(constraints).items():
        found[name].append(answer)
    engine.close()
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
    assert reasons.count("stop") > 0.9 * len(reasons)
    assert sum(any(reason == "stop" for reason, _ in found) for found in answers.values()) > 0.9 * len(SCHEMAS)


@pytest.mark.parametrize("name", REFUSED)
def test_a_schema_that_cannot_be_enforced_is_refused(name):
    schema, location, part = REFUSED[name]
    with pytest.raises(InvalidRequest) as caught:
        constraint_of(schema)
    assert caught.value.param == f"response_format.json_schema.schema{location}"
    assert caught.value.message.startswith(f"Invalid `{caught.value.param}`: ")
    assert part in caught.value.message
    assert "\n" not in caught.value.message
