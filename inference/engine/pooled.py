"""One embedding or rerank request while the engine works on it."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inference.engine.messages import Embeddings, Relevance


class NotNumbers(Exception):
    """The model computed infinities or NaN, which JSON cannot say."""

    def __init__(self) -> None:
        super().__init__("the model computed values that are no numbers; the weights in its file may be damaged")


@dataclass(eq=False)
class PooledSequence:
    """The tokens of one input, of which the first `num_computed` are computed. `index` is its place in the request."""

    index: int
    tokens: Sequence[int]
    num_computed: int = 0

    @property
    def num_remaining(self) -> int:
        return len(self.tokens) - self.num_computed


class Job:
    """A request's sequences and what came out of those that are computed.

    `pending` holds the sequences that are neither computed nor part of the current batch. `read` returns what came out
    of the sequence in a slot, `combine` makes the request's answer of all such values and the number of tokens.
    """

    def __init__(
        self,
        request_id: str,
        sequences: Sequence[Sequence[int]],
        read: Callable[[int], Any],
        combine: Callable[[list[Any], int], Any],
    ) -> None:
        self.id = request_id
        self.pending = deque(PooledSequence(index, tokens) for index, tokens in enumerate(sequences))
        self.is_started = False
        self._num_tokens = sum(map(len, sequences))
        self._num_open = len(sequences)
        self._values: list[Any] = [None] * len(sequences)
        self._read = read
        self._combine = combine

    @property
    def is_finished(self) -> bool:
        return self._num_open == 0

    @property
    def answer(self) -> Any:
        """What `combine` made of it. Raises NotNumbers."""
        return self._combine(self._values, self._num_tokens)

    def finish(self, sequence: PooledSequence, slot: int) -> None:
        """Keep what came out of a sequence."""
        self._values[sequence.index] = self._read(slot)
        self._num_open -= 1


def embeddings(vectors: list[np.ndarray], num_tokens: int, dimensions: int) -> Embeddings:
    """Cut the vectors, each of shape (n_embd,), and scale them to length 1; a vector of zeros stays one.

    Raises NotNumbers.
    """
    rows = np.stack(vectors)[:, :dimensions].astype(np.float64)  # the squares of large weights need the range
    _refuse_infinite(rows)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = rows / np.where(lengths == 0, 1, lengths)
    return Embeddings(rows.astype("<f4").tobytes(), dimensions, num_tokens)


def relevance(scores: list[float], num_tokens: int) -> Relevance:
    """Return the scores as they are. Raises NotNumbers."""
    _refuse_infinite(np.array(scores))
    return Relevance(tuple(scores), num_tokens)


def _refuse_infinite(values: np.ndarray) -> None:
    if not np.isfinite(values).all():
        raise NotNumbers
