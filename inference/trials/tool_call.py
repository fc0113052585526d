"""Does it call a tool that it needs, and answer with the result?"""

from typing import Any

from django.utils.translation import gettext_noop

from inference.trials.asker import Answer, Asker
from inference.trials.outcome import Outcome, shown

MAX_TOKENS = 256
CITY = "Paris"
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The current weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
QUESTION = {"role": "user", "content": f"What is the weather in {CITY}?"}
RESULT = '{"temperature": 17, "condition": "cloudy"}'
NO_CALL = gettext_noop("no tool was called: “%(answer)s”")
OTHER_CALL = gettext_noop("expected one call of get_weather for Paris: “%(answer)s”")
NO_ANSWER = gettext_noop("called the tool, but did not answer with its result: “%(answer)s”")


async def call_tool(asker: Asker) -> Outcome:
    """Expect one call with the city, then a text."""
    options: dict[str, Any] = {"tools": [TOOL], "max_tokens": MAX_TOKENS, "reasoning_effort": "none"}
    first = await asker.ask([QUESTION], **options)
    if not _is_expected(first):
        message = OTHER_CALL if first.calls else NO_CALL
        return Outcome(False, message, {"answer": shown(first.described)}, {"tools": False})
    second = await asker.ask([QUESTION, *_with_result(first)], **options)
    params = {"call": shown(first.described), "answer": shown(second.described)}
    if second.calls or not second.content.strip():
        return Outcome(False, NO_ANSWER, params, {"tools": False})
    return Outcome(True, gettext_noop("%(call)s, then “%(answer)s”"), params, {"tools": True})


def _is_expected(answer: Answer) -> bool:
    if len(answer.calls) != 1 or answer.calls[0]["function"]["name"] != "get_weather":
        return False
    arguments = answer.arguments()
    return isinstance(arguments, dict) and CITY in str(arguments.get("city"))


def _with_result(answer: Answer) -> list[dict[str, Any]]:
    call = answer.calls[0]
    return [
        {"role": "assistant", "content": answer.content or None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": RESULT},
    ]
