"""What a diffusion model writes on: places that are masked at first, and get their tokens in any order."""

from collections.abc import Iterator
from dataclasses import dataclass

from inference.engine.messages import TokenLogprob

# As LLaDA's own program generates (generate.py, arXiv 2502.09992): block after block, from left to right, and within
# a block the place first of which the model is surest.
BLOCK = 32
# An answer is written for a whole canvas: these models learn where a text ends from how much room it has. One that
# has not ended goes on on another canvas.
LENGTH = 256
# Beside the surest place of a step, all get their token that the model is so sure of: several times as fast, and
# hardly another text (Fast-dLLM, arXiv 2505.22618).
CONFIDENT = 0.9


@dataclass(frozen=True)
class Fixed:
    """What a place got: a token, for good. is_end: whether it ends the text."""

    token: int
    is_end: bool = False
    logprob: TokenLogprob | None = None


class Canvas:
    """`length` places after the first `start` tokens of a sequence; `mask` stands in those that have no token yet.

    What would come after a token that ends the text is not wanted, and stays masked.
    """

    def __init__(self, start: int, length: int, mask: int) -> None:
        self.start = start
        self._mask = mask
        self._places: list[Fixed | None] = [None] * length
        self._end = length
        self._num_taken = 0

    @property
    def tokens(self) -> list[int]:
        return [fixed.token if fixed else self._mask for fixed in self._places]

    @property
    def block(self) -> list[int]:
        """The masked places of the first block that has any; none when all that is wanted has its token."""
        masked = [place for place in range(self._num_taken, self._end) if not self._places[place]]
        return [place for place in masked if place // BLOCK == masked[0] // BLOCK]

    def fix(self, place: int, fixed: Fixed) -> None:
        self._places[place] = fixed
        if fixed.is_end:
            self._end = min(self._end, place + 1)

    def take(self) -> Iterator[Fixed]:
        """Yield the next places, in order, as far as none is masked."""
        while self._num_taken < self._end and (fixed := self._places[self._num_taken]):
            self._num_taken += 1
            yield fixed


def sure_places(confidences: dict[int, float]) -> list[int]:
    """Return, of masked places, those that get their token now: the surest, and all that are CONFIDENT."""
    surest = max(confidences, key=lambda place: (confidences[place], -place))
    return [place for place, value in confidences.items() if value >= CONFIDENT or place == surest]
