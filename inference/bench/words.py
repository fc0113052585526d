"""The words that prompts are made of; the vocabulary of a random model knows each of them as one token."""

import random

_NOUNS = """
river stone lamp winter garden paper engine music window bread harbour silver letter forest coffee bridge mirror
planet candle ladder blanket thunder island copper pencil meadow rocket velvet pepper anchor
"""
_ENGLISH = """
a about all and answer any are as at be below but by can conversation do each first following for from give has have
how in is it its last less line long many more most no not of on one only or other out repeat said short some text
that the their then there these this title to two up use user was way we were what when which who will with word words
would write you your five exactly assistant
"""
NOUNS = tuple(_NOUNS.split())
ENGLISH = tuple(_ENGLISH.split())  # for the scenarios' own sentences


def sentence(generator: random.Random, count: int) -> str:
    """Return `count` random words."""
    return " ".join(generator.choices(NOUNS, k=count))


def source(seed: int) -> random.Random:
    """Return a generator of random words, always the same ones for a seed."""
    return random.Random(seed)  # noqa: S311 - reproducible, not secret
