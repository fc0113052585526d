"""What the API makes of templates that open the thinking, know no tools, or continue an answer."""

import json

import pytest

from tests.test_chat_completions import CALCULATOR, THINKER, WEATHER, user

NO_TOOLS = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
FRANCE = user("What is the capital of France?")


def ask(openai_client, model: str, *messages: dict, **options: object):
    options = {"temperature": 0, "max_tokens": 60, **options}
    return openai_client.chat.completions.create(model=model, messages=list(messages), **options)


def test_a_budget_ends_the_thinking_and_the_answer_follows(openai_client, register):
    model = register("thinker", chat_template=THINKER)
    options = {"extra_body": {"reasoning_budget": 3, "ignore_eos": True}, "max_tokens": 40}
    answer = ask(openai_client, model, FRANCE, **options)
    assert answer.choices[0].message.reasoning_content
    assert answer.choices[0].message.content
    assert 3 <= answer.usage.completion_tokens_details.reasoning_tokens < 20
    stream = ask(openai_client, model, FRANCE, **options, stream=True)
    deltas = [chunk.choices[0].delta for chunk in stream]
    assert "".join(delta.content or "" for delta in deltas) == answer.choices[0].message.content


def test_without_a_budget_of_thinking_there_is_none(openai_client, register):
    model = register("thinker", chat_template=THINKER)
    options = {"reasoning_effort": "none", "extra_body": {"ignore_eos": True}}
    message = ask(openai_client, model, FRANCE, **options).choices[0].message
    assert message.content
    assert not hasattr(message, "reasoning_content")


def test_a_format_holds_after_the_thinking(openai_client, register):
    model = register("thinker", chat_template=THINKER)
    schema = {"type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]}}, "required": ["city"]}
    answer_format = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    message = (
        ask(openai_client, model, FRANCE, response_format=answer_format, extra_body={"reasoning_budget": 4})
        .choices[0]
        .message
    )
    assert message.reasoning_content
    assert json.loads(message.content)["city"] in ("Paris", "Rome")


@pytest.mark.parametrize("choice", ["auto", "required"])
def test_a_template_without_tools_is_told_of_them(openai_client, register, choice):
    model = register("toolless", chat_template=NO_TOOLS)
    call = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}
    past = [user("Weather in Oslo?"), {"role": "assistant", "content": None, "tool_calls": [call]}]
    past.append({"role": "tool", "tool_call_id": "c1", "content": "snow"})
    options = {"tools": [WEATHER, CALCULATOR], "tool_choice": choice}
    answer = ask(openai_client, model, *past, user("What is the weather in Rome?"), **options)
    prompt = openai_client.post(
        "/chat/completions/input_tokens",
        body={"model": model, "messages": [user("Hello!")], "tools": [WEATHER, CALCULATOR]},
        cast_to=object,
    )
    assert prompt["input_tokens"] > 150, "the tools are in the prompt"
    if choice == "required":
        assert answer.choices[0].message.tool_calls[0].function.name in ("get_weather", "calculator")


def test_an_answer_that_was_begun_is_continued(openai_client):
    begun = {"role": "assistant", "content": "The capital of France is"}
    assert "Paris" in ask(openai_client, "demo", FRANCE, begun, max_tokens=8).choices[0].message.content
    count = {"role": "assistant", "content": "1, 2, 3,"}
    message = ask(openai_client, "demo", user("Count to 6."), count).choices[0].message
    assert message.content.strip().startswith("4, 5, 6")


def test_unless_a_new_message_is_asked_for(openai_client):
    count = {"role": "assistant", "content": "1, 2, 3,"}
    options = {"extra_body": {"continue_final_message": False}}
    message = ask(openai_client, "demo", user("Count to 6."), count, **options).choices[0].message
    assert not message.content.strip().startswith("4")
