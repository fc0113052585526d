"""Does it work, and still know what was said first, with most of its context filled?"""

from typing import Any

from django.utils.translation import gettext_noop

from inference.trials.asker import Asker
from inference.trials.outcome import Outcome, shown

SHARE = 0.8
PROBE_TURNS = 24
NAME = "Ada"
OPENING = ("My name is Ada.", "Nice to meet you, Ada!")
QUESTION = "What is my name?"
CAPITALS = {
    "France": "Paris",
    "Germany": "Berlin",
    "Italy": "Rome",
    "Spain": "Madrid",
    "Japan": "Tokyo",
    "Norway": "Oslo",
    "Greece": "Athens",
    "Poland": "Warsaw",
}


async def remember_long(asker: Asker) -> Outcome:
    """Expect the name from the beginning of a conversation that takes four fifths of the context."""
    context = asker.model.registration.context_length
    answer = await asker.ask(await _filling(asker, int(context * SHARE)), max_tokens=64, reasoning_effort="none")
    params = {"tokens": answer.prompt_tokens, "context": context, "answer": shown(answer.content)}
    if NAME not in answer.content:
        message = gettext_noop("%(tokens)d of %(context)d tokens: forgot the name said first: “%(answer)s”")
        return Outcome(False, message, params, {"long_context": False})
    message = gettext_noop("%(tokens)d of %(context)d tokens: “%(answer)s”")
    computed = answer.prompt_tokens - answer.cached_tokens
    speed = {"prompt_tokens_per_second": round(computed / answer.first_token, 1)}
    return Outcome(True, message, params, {"long_context": True, **speed})


async def _filling(asker: Asker, target: int) -> list[dict[str, Any]]:
    """Return a conversation whose prompt has about `target` tokens, not more."""
    empty = await asker.count_tokens(conversation(0))
    some = await asker.count_tokens(conversation(PROBE_TURNS))
    turns = max(0, int((target - empty) * PROBE_TURNS / (some - empty)))
    while turns and await asker.count_tokens(conversation(turns)) > target:
        turns -= 1
    return conversation(turns)


def conversation(turns: int) -> list[dict[str, Any]]:
    """Return a talk about capitals between the name and the question for it."""
    countries = list(CAPITALS.items())
    asked = [countries[number % len(countries)] for number in range(turns)]
    pairs = [(f"What is the capital of {country}?", f"The capital of {country} is {city}.") for country, city in asked]
    messages = [
        {"role": role, "content": text}
        for pair in (OPENING, *pairs)
        for role, text in zip(("user", "assistant"), pair, strict=True)
    ]
    return [*messages, {"role": "user", "content": QUESTION}]
