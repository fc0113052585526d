"""Generation: outputs in order, one end, a sign of life in between."""

import asyncio

from inference import generation
from inference.engine.messages import Output, Usage
from inference.generation import Generation, merged

END = Output("r", "!", "stop", usage=Usage(1, 1, 0))


async def test_outputs_come_in_order_and_the_terminal_one_ends_them():
    stream = Generation("r")
    for output in (Output("r", "a"), END, Output("r", "late")):
        stream.put(output)
    assert [output.text async for output in stream] == ["a", "!"]


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
    merged_outputs = merged([first, second])
    assert await anext(merged_outputs) == (1, Output("b", "1"))
    second.put(Output("b", finish_reason="stop"))
    first.put(Output("a", "2"))
    first.put(Output("a", finish_reason="stop"))
    rest = [(number, output.text) async for number, output in merged_outputs]
    assert sorted(rest) == [(0, ""), (0, "2"), (1, "")]


async def test_the_first_unfinished_one_gives_the_signs_of_life(monkeypatch):
    monkeypatch.setattr(generation, "FIRST_BEAT", 0.001)
    monkeypatch.setattr(generation, "BEAT", 0.001)
    first, second = Generation("a"), Generation("b")
    merged_outputs = merged([first, second])
    assert await anext(merged_outputs) == (0, None)
    first.put(Output("a", finish_reason="stop"))
    async for number, output in merged_outputs:
        if (number, output) == (1, None):
            second.put(Output("b", finish_reason="stop"))
    assert (number, output.finish_reason) == (1, "stop")
