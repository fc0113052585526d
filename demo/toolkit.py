"""Work for the tools: cities, expressions, calls, and results with the words that quote them."""

import json
import random

from demo import noise, phrases
from demo.content import words
from demo.schemas import Json, Tool
from demo.tables import CITIES


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
    return rng.choice((first, first, first, f"{rng.choice(('New', 'Port', 'San', 'Saint', 'North', 'Los'))} {first}"))


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
    one, two = rng.choice(("+", "-", "*", "*", "/", "**")), rng.choice("+-*/")
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


CONDITIONS = words("CONDITIONS")


def weather_text(rng: random.Random, place: str) -> str:
    """Return a place's weather in words."""
    text = noise.spin(rng, rng.choice(phrases.WEATHER_RESULT))
    makers = {
        "{n}": lambda: str(rng.randint(-30, 45)),
        "{sky}": lambda: rng.choice(CONDITIONS),
        "{word}": lambda: noise.any_word(rng),
        "{sentence}": lambda: noise.sentence(rng)[:-1],
    }
    for mark, make in makers.items():
        while mark in text:
            text = text.replace(mark, make(), 1)
    return text.replace("{place}", place)


def weather_facts(rng: random.Random, place: str) -> Json:
    """Return one to four facts about a place's weather."""
    degrees, sky = rng.randint(-30, 45), rng.choice(CONDITIONS)
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
    return {key: facts[key] for key in rng.sample(list(facts), rng.randint(1, 4))}


def weather_result(rng: random.Random, place: str) -> tuple[str, str]:
    """Return a tool's answer for the place and the words in which the model quotes it."""
    if rng.random() < 0.45:
        text = weather_text(rng, place)
        return text + rng.choice(("", "", ".")), text
    facts = weather_facts(rng, place)
    return _dump(rng, facts), ", ".join(f"{key} {value}" for key, value in facts.items())


def sum_result(rng: random.Random) -> tuple[str, str]:
    """Return a calculator's answer and the value in it."""
    number = rng.randint(0, 10 ** rng.randint(1, 8))
    value = str(number) if rng.random() < 0.7 else rng.choice((f"-{number}", f"{number / 100}", f"{number}.0"))
    roll = rng.random()
    if roll < 0.25:
        key = rng.choice(("result", "result", "value", "answer", "output", noise.pseudo_word(rng)))
        return _dump(rng, {key: json.loads(value) if rng.random() < 0.8 else value}), value
    return value, value


def _dump(rng: random.Random, value: Json) -> str:
    layout: Json = rng.choice(({}, {}, {}, {"separators": (",", ":")}, {"indent": 2}))
    return json.dumps(value, ensure_ascii=False, **layout)
