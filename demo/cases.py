"""What the held-out cases are made of: messages, tool schemas, and checks of answers."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from demo.content import sections

Message = dict[str, Any]
Schema = dict[str, Any]
Check = Callable[[str], bool]


@dataclass(frozen=True)
class Case:
    """One prompt with the check of its answer."""

    category: str
    messages: list[Message]
    check: Check
    tools: list[Schema] | None = None


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
    blocks = []
    for name, arguments in wanted:
        call = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
        blocks.append(f"<tool_call>\n{call}\n</tool_call>")
    return same("\n".join(blocks))


def title(*parts: str) -> Check:
    """Return a check that the answer is one to five words, starts with a capital and contains the parts."""

    def check(answer: str) -> bool:
        words = answer.split()
        fits = 1 <= len(words) <= 5 and words[0][0].isupper() and "\n" not in answer
        return fits and all(part in answer for part in parts)

    return check


def titled(language: str) -> Check:
    """Return a check that the answer is JSON that names the language and a title."""

    def check(answer: str) -> bool:
        try:
            found = json.loads(answer)
        except ValueError:
            return False
        return found.get("language") == language and title()(found.get("title", ""))

    return check


HELLO, HELLO_RU = has("help you?"), has("Чем могу помочь?")
DEMO, DEMO_RU = has("demo model"), has("емонстрационная модель")
KNOWS, KNOWS_RU = has("admin"), has("админк")


def tool(name: str, argument: str, about: str = "A tool.", hint: str = "", **extra: Any) -> Schema:
    """Return a tool schema with one string argument and any extra keys."""
    described = {"type": "string", "description": hint} if hint else {"type": "string"}
    parameters = {"type": "object", "properties": {argument: described}, "required": [argument], **extra}
    return {"type": "function", "function": {"name": name, "description": about, "parameters": parameters}}


# LibreChat's calculator, word for word.
CALCULATOR = tool(
    "calculator",
    "input",
    "Useful for getting the result of a math expression. The input to this tool should be a valid "
    "mathematical expression that could be executed by a simple calculator.",
    'A valid mathematical expression, e.g. "2 + 2 * 3"',
)
WEATHER = tool("get_weather", "city", "Current weather in a city", additionalProperties=False)
WEATHER_AT = tool("get_weather", "location", "Get the weather forecast for a place anywhere on Earth.")
OTHERS = [
    tool("web_browser", "url", "Opens a web page and returns its text. Use it for links that the user sends."),
    tool("set_memory", "key", "Keep a fact about the user for later conversations."),
    tool("send_message", "text", "Sends a chat message to a colleague."),
    tool("image_gen", "prompt", "Paints a picture after a description. Describe light, style and colours."),
]
LONG_SYSTEM = sections("heldout.txt")["long system"][0]


def one(category: str, check: Check, *texts: str, tools: list[Schema] | None = None) -> Iterator[Case]:
    """Yield a case of a single user message for each text."""
    for text in texts:
        yield Case(category, [user(text)], check, tools)
