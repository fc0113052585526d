"""Plain questions with their answers: everything the model does without a tool."""

import random
from dataclasses import dataclass

from demo import noise, phrases, topics
from demo.noise import spin
from demo.tables import (
    CAPITALS,
    CAPITALS_RU,
    FALLBACK_EN,
    FALLBACK_RU,
    IDENTITY_EN,
    IDENTITY_RU,
    NUMBER_WORDS,
    SAID,
)


@dataclass(frozen=True)
class Ask:
    """A user text, the model's answer and the title that a conversation opened by it gets."""

    user: str
    answer: str
    title: str
    russian: bool = False


def phrase(rng: random.Random, patterns: tuple[str, ...], **values: str) -> str:
    """Return one of the patterns with its choices made and its placeholders filled."""
    return spin(rng, rng.choice(patterns)).format(**values)


def roughen(rng: random.Random, text: str) -> str:
    """Return the text as hasty or polite users write it; the meaning stays."""
    if rng.random() < 0.1:
        text = rng.choice(phrases.PREFIXES) + text
    if rng.random() < 0.1:
        text = text.rstrip(".?! ") + rng.choice("?.") + rng.choice(phrases.SUFFIXES)
    if rng.random() < 0.08:
        text = text.lower()
    return text


def greet(rng: random.Random) -> Ask:
    """A greeting, or a question how the model is."""
    roll = rng.random()
    if roll < 0.15:
        return Ask(phrase(rng, phrases.HOW_ARE_YOU), "I am fine, thank you. How can I help you?", "Friendly Greeting")
    if roll < 0.4:
        return Ask(phrase(rng, phrases.GREETING_EXTRAS), "Hello! How can I help you?", "Friendly Greeting")
    opening = rng.choice(list(phrases.GREETINGS))
    return Ask(phrase(rng, phrases.GREETINGS[opening]), f"{opening}! How can I help you?", "Friendly Greeting")


def greet_ru(rng: random.Random) -> Ask:
    """A greeting in Russian."""
    roll = rng.random()
    if roll < 0.25:
        answer = "Привет! У меня всё хорошо. Чем могу помочь?"
        return Ask(phrase(rng, phrases.HOW_ARE_YOU_RU), answer, "Приветствие", True)
    if roll < 0.4:
        return Ask(phrase(rng, phrases.GREETING_EXTRAS_RU), "Привет! Чем могу помочь?", "Приветствие", True)
    opening = rng.choice(list(phrases.GREETINGS_RU))
    return Ask(phrase(rng, phrases.GREETINGS_RU[opening]), f"{opening}! Чем могу помочь?", "Приветствие", True)


def identity(rng: random.Random) -> Ask:
    """A question what the model is."""
    if rng.random() < 0.3:
        return Ask(phrase(rng, phrases.IDENTITY_RU), IDENTITY_RU, "О модели", True)
    return Ask(roughen(rng, phrase(rng, phrases.IDENTITY)), IDENTITY_EN, "About the Demo Model")


def capital(rng: random.Random) -> Ask:
    """A question for a capital."""
    roll = rng.random()
    if roll < 0.12:
        user = phrase(rng, phrases.CAPITAL, x=topics.unknown_place(rng))
        return Ask(user, FALLBACK_EN, "Country Facts")
    if roll < 0.32:
        country = rng.choice(list(CAPITALS_RU))
        user = phrase(rng, phrases.CAPITAL_RU, x=country)
        return Ask(user, f"Столица {country} — {CAPITALS_RU[country]}.", f"Столица {country}", True)
    return capital_of(rng, phrases.CAPITAL)


def capital_of(rng: random.Random, patterns: tuple[str, ...]) -> Ask:
    """A question for a capital in one of the given English phrasings."""
    country = rng.choice(list(CAPITALS))
    asked = country.removeprefix("the ") if rng.random() < 0.2 else country
    user = roughen(rng, phrase(rng, patterns, x=asked))
    return Ask(user, f"The capital of {country} is {CAPITALS[country]}.", f"Capital of {country}")


def add(rng: random.Random, patterns: tuple[str, ...] = phrases.SUM) -> Ask:
    """A sum of two one-digit numbers, now and then in words or in Russian."""
    a, b = rng.randint(0, 9), rng.randint(0, 9)
    answer, roll = f"{a} + {b} = {a + b}.", rng.random()
    if roll < 0.12:
        return Ask(phrase(rng, phrases.SUM_RU, a=str(a), b=str(b)), answer, "Сложение чисел", True)
    one, two = (NUMBER_WORDS[a], NUMBER_WORDS[b]) if roll < 0.2 else (str(a), str(b))
    return Ask(roughen(rng, phrase(rng, patterns, a=one, b=two)), answer, f"Adding {a} and {b}")


