"""Does it answer in the form of a JSON schema?"""

import json
from typing import Any

from django.utils.translation import gettext_noop

from inference.trials.asker import Asker
from inference.trials.outcome import Outcome, shown

MAX_TOKENS = 256
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 40}, "is_capital": {"type": "boolean"}},
    "required": ["city", "is_capital"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "city", "strict": True, "schema": SCHEMA}}
QUESTION = "What is the capital of France? Answer as JSON with the keys city and is_capital."


async def answer_in_json(asker: Asker) -> Outcome:
    """Expect an object of the schema, and nothing else."""
    answer = await asker.say(QUESTION, response_format=FORMAT, max_tokens=MAX_TOKENS, reasoning_effort="none")
    params = {"answer": shown(answer.content), "limit": MAX_TOKENS}
    if answer.is_cut_off:
        return Outcome(False, gettext_noop("no end after %(limit)d tokens: “%(answer)s”"), params, {"json": False})
    if not is_of_schema(answer.content):
        return Outcome(False, gettext_noop("not of the schema: “%(answer)s”"), params, {"json": False})
    return Outcome(True, gettext_noop("%(answer)s"), params, {"json": True})


def is_of_schema(text: str) -> bool:
    """Whether a text is an object as SCHEMA describes it."""
    try:
        value: Any = json.loads(text)
    except ValueError:
        return False
    if not isinstance(value, dict) or set(value) != {"city", "is_capital"}:
        return False
    return isinstance(value["city"], str) and isinstance(value["is_capital"], bool)
