"""Tools offered to the model: varied schemas, questions for them, calls and results."""

import json
import random
from dataclasses import dataclass
from typing import Any

from demo import noise
from demo.noise import spin
from demo.tables import CITIES, WORDS_EN

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
_ABOUT = {
    "weather": (
        "[Get|Returns|Fetch|Look up|Gives|Tells][ the|][ current|] weather [of|in|for] [a|the given|one] [city|place|location|town][.|]",
        "[Current|Live] weather [by city|of a city|data][.|]",
        "Weather[.|]",
        "Use this tool [to find|when the user asks for] the weather[.|]",
    ),
    "calculator": (
        "Useful for getting the result of a math expression. The input to this tool should be a valid mathematical "
        "expression that could be executed by a simple calculator.",
        "[Evaluates|Computes|Calculate|Evaluate|Compute] [a|an|the] [math|arithmetic|mathematical|simple] expression[.|s.|]",
        "[A|Simple] calculator[.|]",
        "[Performs|Does] arithmetic[.|]",
        "Use this tool for [any|all|every] [calculation|sum|math][.|]",
    ),
}
_HINTS = {
    "weather": (
        "[City|Place|Town|Location][ name|][, e.g. Paris|]",
        "The [city|place|location][ to look up| to get the weather for|]",
        "Name of the city",
    ),
    "calculator": (
        'A valid mathematical expression, e.g. "2 + 2 * 3"',
        "[Math|Arithmetic|The] expression[ to evaluate|, e.g. 2 * (3 + 4)|]",
        "What to compute",
    ),
}
_OTHERS = {
    "search": ("query", "[Search|Searches] the web[ for a query|]."),
    "web_search": ("q", "Look something up on the internet."),
    "set_memory": ("key,value", "Store a value [in memory|under a key|about the user]."),
    "delete_memory": ("key", "Forget a [value|key]."),
    "get_time": ("timezone", "Current time [in a zone|]."),
    "send_email": ("to,subject,body", "Send an e-mail."),
    "translate": ("text,language", "Translate a text."),
    "file_search": ("query", "Search in the attached files."),
    "execute_code": ("lang,code", "Run code in a sandbox and return its output."),
    "create_image": ("prompt", "Draw an image from a prompt."),
    "get_stock_price": ("symbol", "Price of a [stock|share]."),
    "list_files": ("path", "List the files in a folder."),
    "read_file": ("path", "Read a file."),
    "add_event": ("title,date", "Add an event to the calendar."),
    "get_news": ("topic", "Latest news[ on a topic|]."),
}


def make_tool(rng: random.Random, kind: str, short: bool = False) -> Tool:
    """Return a weather or calculator tool whose names, texts, key order and extra keys vary."""
    known = rng.random() < 0.85
    tool_name = rng.choice(_NAMES[kind].split())
    if rng.random() < 0.12:
        tool_name = rng.choice(
            (
                f"{tool_name}_{noise.pseudo_word(rng, 1)}",
                f"{noise.pseudo_word(rng, 1)}_{tool_name}",
                f"{tool_name}_mcp_demo",
            )
        )
    argument = rng.choice(_ARGUMENTS[kind].split()) if known else noise.pseudo_word(rng)
    about = spin(rng, rng.choice(_ABOUT[kind])) + _extra_text(rng, 0 if short else 3)
    properties = {argument: _text_property(rng, spin(rng, rng.choice(_HINTS[kind])))}
    if kind == "weather" and rng.random() < 0.25:
        properties["unit" if rng.random() < 0.6 else "units"] = {
            "type": "string",
            "enum": ["celsius", "fahrenheit"],
        }
    return Tool(kind, tool_name, argument, _schema(rng, tool_name, about, properties, [argument]))


def make_other(rng: random.Random, short: bool = False) -> Tool:
    """Return a tool that is never needed."""
    tool_name = (
        rng.choice(list(_OTHERS))
        if rng.random() < 0.75
        else f"{rng.choice(WORDS_EN)}_{noise.pseudo_word(rng)}"
    )
    arguments, about = _OTHERS.get(tool_name, (f"{rng.choice(WORDS_EN)}", noise.sentence(rng)))
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
    return _shuffled(
        rng, {"type": "string", "description": about} if rng.random() < 0.7 else {"type": "string"}
    )


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


