"""Work for the tools: cities, expressions, calls, and results with the words that quote them."""

import json
import random

from demo import noise
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


CONDITIONS = [
    "sunny",
    "cloudy",
    "rain",
    "snow",
    "clear",
    "fog",
    "storm",
    "windy",
    "overcast",
    "drizzle",
    "hail",
    "humid",
    "mist",
]


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
