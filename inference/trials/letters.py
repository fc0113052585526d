"""Which alphabet a text is written in."""

import unicodedata


def share_of(alphabet: str, text: str) -> float:
    """Return how many of a text's letters are of an alphabet (LATIN, CYRILLIC), 0 to 1; 0 if it has none."""
    letters = [letter for letter in text if letter.isalpha()]
    of_it = sum(unicodedata.name(letter, "").startswith(alphabet) for letter in letters)
    return of_it / len(letters) if letters else 0.0
