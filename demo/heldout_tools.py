"""Held-out cases about tools: calls, answers from results, and tools that are not needed."""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

from demo.cases import (
    CALCULATOR,
    DEMO,
    HELLO,
    HELLO_RU,
    KNOWS,
    OTHERS,
    WEATHER,
    WEATHER_AT,
    Case,
    Check,
    Message,
    Schema,
    calls,
    has,
    one,
    said,
    same,
    tool,
    user,
)
from demo.content import sections

WEATHER_ASKED = {
    "What is the weather in Paris?": "Paris",
    "How's the weather in Ljubljana today?": "Ljubljana",
    "I'd like the weather for Kuala Lumpur": "Kuala Lumpur",
    "Could you tell me the weather in Wroxham right now?": "Wroxham",
}
COMPUTED = {
    "Use the calculator tool to compute 1123 * 21, then tell me the result.": "1123 * 21",
    "What is 48 + 957?": "48 + 957",
    "Please calculate (17 + 4) * 93": "(17 + 4) * 93",
    "Compute 8/3 with the calculator": "8/3",
    "How much is 4571 - 88?": "4571 - 88",
}
RESULTS = {
    "1123 * 21": ("23583", "23583"),
    "7 / 2": ("3.5", "3.5"),
    "99 * 99": ('{"result": 9801}', "9801"),
    "12 - 40": ("-28", "-28"),
    "2 ** 40": ("1099511627776", "1099511627776"),
}
PLAIN: tuple[tuple[str, Check], ...] = (
    ("Hello!", HELLO),
    ("What is the capital of Spain?", has("Madrid")),
    ("Tell me a joke", KNOWS),
    ("Repeat: kiwi melon", same("kiwi melon")),
    ("Привет!", HELLO_RU),
    ("Who are you?", DEMO),
    ("Count to 6", same("1, 2, 3, 4, 5, 6")),
    ("Say ok.", same("ok")),
)


def weather_calls() -> Iterator[Case]:
    """Ask for the weather, with other argument names and other tools beside."""
    zone = tool("get_weather", "zone", "Weather.", strict=True)
    for (offered, key), (text, city) in product(
        ((WEATHER, "city"), (WEATHER_AT, "location"), (zone, "zone")), WEATHER_ASKED.items()
    ):
        for tools in ([offered], [*OTHERS[:3], offered], [CALCULATOR, offered, *OTHERS]):
            yield from one("weather call", calls(("get_weather", {key: city})), text, tools=tools)


def calculator_calls() -> Iterator[Case]:
    """Ask for calculations, with both usual argument names and other tools beside."""
    plain = tool("calculator", "expression", "Evaluates arithmetic.")
    for (offered, key), (text, value) in product(((CALCULATOR, "input"), (plain, "expression")), COMPUTED.items()):
        for tools in ([offered], [WEATHER, *OTHERS, offered], [offered, OTHERS[0]]):
            yield from one("calculator call", calls(("calculator", {key: value})), text, tools=tools)


def two_calls() -> Iterator[Case]:
    """Ask for the weather in two cities at once."""
    for first, second in (("Cairo", "Bergen"), ("Paris", "London"), ("Tromso", "Ulan Bator")):
        check = calls(("get_weather", {"city": first}), ("get_weather", {"city": second}))
        texts = (
            f"What's the weather in {first} and {second}?",
            f"Compare the weather in {first} and in {second}.",
        )
        yield from one("two calls", check, *texts, tools=[WEATHER, OTHERS[1]])


def called(name: str, key: str, value: str) -> dict[str, Any]:
    """Return a tool call as it stands in a history."""
    arguments = json.dumps({key: value})
    return {"id": "call_x", "type": "function", "function": {"name": name, "arguments": arguments}}


def after(question: str, made: list[dict[str, Any]], *results: str) -> list[Message]:
    """Return a history that ends with tool results."""
    answers: list[Message] = [{"role": "tool", "content": result} for result in results]
    return [user(question), {"role": "assistant", "content": None, "tool_calls": made}, *answers]