def call(tool: Tool, value: str, number: int) -> Json:
    """Return an OpenAI tool call of the tool with its one argument."""
    arguments = json.dumps({tool.argument: value}, ensure_ascii=False)
    return {
        "id": f"call_{number}",
        "type": "function",
        "function": {"name": tool.name, "arguments": arguments},
    }


def city(rng: random.Random) -> str:
    """Return a city, known or invented."""
    if rng.random() < 0.45:
        return rng.choice(CITIES)
    first = noise.pseudo_word(rng, rng.choice((1, 2, 3))).capitalize()
    return rng.choice(
        (first, first, first, f"{rng.choice(('New', 'Port', 'San', 'Saint', 'North', 'Los'))} {first}")
    )


_WORD_SIGNS = {"plus": "+", "minus": "-", "times": "*", "multiplied by": "*", "divided by": "/"}


def expression(rng: random.Random) -> tuple[str, str]:
    """Return arithmetic as the user writes it and as the tool gets it (words become signs)."""
    a, b, c = (rng.randint(0, 10 ** rng.randint(1, 5)) for _ in range(3))
    roll = rng.random()
    if roll < 0.15:
        word = rng.choice(list(_WORD_SIGNS))
        return f"{a} {word} {b}", f"{a} {_WORD_SIGNS[word]} {b}"
    if roll < 0.2:
        return f"the square root of {a}", f"sqrt({a})"
    one, two = rng.choice("+-**/"), rng.choice("+-*/")
    text = f"{a} {one} {b}"
    if roll > 0.7:
        text = rng.choice(
            (
                f"({text}) {two} {c}",
                f"{text} {two} {c}",
                f"{c} {two} ({text})",
                f"{a} ^ {b % 9}",
                f"sqrt({a})",
                f"{a / 10} {one} {b}",
            )
        )
    return (text.replace(" ", ""),) * 2 if rng.random() < 0.25 else (text, text)


CONDITIONS = "sunny cloudy rain snow clear fog storm windy overcast drizzle hail humid mist".split()


def weather_result(rng: random.Random, place: str) -> tuple[str, str]:
    """Return a tool's answer for the place and the words in which the model quotes it."""
    degrees, sky = rng.randint(-30, 45), rng.choice(CONDITIONS)
    roll = rng.random()
    if roll < 0.45:
        text = rng.choice(
            (
                f"{sky.capitalize()}, {degrees}°C",
                f"{degrees} degrees, {sky}",
                f"{degrees}C",
                f"{sky} and {degrees} degrees",
                f"Weather in {place}: {sky}, {degrees}°C",
                f"It is {sky} in {place}",
                sky,
                f"{sky}, wind {rng.randint(0, 30)} km/h",
                f"Error: {noise.pseudo_word(rng)} not found",
                noise.sentence(rng)[:-1],
            )
        )
        return text + rng.choice(("", "", ".")), text
    facts = {
        "temperature": degrees,
        "humidity": rng.randint(5, 99),
        "temp_c": degrees,
        "condition": sky,
        "wind": rng.randint(0, 30),
        "city": place,
        "unit": "C",
        "description": f"{sky} and {rng.choice(CONDITIONS)}",
        "temp": rng.randint(0, 300) / 10,
        noise.pseudo_word(rng): rng.randint(0, 999),
    }
    keys = rng.sample(list(facts), rng.randint(1, 4))
    return _dump(rng, {key: facts[key] for key in keys}), ", ".join(f"{key} {facts[key]}" for key in keys)


def sum_result(rng: random.Random) -> tuple[str, str]:
    """Return a calculator's answer and the value in it."""
    number = rng.randint(0, 10 ** rng.randint(1, 8))
    value = (
        str(number) if rng.random() < 0.7 else rng.choice((f"-{number}", f"{number / 100}", f"{number}.0"))
    )
    roll = rng.random()
    if roll < 0.25:
        key = rng.choice(("result", "result", "value", "answer", "output", noise.pseudo_word(rng)))
        return _dump(rng, {key: json.loads(value) if rng.random() < 0.8 else value}), value
    return value, value


def _dump(rng: random.Random, value: Json) -> str:
    layout: Json = rng.choice(({}, {}, {}, {"separators": (",", ":")}, {"indent": 2}))
    return json.dumps(value, ensure_ascii=False, **layout)
