"""A byte-level BPE vocabulary of any size, made of nothing but this project's own word list.

Its merges build words from their first letter to their last, each step a token: " river" comes of " ", " r", " ri" and
so on. So a text's tokens do not depend on where it was cut, and what a random model writes comes back as the tokens
that it was: a conversation that is sent again is the same one.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice, product

from inference.bench.words import ENGLISH, NOUNS

CONTROL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CONSONANTS, VOWELS = "bcdfghjklmnprstvwyz", "aeiou"
ENDINGS = ("ation", "tion", "ing", "ment", "ness", "able", "ous", "ive", "ers", "est", "ed", "es", "ly", "al", "th")
LONGEST = 5  # letters of an invented word


@dataclass(frozen=True)
class Vocabulary:
    """Tokens in the order of their ids, as GPT-2 spells bytes; the last ones are CONTROL_TOKENS."""

    tokens: list[str]
    merges: list[str]

    def id_of(self, control_token: str) -> int:
        return len(self.tokens) - len(CONTROL_TOKENS) + CONTROL_TOKENS.index(control_token)


def build_vocabulary(size: int) -> Vocabulary:
    """Return a vocabulary of exactly `size` tokens. Raises ValueError if there are not enough words for it."""
    alphabet = [_spelled(byte) for byte in range(256)]
    # Last, so that they come into play only where no word goes on: of two possible merges, the earlier one wins.
    endings = dict(_distinct(_letter_by_letter((*NOUNS, *ENDINGS))))
    words = (SPACE + word for word in chain(NOUNS, ENGLISH, _invented()))
    num_words = size - len(alphabet) - len(endings) - len(CONTROL_TOKENS)
    merges = {**dict(islice(_distinct(_letter_by_letter(words)), max(num_words, 0))), **endings}
    tokens = [*alphabet, *merges, *CONTROL_TOKENS]
    if len(tokens) != size:
        raise ValueError(f"no vocabulary of {size} tokens can be made, only of {len(tokens)}")
    return Vocabulary(tokens, [f"{left} {right}" for left, right in merges.values()])


def _spelled(byte: int) -> str:
    """Return the character that stands for a byte in a byte-level vocabulary (OpenAI's gpt-2, src/encoder.py).

    Printable Latin-1 stands for itself, the other bytes for the characters from U+0100 on.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    if byte in printable:
        return chr(byte)
    return chr(0x100 + byte - sum(other < byte for other in printable))


SPACE = _spelled(ord(" "))


def _letter_by_letter(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    for word in words:
        for end in range(1, len(word)):
            yield word[:end], word[end]


def _distinct(merges: Iterable[tuple[str, str]]) -> Iterator[tuple[str, tuple[str, str]]]:
    seen = set()
    for left, right in merges:
        if left + right not in seen:
            seen.add(left + right)
            yield left + right, (left, right)


def _invented() -> Iterator[str]:
    """Yield pronounceable words, shorter ones first; of the longest, which need not all fit, in random order."""
    for length in range(1, LONGEST + 1):
        words = [word for first in (CONSONANTS, VOWELS) for word in _alternating(first, length)]
        if length == LONGEST:
            random.Random(0).shuffle(words)  # noqa: S311 - reproducible, not secret
        yield from words


def _alternating(first: str, length: int) -> Iterator[str]:
    other = VOWELS if first is CONSONANTS else CONSONANTS
    return map("".join, product(*(first if index % 2 == 0 else other for index in range(length))))
