"""`n`: several answers to one prompt."""

import httpx

from tests.live_server import wait_until
from tests.test_chat_completions import WEATHER, user

STORY = user("Tell me something about animals. " * 10)


def ask(openai_client, **options: object):
    wide = {"top_k": 3, "min_p": 0, "samplers": ["temperature", "top_k"]}
    options = {"messages": [STORY], "temperature": 2, "max_tokens": 12, "extra_body": wide, **options}
    return openai_client.chat.completions.create(model="demo", **options)


def test_the_choices_differ_and_the_prompt_counts_once(openai_client):
    single = ask(openai_client, seed=1)
    several = ask(openai_client, n=3, seed=1)
    assert [choice.index for choice in several.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in several.choices}) > 1
    assert several.choices[0].message.content == single.choices[0].message.content
    assert several.usage.prompt_tokens == single.usage.prompt_tokens
    assert several.usage.completion_tokens > single.usage.completion_tokens


def test_a_choice_is_what_its_seed_gives_alone(openai_client):
    together = [choice.message.content for choice in ask(openai_client, n=3, seed=7).choices]
    alone = [ask(openai_client, seed=seed).choices[0].message.content for seed in (7, 8, 9)]
    assert together == alone


def test_more_choices_than_slots_all_come(openai_client):
    assert len(ask(openai_client, n=9, max_tokens=2).choices) == 9


def test_choices_are_streamed_side_by_side(openai_client):
    chunks = list(ask(openai_client, n=3, seed=1, stream=True))
    texts = {0: "", 1: "", 2: ""}
    for chunk in chunks:
        texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert list(texts.values()) == [choice.message.content for choice in ask(openai_client, n=3, seed=1).choices]
    firsts = [chunk.choices[0] for chunk in chunks[:3]]
    assert [(choice.index, choice.delta.role) for choice in firsts] == [(n, "assistant") for n in range(3)]
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert sum(chunk.choices[0].finish_reason is not None for chunk in chunks) == 3


def test_each_choice_has_its_own_calls_and_log_probabilities(openai_client):
    question = [user("What is the weather in Rome?")]
    answer = ask(
        openai_client, n=2, messages=question, tools=[WEATHER], tool_choice="required", logprobs=True, max_tokens=60
    )
    ids = [call.id for choice in answer.choices for call in choice.message.tool_calls or ()]
    assert len(set(ids)) == len(ids) >= 2
    assert all(choice.logprobs.content for choice in answer.choices)


def test_a_closed_connection_ends_all_of_them(server, openai_client):
    body = {"model": "demo", "messages": [STORY], "n": 3, "stream": True, "ignore_eos": True}
    with httpx.stream("POST", f"{server.base_url}/chat/completions", json=body, timeout=60) as response:
        lines = response.iter_lines()
        next(lines)
        server.wait_for("running == 3")
    wait_until(lambda: server.health()["running"] == 0)


def test_a_seed_gives_the_same_text_while_others_are_answered(openai_client):
    wide = {"top_k": 0, "min_p": 0}
    alone = ask(openai_client, seed=5, temperature=1.3, extra_body=wide).choices[0].message.content
    busy = ask(openai_client, seed=5, n=4, temperature=1.3, extra_body=wide).choices[0].message.content
    assert busy == alone
