"""Tools offered to the model: schemas whose names, texts, key order and extra keys vary."""

import random
from dataclasses import dataclass
from typing import Any

from demo import noise
from demo.content import group, sections
from demo.noise import spin
from demo.tables import WORDS_EN

Json = dict[str, Any]


@dataclass(frozen=True)
class Tool:
    """One offered tool: its kind ("weather", "calculator", "other"), name, argument name and schema."""

    kind: str
    name: str
    argument: str
    schema: Json


_NAMES = {
    "weather": "get_weather get_weather get_weather get_weather get_current_weather weather fetch_weather",
    "calculator": "calculator calculator calculator calculator calculate calc math_tool",
}
_ARGUMENTS = {
    "weather": "city city city location location place town city_name query",
    "calculator": "expression expression expression input input input expr formula query",
}
_ABOUT, _HINTS = group("phrases.txt", "ABOUT"), group("phrases.txt", "HINT")
_OTHERS = [line.split(": ") for line in sections("phrases.txt")["OTHER_TOOLS"]]


def make_tool(rng: random.Random, kind: str, short: bool = False) -> Tool:
    """Return a weather or calculator tool whose names, texts, key order and extra keys vary."""
    known = rng.random() < 0.85
    tool_name = _tool_name(rng, kind)
    argument = rng.choice(_ARGUMENTS[kind].split()) if known else noise.pseudo_word(rng)
    about = spin(rng, rng.choice(_ABOUT[kind])) + _extra_text(rng, 0 if short else 3)
    properties = {argument: _text_property(rng, spin(rng, rng.choice(_HINTS[kind])))}
    if kind == "weather" and rng.random() < 0.25:
        unit = {"type": "string", "enum": ["celsius", "fahrenheit"]}
        properties[rng.choice(("unit", "unit", "units"))] = unit
    return Tool(kind, tool_name, argument, _schema(rng, tool_name, about, properties, [argument]))


def _tool_name(rng: random.Random, kind: str) -> str:
    """Return a usual name of such a tool, now and then with an invented part."""
    usual = rng.choice(_NAMES[kind].split())
    if rng.random() < 0.88:
        return usual
    odd = noise.pseudo_word(rng, 1)
    return rng.choice((f"{usual}_{odd}", f"{odd}_{usual}", f"{usual}_mcp_demo"))


def make_other(rng: random.Random, short: bool = False) -> Tool:
    """Return a tool that is never needed."""
    tool_name, arguments, about = rng.choice(_OTHERS)
    if rng.random() < 0.25:
        tool_name = f"{rng.choice(WORDS_EN)}_{noise.pseudo_word(rng)}"
        arguments, about = rng.choice(WORDS_EN), noise.sentence(rng)
    about = spin(rng, about) + _extra_text(rng, 0 if short else 3)
    properties = {key: _text_property(rng, noise.sentence(rng)) for key in arguments.split(",")}
    return Tool("other", tool_name, "", _schema(rng, tool_name, about, properties, list(properties)))


def offer(rng: random.Random, kinds: list[str], others: int, short: bool = False) -> list[Tool]:
    """Return tools of the given kinds and some unneeded ones, in any order, no name twice."""
    tools = [make_tool(rng, kind, short) for kind in kinds] + [make_other(rng, short) for _ in range(others)]
    tools = list({tool.name: tool for tool in reversed(tools)}.values())
    rng.shuffle(tools)
    return tools


def _extra_text(rng: random.Random, most: int) -> str:
    count = rng.randint(1, most) if most and rng.random() < 0.3 else 0
    return "".join(" " + noise.sentence(rng) for _ in range(count))


def _text_property(rng: random.Random, about: str) -> Json:
    return _shuffled(rng, {"type": "string", "description": about} if rng.random() < 0.7 else {"type": "string"})


def _shuffled(rng: random.Random, mapping: Json) -> Json:
    """Return the mapping in its own key order (mostly) or in any other."""
    keys = list(mapping)
    if rng.random() < 0.3:
        rng.shuffle(keys)
    return {key: mapping[key] for key in keys}


def _schema(rng: random.Random, tool_name: str, about: str, properties: Json, required: list[str]) -> Json:
    parameters: Json = {"type": "object", "properties": properties, "required": required}
    if rng.random() < 0.3:
        parameters["additionalProperties"] = False
    if rng.random() < 0.1:
        parameters["$schema"] = "http://json-schema.org/draft-07/schema#"
    function: Json = {"name": tool_name, "description": about, "parameters": _shuffled(rng, parameters)}
    if rng.random() < 0.1:
        del function["description"]
    if rng.random() < 0.15:
        function["strict"] = rng.random() < 0.5
    return _shuffled(rng, {"type": "function", "function": _shuffled(rng, function)})
