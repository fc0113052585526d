"""HarmonyReader: gpt-oss's channels become thinking, content and calls, however the text is cut."""

import pytest

from inference.chat.events import Content, Reasoning, ToolCallBegin
from inference.chat.formats import HARMONY
from inference.chat.harmony import HarmonyReader

TOOLS = {"get_weather": {}}
THOUGHT = "<|channel|>analysis<|message|>Hm < 3.<|end|>"
FINAL = "<|start|>assistant<|channel|>final<|message|>It is 5 <b>o'clock</b>."
ROME = '{"city": "Rome"}'

CASES = {
    "final only": ("<|channel|>final<|message|>Hi!", "", "Hi!", []),
    "thinking first": (THOUGHT + FINAL, "Hm < 3.", "It is 5 <b>o'clock</b>.", []),
    "call, recipient in the channel": (
        THOUGHT + "<|start|>assistant" + HARMONY.write([("get_weather", {"city": "Rome"})]),
        "Hm < 3.",
        "",
        [("get_weather", ROME)],
    ),
    "call, recipient before the channel": (
        f"{THOUGHT}<|start|>assistant to=functions.get_weather<|channel|>commentary json<|message|>{ROME}",
        "Hm < 3.",
        "",
        [("get_weather", ROME)],
    ),
    "call at once": (
        f" to=functions.get_weather<|channel|>commentary json<|message|>{ROME}<|call|>",
        "",
        "",
        [("get_weather", ROME)],
    ),
    "preamble for the user": (
        "<|channel|>commentary<|message|>I'll look.<|end|><|start|>assistant"
        f"<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{ROME}",
        "",
        "I'll look.",
        [("get_weather", ROME)],
    ),
    "thinking twice": (
        THOUGHT + "<|start|>assistant" + THOUGHT + FINAL,
        "Hm < 3.Hm < 3.",
        "It is 5 <b>o'clock</b>.",
        [],
    ),
    "no header": ("Just text, no header.", "", "Just text, no header.", []),
    "function that is not offered": (
        "<|channel|>commentary to=functions.rm <|constrain|>json<|message|>{}",
        "",
        "{}",
        [],
    ),
    "cut in the thinking": (THOUGHT[:37], "Hm < 3.", "", []),
    "cut in a header": (THOUGHT + "<|start|>assistant<|chan", "Hm < 3.", "", []),
    "empty": ("", "", "", []),
}


def message(pieces: list[str], prompt: str = "<|start|>assistant") -> tuple[str, str, list[tuple[str, str]]]:
    reader = HarmonyReader(TOOLS, prompt)
    events = [event for piece in pieces for event in reader.feed(piece)] + reader.finish()
    thoughts = "".join(event.text for event in events if isinstance(event, Reasoning))
    content = "".join(event.text for event in events if isinstance(event, Content))
    calls: list[list[str]] = []
    for event in events:
        if isinstance(event, ToolCallBegin):
            calls.append([event.name, ""])
        elif not isinstance(event, (Reasoning, Content)):
            calls[event.index][1] += event.fragment
    assert reader.num_calls == len(calls)
    return thoughts, content, [(name, arguments) for name, arguments in calls]


@pytest.mark.parametrize("name", CASES)
def test_the_message_does_not_depend_on_the_pieces(name):
    text, *expected = CASES[name]
    assert message([text]) == tuple(expected)
    assert message(list(text)) == tuple(expected)
    for size in range(2, 12):
        assert message([text[start : start + size] for start in range(0, len(text), size)]) == tuple(expected)


@pytest.mark.parametrize("name", CASES)
def test_truncated_anywhere_it_does_not_depend_on_them_either(name):
    text = CASES[name][0]
    for length in range(len(text)):
        assert message(list(text[:length])) == message([text[:length]])


def test_a_prompt_may_open_the_message():
    assert message(["Yes."], "…<|start|>assistant<|channel|>final<|message|>") == ("", "Yes.", [])
    assert message(["Hm.<|end|>"], "…<|start|>assistant<|channel|>analysis<|message|>") == ("Hm.", "", [])
