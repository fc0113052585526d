"""Drafts from a sequence's own text: what came next the last time that it said the same.

Answers that quote, translate code into code or repeat a table's shape copy long runs of their prompt. No second model
is needed to guess how such a run goes on.
"""

from array import array

MIN_MATCH = 3  # tokens; fewer stand together by chance too often
LONGEST_MATCH = 32  # tokens; longer matches are trusted alike
MAX_CANDIDATES = 16  # earlier positions looked at
NUM_BUCKETS = 1 << 16
LEAST_RESUMED = 8  # tokens; a run at least this long is expected to go on after a token that was exchanged
RATE = 1 / 16  # weight of the newest prediction in a chance

# What a match of this many tokens is worth before the sequence has shown it; shorter ones than MIN_MATCH are those of a
# run that has just been resumed.
FIRST_CHANCES = {0: 0.5, 1: 0.6, 2: 0.7, 3: 0.5, 4: 0.6, 5: 0.75, 8: 0.85, 16: 0.95, LONGEST_MATCH: 0.97}
# For each match up to LONGEST_MATCH the key of FIRST_CHANCES that it counts as
CLASSES = [max(key for key in FIRST_CHANCES if key <= match) for match in range(LONGEST_MATCH + 1)]


class NgramIndex:
    """Where the MIN_MATCH tokens before each position of a growing list have stood earlier.

    Chains of positions, as deflate's over bytes: `_heads` has the latest position of each bucket, `_previous` for
    every position the one before it in its bucket. They take 256 KiB and 4 bytes a token. A bucket may hold other
    n-grams, too; `longest` compares the tokens themselves.
    """

    def __init__(self) -> None:
        self._heads = array("i", [-1]) * NUM_BUCKETS
        self._previous = array("i", [-1]) * MIN_MATCH

    def extend(self, tokens: list[int]) -> None:
        """Take in what the list has grown by since the last call."""
        position = len(self._previous)
        if len(tokens) <= position:
            return
        before = [tokens[position - back : len(tokens) - back] for back in range(MIN_MATCH, 0, -1)]
        for ngram in zip(*before, strict=True):
            bucket = hash(ngram) % NUM_BUCKETS
            self._previous.append(self._heads[bucket])
            self._heads[bucket] = position
            position += 1

    def longest(self, tokens: list[int]) -> tuple[int, int]:
        """Return the position before which most of the list's last tokens stand, and how many these are.

        The latest one of several; (0, 0) if there is none with MIN_MATCH.
        """
        best, found = 0, MIN_MATCH - 1
        candidate = self._heads[hash(tuple(tokens[-MIN_MATCH:])) % NUM_BUCKETS]
        for _ in range(MAX_CANDIDATES):
            if candidate < 0 or found == LONGEST_MATCH:
                break
            if tokens[candidate - min(found + 1, candidate) : candidate] == tokens[-found - 1 :]:
                best, found = candidate, _common_suffix(tokens, candidate)
            candidate = self._previous[candidate]
        return (best, found) if best else (0, 0)


class PromptLookup:
    """Drafts for one sequence, whose tokens are only ever appended to.

    It points at the token that it expects next and moves along while the sequence copies. How often it is right after
    how long a match, it learns from every token, drafted or not: a text with nothing to copy soon gets no drafts, and
    has paid for few. least_chance: how probable it must be that a drafted token is accepted.
    """

    def __init__(self, least_chance: float = 0.5) -> None:
        self._least_chance = least_chance
        self._index = NgramIndex()
        self._chances = dict(FIRST_CHANCES)
        self._num_seen = 0
        self._source: int | None = None  # the position whose token is expected next
        self._match = 0  # tokens before `_source` that equal the sequence's last ones, as far as known

    def propose(self, tokens: list[int], most: int) -> list[int]:
        """Return up to `most` tokens that may come after `tokens`.

        Call it in every step, with `most` 0 where no draft is wanted: it learns from what was generated.
        """
        self._follow(tokens)
        self._index.extend(tokens)
        if self._match < MIN_MATCH < len(tokens):
            self._look_up(tokens)
        if self._source is None:
            return []
        return _continuation(tokens, self._source, self._worthwhile(most))

    def _follow(self, tokens: list[int]) -> None:
        """Compare what has come with what was expected."""
        position = self._num_seen
        self._num_seen = len(tokens)
        while self._source is not None and position < len(tokens):
            self._move_on(tokens[position] == tokens[self._source])
            position += 1

    def _move_on(self, was_right: bool) -> None:
        key = CLASSES[min(self._match, LONGEST_MATCH)]
        self._chances[key] += RATE * (was_right - self._chances[key])
        is_run = was_right or self._match >= LEAST_RESUMED
        self._match = self._match + 1 if was_right else 0
        self._source = self._source + 1 if is_run else None

    def _look_up(self, tokens: list[int]) -> None:
        source, match = self._index.longest(tokens)
        if match:
            self._source, self._match = source, match

    def _worthwhile(self, most: int) -> int:
        """Return how many tokens are each likely enough that all up to it are accepted."""
        chance = 1.0
        for count in range(most):
            chance *= self._chances[CLASSES[min(self._match + count, LONGEST_MATCH)]]
            if chance < self._least_chance:
                return count
        return most


def _common_suffix(tokens: list[int], end: int) -> int:
    """Return how many tokens before `end` equal the last ones, up to LONGEST_MATCH."""
    length, limit = 0, min(end, LONGEST_MATCH)
    while length < limit and tokens[end - 1 - length] == tokens[-1 - length]:
        length += 1
    return length


def _continuation(tokens: list[int], source: int, length: int) -> list[int]:
    """Return what comes after `tokens` if they go on as they do at `source`; a shorter rest is a period, repeated."""
    period = tokens[source : source + length]
    return (period * -(-length // len(period)))[:length] if period else []
