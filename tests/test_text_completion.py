"""TextCompletion: what several generations come to, and which candidates are the best."""

import asyncio

import pytest

from inference.engine.messages import Failure, FailureCode, Output, TokenLogprob, Usage
from inference.exceptions import APIError
from inference.generation import Generation
from inference.text.completion import Candidate, Part, TextCompletion, chosen


def candidate(text: str, *logprobs: float) -> Candidate:
    return Candidate(text, "stop", [], [TokenLogprob(b"x", logprob) for logprob in logprobs])


def end(number: int, usage: Usage, text: str = "") -> Output:
    return Output(str(number), text, "stop", usage=usage, num_tokens=1)


async def parts(completion: TextCompletion) -> list[Part]:
    return [part async for part in completion]


def test_the_best_have_the_highest_mean():
    long, short, empty = candidate("long", -1, -1, -1), candidate("short", -2), candidate("empty")
    assert chosen([empty, short, long], 3, 2) == [long, short]
    assert chosen([empty, short, long], 3, 3) == [empty, short, long]


def test_the_best_are_chosen_for_each_prompt():
    candidates = [candidate("a", -2), candidate("b", -1), candidate("c", -3), candidate("d", -4)]
    assert [each.text for each in chosen(candidates, 2, 1)] == ["b", "c"]


def test_a_candidate_collects_what_it_is_given():
    collected = Candidate()
    token = TokenLogprob(b"x", -1.0)
    collected.add(Output("r", "ab", prompt_logprobs=(token,)))
    collected.add(Output("r", "c", "length", logprobs=(token, token)))
    assert collected == Candidate("abc", "length", [token], [token, token])


async def test_the_last_part_has_the_usage_of_all():
    generations = [Generation(str(number)) for number in range(4)]
    completion = TextCompletion(generations, 2, "demo")
    for number, usage in enumerate([Usage(5, 1, 2), Usage(5, 2, 4), Usage(7, 3, 0), Usage(7, 4, 6)]):
        generations[number].put(Output(str(number), "a"))
        generations[number].put(end(number, usage))
    seen = await parts(completion)
    assert [part.usage for part in seen[:-1]] == [None] * 3
    assert seen[-1].usage == Usage(12, 10, 2)
    assert sorted(part.number for part in seen) == [0, 1, 2, 3]


async def test_one_failure_is_the_failure_of_all():
    generations = [Generation("a"), Generation("b")]
    generations[1].put(Output("b", failure=Failure(FailureCode.WORKER_DIED, "it died")))
    with pytest.raises(APIError, match="It died"):
        await parts(TextCompletion(generations, 1, "demo"))


async def test_an_empty_completion_drops_what_was_drawn():
    generation = Generation("a")
    scored = (TokenLogprob(b"p", None),)
    output = Output("a", "x", "stop", usage=Usage(5, 1, 0), logprobs=(scored[0],), prompt_logprobs=scored)
    generation.put(output)
    [part] = await parts(TextCompletion([generation], 1, "demo", is_empty=True))
    assert (part.output.text, part.output.logprobs, part.output.finish_reason) == ("", (), "length")
    assert part.output.prompt_logprobs == scored
    assert part.usage == Usage(5, 0, 0)


async def test_closing_closes_all():
    closed = []
    generations = [Generation(name) for name in "ab"]
    for generation in generations:
        generation.on_close(lambda name=generation.request_id: closed.append(name))
    TextCompletion(generations, 1, "demo").close()
    await asyncio.sleep(0)
    assert closed == ["a", "b"]
