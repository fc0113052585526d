"""Requests that the demo model cannot answer, each with the title it gives such a conversation."""

import random

from demo import noise
from demo.content import group, sections
from demo.noise import spin
from demo.tables import CAPITALS, CITIES, UNKNOWN_PLACES, WORDS_EN, WORDS_RU

_ALL = sections("topics.txt")
TOPICS, TOPICS_RU, TOPIC_FRAMES = _ALL["TOPICS"], _ALL["TOPICS_RU"], _ALL["TOPIC_FRAMES"]
CHECKPOINT, CHECKPOINT_TAIL = _ALL["CHECKPOINT"], ("", *_ALL["CHECKPOINT_TAIL"])
FIXED, FIXED_RU = group("topics.txt", "FIXED"), _ALL["FIXED_RU"]


def title_case(text: str) -> str:
    """Return the text with every word capitalised, small words within it excepted."""
    words = text.split()
    return " ".join(
        w if i and w in ("of", "and", "the", "a", "to") else w[:1].upper() + w[1:] for i, w in enumerate(words)
    )


def big_problem(rng: random.Random) -> str:
    """Return arithmetic beyond one-digit sums."""
    a, b = rng.randint(10, 9999), rng.randint(2, 9999)
    sign = rng.choice(("+", "-", "*", "/", "x", "plus", "times", "minus", "divided by"))
    if rng.random() < 0.15:
        return f"{rng.randint(0, 9)} {rng.choice('-*/')} {rng.randint(1, 9)}"
    return f"{a}{sign}{b}" if sign in "+-*/" and rng.random() < 0.3 else f"{a} {sign} {b}"


def fill(rng: random.Random, pattern: str, russian: bool = False) -> str:
    """Return a phrase from the pattern, every placeholder replaced by something suitable."""
    words, topics = (WORDS_RU, TOPICS_RU) if russian else (WORDS_EN, TOPICS)
    makers = {
        "{w}": lambda: rng.choice(words) if rng.random() < 0.85 else noise.any_word(rng),
        "{t}": lambda: rng.choice(topics),
        "{n}": lambda: str(rng.randint(11, 3000)),
        "{d}": lambda: str(rng.randint(1, 9)),
        "{big}": lambda: big_problem(rng),
        "{c}": lambda: rng.choice(list(CAPITALS)),
        "{u}": lambda: unknown_place(rng),
        "{name}": lambda: noise.name(rng),
        "{city}": lambda: rng.choice(CITIES),
        "{text}": lambda: noise.long_text(rng, 80, russian),
    }
    text = spin(rng, pattern)
    for mark, make in makers.items():
        while mark in text:
            text = text.replace(mark, make(), 1)
    return text


def unknown_place(rng: random.Random) -> str:
    """Return a place whose capital the model does not know."""
    return rng.choice(UNKNOWN_PLACES) if rng.random() < 0.5 else noise.pseudo_word(rng, 3).capitalize()


def fixed(rng: random.Random) -> tuple[str, str]:
    """Return one of the frequent English requests and its title."""
    title = rng.choice(list(FIXED))
    return fill(rng, rng.choice(FIXED[title])), title


def english(rng: random.Random) -> tuple[str, str]:
    """Return an English request beyond the model and the title for it."""
    roll = rng.random()
    if roll < 0.42:
        topic = rng.choice(TOPICS) if rng.random() < 0.8 else f"{rng.choice(WORDS_EN)} {rng.choice(WORDS_EN)}s"
        text = fill(rng, rng.choice(TOPIC_FRAMES).replace("{t}", topic, 1))
        return text[0].upper() + text[1:] if rng.random() < 0.8 else text, title_case(topic)
    if roll < 0.9:
        title = rng.choice(list(FIXED)) if rng.random() < 0.75 else "General Question"
        return fill(rng, rng.choice(FIXED[title])), title
    return noise.gibberish(rng), "General Question"


def russian(rng: random.Random) -> str:
    """Return a Russian request beyond the model."""
    if rng.random() < 0.15:
        return noise.sentence(rng, russian=True)
    return fill(rng, rng.choice(FIXED_RU), russian=True)


def checkpoint(rng: random.Random, room: int) -> str:
    """Return a summarisation order of up to about `room` characters."""
    parts = [rng.choice(CHECKPOINT)]
    if rng.random() < 0.7:
        parts.append(noise.long_text(rng, rng.randint(40, max(60, room))))
    parts.append(rng.choice(CHECKPOINT_TAIL))
    return "\n\n".join(filter(None, parts))


def long_request(rng: random.Random, room: int) -> str:
    """Return a long user text that asks for nothing the model knows."""
    in_russian = rng.random() < 0.2
    return noise.long_text(rng, rng.randint(100, max(150, room)), in_russian or None)
