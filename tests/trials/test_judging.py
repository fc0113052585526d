"""What the trials make of answers; the answers are made up, since no model gives them when asked to."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from inference.trials.asker import Answer
from inference.trials.greeting import greet
from inference.trials.json_answer import answer_in_json, is_of_schema
from inference.trials.letters import share_of
from inference.trials.long_context import conversation, remember_long
from inference.trials.parallel import answer_many
from inference.trials.russian import speak_russian
from inference.trials.speed import measure_speed
from inference.trials.stopping import stop_counting
from inference.trials.tool_call import call_tool


def said(content: str = "", *, calls: Any = (), finish_reason: str = "stop", **other: Any) -> Answer:
    values = {"reasoning": "", "prompt_tokens": 10, "cached_tokens": 0, "completion_tokens": 5, "first_token": 0.5}
    return Answer(
        content=content,
        calls=[{"id": "1", "type": "function", "function": {"name": n, "arguments": a}} for n, a in calls],
        finish_reason=finish_reason,
        **{**values, "seconds": 1.0, **other},
    )


class Parrot:
    """An Asker that gives the same answers whatever it is asked."""

    model = SimpleNamespace(registration=SimpleNamespace(context_length=1000))

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.asked: list[list[dict]] = []

    async def say(self, text: str, **parameters: Any) -> Answer:
        return await self.ask([{"role": "user", "content": text}], **parameters)

    async def ask(self, messages: list[dict], **parameters: Any) -> Answer:
        self.asked.append(messages)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    async def count_tokens(self, messages: list[dict]) -> int:
        return 7 * len(messages)


CASES: list[tuple[Callable, Answer, bool, str]] = [
    (greet, said("Hello!"), True, "Hello!"),
    (greet, said("Привет!"), False, "not answered in English: “Привет!”"),
    (greet, said("Hello " * 9, finish_reason="length"), False, "no end after 1024 tokens"),
    (greet, said(""), False, "not answered in English: “”"),
    (stop_counting, said("1, 2, 3, 4, "), True, "stopped before “5”"),
    (stop_counting, said("1, 2, 3, 4, 5, 6"), False, "went on beyond “5”"),
    (stop_counting, said("I cannot count."), False, "did not count up to “5”"),
    (answer_in_json, said('{"city": "Paris", "is_capital": true}'), True, "Paris"),
    (answer_in_json, said("Paris"), False, "not of the schema: “Paris”"),
    (answer_in_json, said('{"city": "', finish_reason="length"), False, "no end after 256 tokens"),
    (speak_russian, said("Я модель llm."), True, "Я модель"),
    (speak_russian, said("I do not speak Russian."), False, "0 % of the letters are Cyrillic"),
    (call_tool, said("It is sunny."), False, "no tool was called: “It is sunny.”"),
    (call_tool, said(calls=[("get_weather", '{"city": "Rome"}')]), False, "expected one call of get_weather for Paris"),
    (call_tool, said(calls=[("get_weather", "{")]), False, "expected one call"),
    (call_tool, said(calls=[("get_weather", '{"city": "Paris"}')]), False, "did not answer with its result"),
    (measure_speed, said("x", completion_tokens=64), True, "126.0 tokens/s, the first one after 500 ms"),
    (measure_speed, said("x", completion_tokens=3), False, "wrote 3 of 64 tokens"),
    (measure_speed, said("", completion_tokens=0, first_token=None), False, "wrote 0 of 64 tokens"),
    (answer_many, said("1, 2"), True, "8 of 8 answered, 40 tokens"),
    (answer_many, said(" "), False, "0 of 8 answered"),
    (remember_long, said("Your name is Ada.", prompt_tokens=798), True, "798 of 1000 tokens: “Your name is Ada.”"),
    (remember_long, said("I do not know."), False, "forgot the name said first: “I do not know.”"),
]


@pytest.mark.parametrize(("trial", "answer", "passed", "text"), CASES)
async def test_answers_are_judged_by_what_they_are(trial, answer, passed, text):
    outcome = await trial(Parrot(answer))
    assert outcome.passed is passed
    assert text in outcome.message % outcome.params


async def test_a_called_tool_is_answered_with_its_result():
    parrot = Parrot(said(calls=[("get_weather", '{"city": "Paris, France"}')]), said("17 degrees and cloudy."))
    outcome = await call_tool(parrot)
    assert (outcome.passed, outcome.capabilities) == (True, {"tools": True})
    assert [message["role"] for message in parrot.asked[1]] == ["user", "assistant", "tool"]


async def test_the_long_conversation_takes_four_fifths_of_the_context():
    parrot = Parrot(said("Ada"))
    await remember_long(parrot)
    tokens = await parrot.count_tokens(parrot.asked[0])
    assert 780 <= tokens <= 800


def test_thinking_is_a_capability_of_its_own():
    assert conversation(2)[-1]["content"] == "What is my name?"
    assert len(conversation(2)) == 7


@pytest.mark.parametrize("text", ["[]", "{}", '{"city": 1, "is_capital": true}', '{"city": "P", "is_capital": "yes"}'])
def test_other_json_is_not_of_the_schema(text):
    assert not is_of_schema(text)


def test_letters_are_told_apart():
    assert share_of("CYRILLIC", "да, yes!") == pytest.approx(0.4)
    assert share_of("LATIN", "1 + 1 = 2") == 0
