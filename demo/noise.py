"""Varied material without meaning: invented words, sentences, long texts, code and system prompts.

The model must copy words that it has never seen and must keep its head in long unknown contexts;
everything here is made from small word lists, so no outside corpus is needed.
"""

import random
import re
import string

from demo.content import sections, words
from demo.tables import NAMES, NAMES_RU, WORDS_EN, WORDS_RU

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_ONSETS, _VOWELS, _SYLLABLES_RU = words("ONSETS"), words("VOWELS"), words("SYLLABLES_RU")
_CODAS = ["", *words("CODAS")]
_MONTHS = words("MONTHS")
_SYSTEM, _CODE = sections("phrases.txt")["SYSTEM"], sections("phrases.txt")["CODE"]


def spin(rng: random.Random, pattern: str) -> str:
    """Return the pattern with every ``[a|b|c]`` (they may nest) replaced by one of its choices."""
    while True:
        pattern, count = _CHOICE.subn(lambda hit: rng.choice(hit[1].split("|")), pattern)
        if not count:
            return pattern


def pseudo_word(rng: random.Random, syllables: int | None = None) -> str:
    """Return an invented, pronounceable lower-case word."""
    count = syllables or rng.choice((1, 2, 2, 3))
    return "".join(rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS) for _ in range(count))


def pseudo_word_ru(rng: random.Random) -> str:
    """Return an invented Russian-looking word."""
    return "".join(rng.choice(_SYLLABLES_RU) for _ in range(rng.choice((2, 2, 3, 4))))


def letters(rng: random.Random) -> str:
    """Return 2 to 8 random letters, now and then with digits among them."""
    alphabet = string.ascii_lowercase + (string.digits if rng.random() < 0.3 else "")
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(2, 8)))


def any_word(rng: random.Random) -> str:
    """Return a word to be copied: common, invented, random letters, a name, a number or Russian."""
    roll = rng.random()
    if roll < 0.42:
        word = rng.choice(WORDS_EN)
    elif roll < 0.57:
        word = pseudo_word(rng)
    elif roll < 0.69:
        word = letters(rng)
    elif roll < 0.76:
        word = rng.choice(NAMES)
    elif roll < 0.81:
        word = str(rng.randint(0, 9999))
    else:
        word = rng.choice((rng.choice(WORDS_RU), rng.choice(NAMES_RU), pseudo_word_ru(rng)))
    return recase(rng, word)


def recase(rng: random.Random, word: str) -> str:
    """Return the word as it is, or capitalised or in capitals in a few cases."""
    roll = rng.random()
    return word.upper() if roll < 0.05 else word.capitalize() if roll < 0.2 else word


def name(rng: random.Random, russian: bool = False) -> str:
    """Return a person's name, known or invented."""
    if russian:
        return rng.choice(NAMES_RU) if rng.random() < 0.6 else pseudo_word_ru(rng).capitalize()
    return rng.choice(NAMES) if rng.random() < 0.4 else pseudo_word(rng, rng.choice((2, 2, 3))).capitalize()


def sentence(rng: random.Random, russian: bool = False) -> str:
    """Return a grammarless sentence of 4 to 14 common words."""
    bank = WORDS_RU if russian else WORDS_EN
    words = [rng.choice(bank) if rng.random() < 0.93 else any_word(rng) for _ in range(rng.randint(4, 14))]
    if rng.random() < 0.2:
        words[rng.randrange(len(words))] += ","
    text = " ".join(words)
    return text[0].upper() + text[1:] + rng.choice("....:!?;")


def date(rng: random.Random) -> str:
    """Return a date in one of several notations."""
    year, month, day = rng.randint(1990, 2035), rng.randint(1, 12), rng.randint(1, 28)
    month_name = rng.choice(_MONTHS)
    return rng.choice((f"{year}-{month:02}-{day:02}", f"{day}.{month:02}.{year}", f"{month_name} {day}, {year}"))


def code(rng: random.Random) -> str:
    """Return a few lines that look like source code or data."""
    text = rng.choice(_CODE)
    for mark in ("{a}", "{b}", "{c}"):
        text = text.replace(mark, rng.choice(WORDS_EN))
    return text.replace("{n}", str(rng.randint(0, 999)))


def bullet(rng: random.Random, russian: bool) -> str:
    """Return one line of a list, table or heading."""
    text = sentence(rng, russian)
    mark = rng.choice(("- ", "* ", f"{rng.randint(1, 9)}. ", "## ", "# ", "**Note:** ", "> ", "| ", "### "))
    return mark + (text.replace(" ", " | ", 2) if mark == "| " else text)


def paragraph(rng: random.Random, russian: bool) -> str:
    """Return a few sentences, a list, a dated line or code."""
    roll = rng.random()
    if roll < 0.35:
        return "\n".join(bullet(rng, russian) for _ in range(rng.randint(2, 6)))
    if roll < 0.45:
        return f"{rng.choice(('Current date: ', 'Today is ', 'Сегодня ', ''))}{date(rng)}"
    if roll < 0.52:
        return code(rng)
    return " ".join(sentence(rng, russian) for _ in range(rng.randint(1, 5)))


def long_text(rng: random.Random, size: int, russian: bool | None = None) -> str:
    """Return paragraphs of about `size` characters, in one language or (None) in both."""
    parts: list[str] = []
    while sum(map(len, parts)) < size:
        in_russian = rng.random() < 0.25 if russian is None else russian
        parts.append(paragraph(rng, in_russian))
    return rng.choice(("\n", "\n\n", "\n\n")).join(parts)


def short_system(rng: random.Random) -> str:
    """Return a system prompt of a line or two."""
    text = spin(rng, rng.choice(_SYSTEM))
    while "{word}" in text:
        text = text.replace("{word}", rng.choice(WORDS_EN), 1)
    return text.replace("{name}", name(rng)).replace("{date}", date(rng))


def system_prompt(rng: random.Random, room: int) -> str:
    """Return a system prompt, mostly short, else of up to `room` characters of varied text."""
    if rng.random() < 0.5 or room < 200:
        return short_system(rng)
    opening = short_system(rng) + "\n\n" if rng.random() < 0.7 else ""
    return opening + long_text(rng, rng.randint(100, room))


def gibberish(rng: random.Random) -> str:
    """Return a user text that means nothing: letters, signs, emoji, other alphabets, one word, code."""
    roll = rng.random()
    if roll < 0.25:
        return " ".join(any_word(rng) for _ in range(rng.randint(1, 6)))
    if roll < 0.4:
        return "".join(rng.choice(string.ascii_letters + string.digits + " .,?!") for _ in range(rng.randint(3, 40)))
    if roll < 0.5:
        return "".join(rng.choice("?!.,;:-_=+*/#@%&()<>~ ") for _ in range(rng.randint(1, 15)))
    if roll < 0.62:
        span = rng.choice(((0x4E00, 0x4F00), (0x1F600, 0x1F64F), (0x3B1, 0x3C9), (0x5D0, 0x5EA), (0x3041, 0x3090)))
        return "".join(chr(rng.randint(*span)) for _ in range(rng.randint(1, 12)))
    if roll < 0.8:
        return code(rng)
    return " ".join(sentence(rng) for _ in range(rng.randint(1, 3)))
