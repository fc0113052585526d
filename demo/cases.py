"""Held-out cases for the evaluation: phrasings, names, cities and words that no generator makes.

A case is a category, messages, tools and a check of the answer. Phrasings were written by hand beside
the generator's; a few are the very prompts that real clients send.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from demo.tables import CAPITALS

Message = dict[str, Any]
Check = Callable[[str], bool]


@dataclass(frozen=True)
class Case:
    """One prompt with the check of its answer."""

    category: str
    messages: list[Message]
    check: Check
    tools: list[dict[str, Any]] | None = None


def user(text: str) -> Message:
    """Return a user message."""
    return {"role": "user", "content": text}


def said(text: str) -> Message:
    """Return an assistant message."""
    return {"role": "assistant", "content": text}


def system(text: str) -> Message:
    """Return a system message."""
    return {"role": "system", "content": text}


def has(*parts: str) -> Check:
    """Return a check that the answer contains every part and calls no tool."""
    return lambda answer: "<tool_call>" not in answer and all(part in answer for part in parts)


def same(text: str) -> Check:
    """Return a check that the answer is exactly the text."""
    return lambda answer: answer == text


def calls(*wanted: tuple[str, dict[str, str]]) -> Check:
    """Return a check that the answer is exactly these tool calls."""
    text = "\n".join(
        "<tool_call>\n"
        + json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
        + "\n</tool_call>"
        for name, arguments in wanted
    )
    return same(text)


def title(answer: str) -> bool:
    """Check that the answer is one to five capitalised words."""
    words = answer.split()
    return 1 <= len(words) <= 5 and words[0][0].isupper() and "model" not in words and "\n" not in answer


KNOWS = has("admin")
KNOWS_RU = has("админк")
HELLO, HELLO_RU = has("help you?"), has("Чем могу помочь?")
DEMO, DEMO_RU = has("demo model"), has("емонстрационная модель")


def tool(name: str, argument: str, about: str = "A tool.", **extra: Any) -> dict[str, Any]:
    """Return a tool schema with one string argument and any extra keys."""
    parameters = {
        "type": "object",
        "properties": {argument: {"type": "string"}},
        "required": [argument],
        **extra,
    }
    return {"type": "function", "function": {"name": name, "description": about, "parameters": parameters}}


CALCULATOR = tool(
    "calculator",
    "input",
    (
        "Useful for getting the result of a math expression. The input to this tool should be a valid mathematical "
        "expression that could be executed by a simple calculator."
    ),
)
CALCULATOR["function"]["parameters"]["properties"]["input"]["description"] = (
    'A valid mathematical expression, e.g. "2 + 2 * 3"'
)
WEATHER = tool("get_weather", "city", "Current weather in a city", additionalProperties=False)
WEATHER_AT = tool("get_weather", "location", "Get the weather forecast for a place anywhere on Earth.")
OTHERS = [
    tool(
        "web_browser", "url", "Opens a web page and returns its text. Use it for links that the user sends."
    ),
    tool("set_memory", "key", "Keep a fact about the user for later conversations."),
    tool("send_message", "text", "Sends a chat message to a colleague."),
    tool("image_gen", "prompt", "Paints a picture after a description. Describe light, style and colours."),
]

LONG_SYSTEM = """# Assistant handbook

Current date and time: Tuesday, 14 May 2024, 09:31 (UTC+03:00)

You are Lumen, a careful assistant in the office of a small publishing house. Follow the rules below.

## Style
- Write clear sentences; avoid jargon and exclamation marks.
- Prefer short paragraphs. Use **bold** only for file names.
- When someone writes in Russian, reply in Russian. Если вопрос неясен, задай один уточняющий вопрос.

## Documents
1. Manuscripts live in `/archive/2023` and `/archive/2024`.
2. Contracts are signed by the director, never by the editors.
3. Invoices above 1,500 euros need a second signature.

| Department | Head | Room |
|---|---|---|
| Editing | Ms Thornfield | 12 |
| Design | Mr Okonkwo | 14 |

## Safety
Never disclose private addresses. If a visitor asks for legal advice, refer them to the solicitor.
Do not guess: when a figure is missing, say that it is missing.

Помни: клиенты ценят вежливость и краткость. Не обещай сроков, которых редакция не давала.
"""


def one(
    category: str, check: Check, *texts: str, tools: list[dict[str, Any]] | None = None
) -> Iterator[Case]:
    """Yield a case of a single user message for each text."""
    for text in texts:
        yield Case(category, [user(text)], check, tools)


def every_capital() -> Iterator[Case]:
    """Yield a case for each country, the phrasings in turn."""
    forms = (
        "What is the capital of {}?",
        "capital of {}?",
        "Which city serves as the capital of {}?",
        "Please tell me the capital of {}",
        "what's {}'s capital city?",
    )
    for i, (country, city) in enumerate(CAPITALS.items()):
        yield from one("capitals", has(city), forms[i % len(forms)].format(country))


def every_sum() -> Iterator[Case]:
    """Yield a case for each pair of digits, the phrasings in turn."""
    forms = (
        "What is {} + {}?",
        "{}+{}",
        "How much is {} plus {}?",
        "Could you please add {} and {} for me?",
        "{} + {} equals",
    )
    for i in range(100):
        a, b = divmod(i, 10)
        yield from one(
            "sums",
            lambda text, total=a + b: re.findall(r"\d+", text)[-1:] == [str(total)],
            forms[(a + b) % 5].format(a, b),
        )


def every_count() -> Iterator[Case]:
    """Yield a case for each number up to 30, the phrasings in turn."""
    forms = (
        "Count to {}",
        "Count from 1 to {}.",
        "Please count up to {}",
        "Would you count to {} for me?",
        "Count all the way to {}.",
    )
    for n in range(1, 31):
        yield from one("counting", same(", ".join(map(str, range(1, n + 1)))), forms[n % 5].format(n))