def count(rng: random.Random) -> Ask:
    """An order to count to some number up to 30; beyond that the model declines."""
    if rng.random() < 0.06:
        user = phrase(rng, phrases.COUNT, n=str(rng.choice((50, 100, 1000, rng.randint(31, 2000)))))
        return Ask(user, "I can count to 30 only.", "Counting Numbers")
    n = rng.randint(1, 30)
    answer, roll = ", ".join(map(str, range(1, n + 1))), rng.random()
    if roll < 0.12:
        return Ask(phrase(rng, phrases.COUNT_RU, n=str(n)), answer, f"Счёт до {n}", True)
    user = phrase(rng, phrases.COUNT, n=NUMBER_WORDS[n] if roll < 0.25 else str(n))
    return Ask(user.lower() if rng.random() < 0.08 else user, answer, f"Counting to {n}")


def repeat(rng: random.Random) -> Ask:
    """An order to repeat 1 to 8 words, given without their closing punctuation."""
    size = rng.choice((1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8))
    words = _words(rng, size)
    roll = rng.random()
    if roll < 0.17:
        return Ask(phrase(rng, phrases.REPEAT_RU, w=words), words, "Повторение слов", True)
    patterns = phrases.REPEAT_ONE if size == 1 and roll < 0.5 else phrases.REPEAT
    return Ask(phrase(rng, patterns, w=words), words, "Repeating Words")


def _words(rng: random.Random, size: int) -> str:
    roll = rng.random()
    if size == 1 and roll < 0.3:
        return rng.choice(SAID)
    if roll < 0.12:
        return noise.sentence(rng, rng.random() < 0.2)[:-1]
    if roll < 0.2:
        return topics.fill(rng, rng.choice(phrases.SAID_PHRASES))
    return rng.choice((" ", " ", " ", " ", ", ")).join(noise.any_word(rng) for _ in range(size))


def arithmetic(rng: random.Random) -> Ask:
    """A calculation that needs a calculator."""
    user = phrase(rng, phrases.CALC_ASKED, x=topics.big_problem(rng))
    return Ask(user, FALLBACK_EN, "Math Question")


def small_talk(rng: random.Random) -> Ask:
    """Thanks or a farewell."""
    return rng.choice(
        (
            lambda: Ask(phrase(rng, phrases.THANKS), "You are welcome!", "Saying Thanks"),
            lambda: Ask(phrase(rng, phrases.BYE), "Goodbye!", "Saying Goodbye"),
            lambda: Ask(phrase(rng, phrases.THANKS_RU), "Пожалуйста!", "Благодарность", True),
            lambda: Ask(phrase(rng, phrases.BYE_RU), "До свидания!", "Прощание", True),
        )
    )()


def tell_name(rng: random.Random) -> tuple[Ask, str]:
    """The user's name is told; returns the name too."""
    if rng.random() < 0.15:
        told = noise.name(rng, russian=rng.random() < 0.8)
        user = phrase(rng, phrases.NAME_TOLD_RU, x=told)
        return Ask(user, f"Приятно познакомиться, {told}.", f"Знакомство: {told}", True), told
    told = noise.name(rng, russian=rng.random() < 0.04)
    user = phrase(rng, phrases.NAME_TOLD, x=told)
    return Ask(user, f"Nice to meet you, {told}.", f"Meeting {told}"), told


def ask_name(rng: random.Random, told: str) -> Ask:
    """The user asks for the name told before ("" when none was)."""
    cyrillic = "а" <= told[-1:] <= "я"
    if rng.random() < (0.7 if cyrillic else 0.1):
        answer = f"Вас зовут {told}." if told else "Я пока не знаю, как вас зовут."
        return Ask(phrase(rng, phrases.NAME_ASKED_RU), answer, "Имя пользователя", True)
    answer = f"Your name is {told}." if told else "I do not know your name yet."
    return Ask(roughen(rng, phrase(rng, phrases.NAME_ASKED)), answer, "Asking for a Name")


def unknown(rng: random.Random) -> Ask:
    """A request beyond the model."""
    if rng.random() < 0.22:
        return Ask(topics.russian(rng), FALLBACK_RU, "Общий вопрос", True)
    user, title = topics.english(rng)
    return Ask(user, FALLBACK_EN, title)


def long_unknown(rng: random.Random, room: int) -> Ask:
    """A long text or a summarisation order."""
    maker = topics.checkpoint if rng.random() < 0.5 else topics.long_request
    user = maker(rng, room)
    russian = sum("а" <= c.lower() <= "я" for c in user) > len(user) / 2
    return Ask(user, FALLBACK_RU if russian else FALLBACK_EN, "Conversation Summary", russian)
