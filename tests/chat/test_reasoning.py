"""ReasoningSplitter and its place in a completion: the same split however the text is cut."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from inference.bodies.chat import ChoiceBuilder, delta
from inference.chat.answer import new_reader
from inference.chat.completion import ChatCompletion, Finished, TotalUsage
from inference.chat.events import Content, Reasoning, ToolCallBegin
from inference.chat.reasoning import ReasoningSplitter
from inference.engine.messages import Output, Usage
from inference.generation import Generation

OPENED = "<|im_start|>assistant\n<think>\n"

CASES = {
    "no reasoning": ("", "Hello!", ("", "Hello!")),
    "tagged": ("", "<think>\nHm, easy.\n</think>\n\nParis.", ("Hm, easy.", "Paris.")),
    "white space first": ("", "\n <think>Hm.</think>Paris.", ("Hm.", "Paris.")),
    "opened by the template": (OPENED, "Hm, easy.\n</think>\n\nParis.", ("Hm, easy.", "Paris.")),
    "closed by the template": (OPENED + "\n</think>\n\n", "Paris.", ("", "Paris.")),
    "empty reasoning": ("", "<think>\n\n</think>\n\nParis.", ("", "Paris.")),
    "Mistral's tags": ("", "[THINK]Hm.[/THINK]Paris.", ("Hm.", "Paris.")),
    "another family's end tag": ("", "[THINK]a </think> b[/THINK]c", ("a </think> b", "c")),
    "never closed": ("", "<think>\nHm, and then", ("Hm, and then", "")),
    "cut in the end tag": ("", "<think>Hm.</thi", ("Hm.</thi", "")),
    "cut in the begin tag": ("", "<thi", ("", "<thi")),
    "tags inside the answer": ("", "Use <think>x</think> tags.", ("", "Use <think>x</think> tags.")),
    "a second block": ("", "<think>a</think>b<think>c</think>", ("a", "b<think>c</think>")),
    "looks like a tag": ("", "<thing> is", ("", "<thing> is")),
    "paragraphs": ("", "<think>one\n\ntwo</think>\n\nthree\n\nfour\n", ("one\n\ntwo", "three\n\nfour\n")),
    "nothing": ("", "", ("", "")),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_the_cut_does_not_matter(name, size):
    prompt, text, expected = CASES[name]
    splitter = ReasoningSplitter(prompt)
    parts = [splitter.feed(text[start : start + size]) for start in range(0, len(text), size)]
    parts.append(splitter.finish())
    assert tuple(map("".join, zip(*parts, strict=True))) == expected


def test_reasoning_is_streamed_as_it_comes():
    splitter = ReasoningSplitter(OPENED)
    assert splitter.feed("I am ") == ("I am", "")
    assert splitter.feed("thinking") == (" thinking", "")
    assert splitter.is_reasoning


def test_an_answer_without_reasoning_is_not_held_back():
    assert ReasoningSplitter().feed("H") == ("", "H")


async def completed(pieces: list[str], tools: dict[str, dict] | None = None, is_slow: bool = False) -> list:
    """Return the events of an answer that comes piece by piece; a slow reader finds all of it at once."""
    generation = Generation("r")
    completion = aiter(ChatCompletion([generation], [new_reader("", tools or {}, None)]))
    reading = asyncio.create_task(_collected(completion))
    for piece in pieces:
        generation.put(Output("r", piece, num_tokens=1))
        for _ in range(0 if is_slow else 10):
            await asyncio.sleep(0)
    generation.put(Output("r", "", "stop", usage=Usage(1, len(pieces) + 1, 0), num_tokens=1))
    return await reading


async def _collected(completion: AsyncIterator) -> list:
    return [event async for _, event in completion]


async def test_thinking_and_answer_in_one_output_are_counted_by_their_length():
    thought, answer = ["Hm, "] * 30, ["Paris"] * 10
    events = await completed(["<think>", *thought, "</think>", *answer], is_slow=True)
    assert [event for event in events if isinstance(event, Content)] == [Content("Paris" * 10)]
    assert 26 <= events[-1].total.reasoning_tokens <= 32


async def test_reasoning_tokens_are_counted_apart():
    events = await completed(["<think>", "Hm", "</think>", "Par", "is"])
    assert events[:-1] == [Reasoning("Hm"), Content("Par"), Content("is")]
    assert events[-1] == Finished("stop", TotalUsage(Usage(1, 6, 0), reasoning_tokens=3))


async def test_a_tool_may_be_called_after_reasoning():
    call = '<tool_call>{"name": "f", "arguments": {}}</tool_call>'
    events = await completed(["<think>I need f, perhaps <tool_call>.</think>\n\n", call], {"f": {}})
    assert events[0] == Reasoning("I need f, perhaps <tool_call>.")
    assert isinstance(events[1], ToolCallBegin)
    assert events[-1].finish_reason == "tool_calls"


async def test_an_answer_that_ends_while_thinking_has_no_content():
    events = await completed(["<think>", "Hm"])
    assert events[:-1] == [Reasoning("Hm")]


def test_reasoning_has_a_field_of_its_own():
    assert delta(Reasoning("Hm")) == {"reasoning_content": "Hm"}
    builder = ChoiceBuilder()
    for event in (Reasoning("Hm"), Reasoning("."), Content("Paris")):
        builder.add(event)
    message = builder.build()["message"]
    assert (message["reasoning_content"], message["content"]) == ("Hm.", "Paris")
