"""Which rules a preset may have."""

import pytest
from django.core.exceptions import ValidationError

from registry.models import Preset, RegisteredModel


@pytest.fixture
def chat_model(db: None) -> RegisteredModel:
    return RegisteredModel.objects.create(name="tiny", path="x.gguf")


def errors_of(model: RegisteredModel, **values: object) -> dict[str, list[str]]:
    try:
        Preset(name="p", model=model, **values).full_clean()
    except ValidationError as error:
        return error.message_dict
    return {}


@pytest.mark.parametrize(
    "forced",
    [
        {"temperature": 0, "top_p": 1, "seed": 3, "logit_bias": {"5": -100}, "stop": ["a"]},
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}}},
        {"max_tokens": 5, "reasoning_budget": 100, "keep_alive": "5m", "parallel_tool_calls": False},
        {"chat_template_kwargs": {"enable_thinking": False}, "samplers": ["top_k"]},
    ],
)
def test_what_a_request_may_say_may_be_forced(chat_model, forced):
    assert errors_of(chat_model, forced=forced) == {}


@pytest.mark.parametrize(
    ("forced", "message"),
    [
        ({"temperature": 3}, "Invalid `temperature`: expected a number between 0 and 2, got 3."),
        ({"seed": "a"}, "Invalid `seed`: expected an integer between"),
        ({"max_tokens": 0}, "Invalid `max_tokens`: expected an integer of at least 1, got 0."),
        ({"response_format": {"type": "xml"}}, "Invalid `response_format`: expected an object whose `type` is one of"),
        ({"response_format": {"type": "json_object", "schema": {"type": "unknown"}}}, "response_format.schema"),
        ({"seed": None}, "“seed” is null, which says nothing"),
        ({"colour": "red"}, "“colour” cannot be ruled here. Allowed: temperature, top_p,"),
        ({"model": "x"}, "“model” cannot be ruled here."),
        ({"stream": True}, "“stream” cannot be ruled here."),
        ({"reasoning_effort": "low"}, "choose it as “reasoning” below"),
        ([], None),
        ("text", "'text' is not allowed: give an object of request parameters"),
    ],
)
def test_what_cannot_be_forced_is_refused_with_the_reason(chat_model, forced, message):
    errors = errors_of(chat_model, forced=forced)
    assert (message in errors["forced"][0]) if message else errors == {}


def test_every_wrong_parameter_is_named(chat_model):
    assert len(errors_of(chat_model, forced={"temperature": 3, "top_p": 2, "seed": 1})["forced"]) == 2


@pytest.mark.parametrize(
    ("stripped", "message"),
    [
        (["messages"], "“messages” cannot be ruled here."),
        (["seed", "x"], "“x” cannot be ruled here. Allowed: temperature,"),
        ("seed", "'seed' is not allowed: give a list of parameter names"),
        ([1], "[1] is not allowed"),
    ],
)
def test_unknown_names_cannot_be_ignored(chat_model, stripped, message):
    assert message in " ".join(errors_of(chat_model, stripped=stripped)["stripped"])


def test_known_names_can_be_ignored(chat_model):
    assert errors_of(chat_model, stripped=["seed", "logit_bias", "logprobs", "n", "reasoning_effort"]) == {}


@pytest.mark.parametrize(
    "forced", [{"reasoning_budget": 100}, {"chat_template_kwargs": {"enable_thinking": True, "a": 1}}]
)
def test_thinking_cannot_be_off_and_forced(chat_model, forced):
    assert "thinking, which is switched off" in errors_of(chat_model, forced=forced, reasoning="none")["forced"][0]
    assert errors_of(chat_model, forced=forced, reasoning="high") == {}


def test_a_model_and_a_preset_cannot_have_one_name(chat_model):
    with pytest.raises(ValidationError, match="is the name of a registered model"):
        Preset(name="tiny", model=chat_model).full_clean()
    Preset.objects.create(name="p", model=chat_model)
    assert errors_of(chat_model)["name"] == ["Preset with this Name already exists."]


@pytest.mark.parametrize("kind", ["embedding", "rerank"])
def test_presets_of_models_that_generate_nothing_are_names_only(chat_model, kind):
    chat_model.kind = kind
    assert errors_of(chat_model) == {}
    rules = {"temperature": 0.5, "stripped": ["seed"], "allowed_tools": [], "system_prompt": "Hi"}
    errors = errors_of(chat_model, **rules)
    assert set(errors) == set(rules)
    assert f"“tiny” generates nothing ({kind})" in errors["temperature"][0]
