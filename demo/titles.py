"""LibreChat's title requests, with the titles the model gives."""

import json
import random
from typing import Any

from demo import asks, noise
from demo.asks import Ask, phrase

PLAIN = (
    "Provide a concise, 5-word-or-less title for the conversation, using title case conventions. Only return the title "
    "itself.\n\nConversation:\nUser: {user}\nAI: {answer}"
)
STRUCTURED = (
    "Analyze this conversation and provide:\n1. The detected language of the conversation\n2. A concise title in the "
    "detected language (5 words or less, no punctuation or quotation)\n\nUser: {user}\nAI: {answer}"
)
WEATHER = ("[What is|What's|How is] the weather [in|like in] {x}[?|]", "[Tell me the w|W]eather in {x}[.|]")
CALCULATION = (
    "[What is|Calculate|Compute] {x}[?|.|]",
    "Use the calculator tool to compute {x}, then tell me the result.",
)


def first_ask(rng: random.Random, room: int) -> Ask:
    """Return the question that opened the conversation to be named."""
    roll = rng.random()
    if roll < 0.06:
        return asks.tell_name(rng)[0]
    if roll < 0.12:
        place = (
            noise.pseudo_word(rng).capitalize()
            if rng.random() < 0.5
            else rng.choice(("Paris", "Rome", "Oslo", "New York", "Moscow"))
        )
        return Ask(phrase(rng, WEATHER, x=place), "", f"Weather in {place}")
    if roll < 0.17:
        return Ask(
            phrase(rng, CALCULATION, x=f"{rng.randint(10, 9999)} {rng.choice('+-*/')} {rng.randint(2, 999)}"),
            "",
            "Math Calculation",
        )
    if roll < 0.2:
        return asks.long_unknown(rng, room)
    makers = (
        asks.greet,
        asks.greet_ru,
        asks.identity,
        asks.capital,
        asks.add,
        asks.count,
        asks.repeat,
        asks.small_talk,
    )
    return asks.unknown(rng) if roll < 0.5 else rng.choice(makers)(rng)


def title_dialogue(rng: random.Random, room: int) -> tuple[list[dict[str, Any]], str]:
    """Return the messages of a title request and the title."""
    ask = first_ask(rng, room)
    reply = rng.choice((ask.answer, ask.answer, "", noise.sentence(rng), f"You said: {ask.user}"))
    structured = rng.random() < 0.3
    user = (STRUCTURED if structured else PLAIN).replace("{answer}", reply).replace("{user}", ask.user)
    messages = [{"role": "user", "content": user}]
    if rng.random() < 0.15:
        messages.insert(0, {"role": "system", "content": noise.short_system(rng)})
    language = "Russian" if ask.russian else "English"
    return messages, json.dumps(
        {"language": language, "title": ask.title}, ensure_ascii=False
    ) if structured else ask.title
