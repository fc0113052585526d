"""`logprobs` and `top_logprobs` of chat completions."""

import math

import pytest

from tests.test_chat_completions import WEATHER, user


def ask(openai_client, text: str, **options: object):
    options = {"temperature": 0, "logprobs": True, **options}
    return openai_client.chat.completions.create(model="demo", messages=[user(text)], **options)


def test_every_token_of_the_answer_has_one(openai_client):
    choice = ask(openai_client, "What is the capital of France?").choices[0]
    tokens = choice.logprobs.content
    assert "".join(token.token for token in tokens) == choice.message.content
    assert b"".join(bytes(token.bytes) for token in tokens).decode() == choice.message.content
    assert all(token.logprob <= 0 and token.top_logprobs == [] for token in tokens)


def test_alternatives_come_in_order_and_greedy_takes_the_first(openai_client):
    for token in ask(openai_client, "Count to 5.", top_logprobs=3).choices[0].logprobs.content:
        values = [other.logprob for other in token.top_logprobs]
        assert values == sorted(values, reverse=True)
        assert len(values) == 3
        assert token.top_logprobs[0].bytes == token.bytes
        assert math.fsum(map(math.exp, values)) <= 1.000001


def test_they_are_the_models_own_before_any_sampler(openai_client):
    plain = ask(openai_client, "Count to 5.").choices[0].logprobs.content
    biased = ask(openai_client, "Count to 5.", extra_body={"repeat_penalty": 1.01}).choices[0].logprobs.content
    assert [token.logprob for token in plain] == pytest.approx([token.logprob for token in biased], abs=1e-3)


def test_a_stream_gives_the_same(openai_client):
    whole = ask(openai_client, "Привет!", top_logprobs=2).choices[0].logprobs.content
    choices = [chunk.choices[0] for chunk in ask(openai_client, "Привет!", top_logprobs=2, stream=True)]
    for choice in choices:
        text = b"".join(bytes(token.bytes) for token in choice.logprobs.content) if choice.logprobs else b""
        assert text.decode() == (choice.delta.content or ""), "each chunk has those of its own text"
    streamed = [token for choice in choices if choice.logprobs for token in choice.logprobs.content]
    assert [token.bytes for token in streamed] == [token.bytes for token in whole]
    assert [len(token.top_logprobs) for token in streamed] == [2] * len(whole)


def test_a_tool_call_has_them_too(openai_client):
    for stream in (False, True):
        answer = ask(openai_client, "What is the weather in Rome?", tools=[WEATHER], stream=stream)
        parts = [chunk.choices[0].logprobs for chunk in answer] if stream else [answer.choices[0].logprobs]
        assert "Rome" in "".join(token.token for part in parts if part for token in part.content)


def test_without_asking_there_are_none(openai_client):
    assert ask(openai_client, "Hello!", logprobs=False).choices[0].logprobs is None
