"""Generation: outputs in order, one end, a sign of life in between."""

import asyncio

import pytest

from inference import generation
from inference.engine.messages import Failure, FailureCode, Output, TokenLogprob, Usage
from inference.generation import Generation, Outputs

END = Output("r", "!", "stop", usage=Usage(1, 1, 0))


async def test_outputs_come_in_order_and_the_terminal_one_ends_them():
    stream = Generation("r")
    stream.put(Output("r", "a"))
    assert await anext(stream) == Output("r", "a")
    for output in (END, Output("r", "late")):
        stream.put(output)
    assert [output async for output in stream] == [END]


async def test_what_was_not_read_becomes_one_output():
    tokens = [TokenLogprob(letter.encode(), -1.0) for letter in "pabc"]
    stream = Generation("r")
    stream.put(Output("r", "a", num_tokens=1, logprobs=(tokens[1],), prompt_logprobs=(tokens[0],)))
    stream.put(Output("r", "", num_tokens=1, logprobs=(tokens[2],)))
    stream.put(Output("r", "bc", "length", usage=Usage(1, 3, 0), num_tokens=1, logprobs=(tokens[3],)))
    whole = Output("r", "abc", "length", None, Usage(1, 3, 0), 3, tuple(tokens[1:]), (tokens[0],))
    assert [output async for output in stream] == [whole]


@pytest.mark.parametrize("end", [{"failure": Failure(FailureCode.WORKER_DIED, "it died")}, {"value": b"text"}])
async def test_what_is_not_generated_stays_apart(end):
    stream = Generation("r")
    for output in (Output("r", "a"), Output("r", "b"), Output("r", **end)):
        stream.put(output)
    assert [output async for output in stream] == [Output("r", "ab"), Output("r", **end)]


async def test_a_slow_reader_of_several_finds_few_outputs():
    first, second = Generation("a"), Generation("b")
    outputs = Outputs([first, second])
    for stream in (first, second):
        stream.put(Output("", "."))
    assert (await anext(outputs))[1].text == "."
    for _ in range(50):
        for stream in (first, second):
            stream.put(Output("", "."))
        await asyncio.sleep(0)
    for stream in (first, second):
        stream.put(Output("", "!", "stop"))
    rest = [(number, output.text) async for number, output in outputs]
    assert len(rest) < 10
    assert "".join(text for _, text in rest).count(".") == 101
    assert [text[-1] for _, text in rest[-2:]] == ["!", "!"]


async def test_a_sign_of_life_that_was_not_read_comes_first(monkeypatch):
    monkeypatch.setattr(generation, "FIRST_BEAT", 0.001)
    stream, later = Generation("r"), Generation("later")
    assert await anext(later) is None
    for output in (Output("r", "a"), END):
        stream.put(output)
    assert [output and output.text async for output in stream] == [None, "a!"]


async def test_close_calls_back_once():
    calls = []
    stream = Generation("r")
    stream.on_close(lambda: calls.append(1))
    for _ in range(3):
        stream.close()
    await asyncio.sleep(0)
    assert calls == [1]


async def test_close_after_the_end_aborts_nothing():
    stream = Generation("r")
    stream.on_close(lambda: 1 / 0)
    stream.put(END)
    stream.close()
    await asyncio.sleep(0)


async def test_close_may_come_from_another_thread():
    calls = []
    stream = Generation("r")
    stream.on_close(lambda: calls.append(1))
    await asyncio.to_thread(stream.close)
    await asyncio.sleep(0)
    assert calls == [1]


@pytest.mark.parametrize("num_generations", [1, 2])
async def test_who_reads_what_was_closed_finds_the_end(num_generations):
    streams = [Generation(str(number)) for number in range(num_generations)]
    for outputs in (Outputs(streams), streams[0]):
        reading = asyncio.ensure_future(anext(outputs, "the end"))
        await asyncio.sleep(0)
        for stream in streams:
            stream.close()
        assert await asyncio.wait_for(reading, 5) == "the end"


async def test_silence_yields_signs_of_life(monkeypatch):
    monkeypatch.setattr(generation, "FIRST_BEAT", 0.001)
    monkeypatch.setattr(generation, "BEAT", 0.001)
    stream = Generation("r")
    assert await anext(stream) is None
    assert await anext(stream) is None
    stream.put(END)
    assert [output async for output in stream][-1] is END


async def test_several_are_merged_as_their_outputs_come():
    first, second = Generation("a"), Generation("b")
    second.put(Output("b", "1"))
    merged_outputs = Outputs([first, second])
    assert await anext(merged_outputs) == (1, Output("b", "1"))
    second.put(Output("b", finish_reason="stop"))
    first.put(Output("a", "2"))
    first.put(Output("a", finish_reason="stop"))
    rest = [(number, output.text) async for number, output in merged_outputs]
    assert sorted(rest) == [(0, "2"), (1, "")]


async def test_the_first_unfinished_one_gives_the_signs_of_life(monkeypatch):
    monkeypatch.setattr(generation, "FIRST_BEAT", 0.001)
    monkeypatch.setattr(generation, "BEAT", 0.001)
    first, second = Generation("a"), Generation("b")
    merged_outputs = Outputs([first, second])
    assert await anext(merged_outputs) == (0, None)
    first.put(Output("a", finish_reason="stop"))
    async for number, output in merged_outputs:
        if (number, output) == (1, None):
            second.put(Output("b", finish_reason="stop"))
    assert (number, output.finish_reason) == (1, "stop")
