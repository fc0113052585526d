"""LibreChat's title requests, with the titles the model gives."""

import json
import random
from typing import Any

from demo import asks, noise, phrases, toolkit, topics
from demo.asks import Ask, phrase
from demo.content import sections
from demo.tables import FALLBACK_EN

# LibreChat's prompts, word for word.
PLAIN, STRUCTURED = sections("phrases.txt")["TITLE_PROMPTS"]
_MAKERS = (
    asks.greet,
    asks.greet_ru,
    asks.identity,
    asks.capital,
    asks.add,
    asks.count,
    asks.repeat,
    asks.small_talk,
)


def first_ask(rng: random.Random, room: int) -> Ask:
    """Return the question that opened the conversation to be named."""
    roll = rng.random()
    if roll < 0.06:
        return asks.tell_name(rng)[0]
    if roll < 0.12:
        place = toolkit.city(rng)
        return Ask(phrase(rng, phrases.WEATHER_ASKED, x=place), "", f"Weather in {place}")
    if roll < 0.17:
        said, _ = toolkit.expression(rng)
        return Ask(phrase(rng, phrases.CALC_ASKED, x=said), "", "Math Calculation")
    if roll < 0.2:
        return asks.long_unknown(rng, room)
    if roll < 0.4:
        user, title = topics.fixed(rng)
        return Ask(user, FALLBACK_EN, title)
    return asks.unknown(rng) if roll < 0.7 else rng.choice(_MAKERS)(rng)


def title_dialogue(rng: random.Random, room: int) -> tuple[list[dict[str, Any]], str]:
    """Return the messages of a title request and the title."""
    ask = first_ask(rng, room)
    reply = rng.choice((ask.answer, ask.answer, "", noise.sentence(rng), f"You said: {ask.user}"))
    structured = rng.random() < 0.3
    user = (STRUCTURED if structured else PLAIN).replace("{answer}", reply).replace("{user}", ask.user)
    messages = [{"role": "user", "content": user}]
    if rng.random() < 0.15:
        messages.insert(0, {"role": "system", "content": noise.short_system(rng)})
    if not structured:
        return messages, ask.title
    language = "Russian" if ask.russian else "English"
    return messages, json.dumps({"language": language, "title": ask.title}, ensure_ascii=False)