def weather_history(city: str, result: str) -> list[Message]:
    """Return a history that ends with a city's weather."""
    return after(f"What is the weather in {city}?", [called("get_weather", "city", city)], result)


def weather_answers() -> Iterator[Case]:
    """Weather results, as text and as JSON, that the answer must quote."""
    table: tuple[tuple[str, str, tuple[str, ...], list[Schema]], ...] = (
        ("Paris", "Sunny, 21°C", ("Sunny, 21°C",), [WEATHER]),
        ("Paris", '{"temperature": 22, "humidity": 45}', ("22", "45"), [WEATHER]),
        ("Quebec", '{"temp_c": 18, "condition":"sunny"}', ("18", "sunny"), [*OTHERS, WEATHER]),
        ("Oslo", '{"city": "Oslo", "temperature": -7, "unit": "celsius"}', ("-7",), [WEATHER]),
        ("Xalapa", "Light showers, 14 degrees, west wind", ("Light showers, 14 degrees",), [WEATHER]),
        ("Minsk", "18C and partly cloudy.", ("18C and partly cloudy",), [CALCULATOR, WEATHER]),
    )
    for city, result, parts, tools in table:
        yield Case("tool answer", weather_history(city, result), has(city, *parts), tools)


def calculator_answers() -> Iterator[Case]:
    """Calculated results that the answer must quote."""
    for expression, (result, value) in RESULTS.items():
        question = f"Use the calculator tool to compute {expression}, then tell me the result."
        messages = after(question, [called("calculator", "input", expression)], result)
        for tools in ([CALCULATOR], [*OTHERS, CALCULATOR, WEATHER]):
            yield Case("tool answer", messages, has(value), tools)


def two_results() -> Iterator[Case]:
    """Two results in a row."""
    made = [called("get_weather", "city", "Lyon"), called("get_weather", "city", "Bergen")]
    for results, values in (
        (("Sunny, 21°C", "Rain, 9°C"), ("Sunny, 21°C", "Rain, 9°C")),
        (('{"temperature": 30}', '{"temperature": 12}'), ("30", "12")),
        (("warm", "cold"), ("warm", "cold")),
    ):
        messages = after("What's the weather in Lyon and Bergen?", made, *results)
        yield Case("two results", messages, has("Lyon", "Bergen", *values), [WEATHER])


def after_tools() -> Iterator[Case]:
    """What follows a finished tool call."""
    done = [*weather_history("Paris", "Sunny, 21°C"), said("The weather in Paris: Sunny, 21°C.")]
    for tools in ([WEATHER], [CALCULATOR, *OTHERS, WEATHER], None):
        yield Case("after tools", [*done, user("Thanks. Now just say: done.")], same("done"), tools)
    bergen = calls(("get_weather", {"city": "Bergen"}))
    for text, check in (
        ("And in Bergen?", bergen),
        ("What is the capital of Italy?", has("Rome")),
        ("Thank you!", has("welcome")),
    ):
        yield Case("after tools", [*done, user(text)], check, [WEATHER])


def not_needed() -> Iterator[Case]:
    """Tools that must not be called, and questions whose tool is missing."""
    for tools in ([WEATHER], [CALCULATOR], [WEATHER, CALCULATOR, *OTHERS], OTHERS):
        for text, check in PLAIN:
            yield from one("tools not needed", check, text, tools=tools)
    yield from one("tool missing", KNOWS, *sections("heldout.txt")["tool missing"])
    yield from one("tool missing", KNOWS, "What is the weather in Paris?", tools=[CALCULATOR])
    yield from one("tool missing", KNOWS, "How much is 1123 * 21?", tools=[WEATHER])


def tool_cases() -> Iterator[Case]:
    """Yield every case about tools."""
    for cases in (weather_calls, calculator_calls, two_calls, weather_answers, calculator_answers):
        yield from cases()
    for cases in (two_results, after_tools, not_needed):
        yield from cases()
