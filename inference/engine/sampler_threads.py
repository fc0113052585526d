"""Samplers of several sequences side by side."""

from concurrent.futures import ThreadPoolExecutor

from inference.engine.guide import ConstraintError
from inference.engine.sequence import Sampler

Sampled = int | ConstraintError
MOST_THREADS = 8  # Python hands each of them its part one after the other


class SamplerThreads:
    """Shares samplers out among threads; a sampler over a large vocabulary keeps a core busy for half a millisecond.

    Those that are mostly Python (`in_threads` False) would only wait for each other and stay in the caller's thread.
    """

    def __init__(self, num_threads: int) -> None:
        self._num_threads = min(num_threads, MOST_THREADS)
        self._threads = ThreadPoolExecutor(self._num_threads, thread_name_prefix="sampler")

    def sample(self, items: list[tuple[Sampler, int]]) -> list[Sampled]:
        """Return the token that each sampler chooses from its row of the last batch, or why it cannot choose."""
        sampled: list[Sampled | None] = [None] * len(items)

        def work(numbers: list[int]) -> None:
            for number in numbers:
                sampled[number] = _sample(*items[number])

        movable = [number for number, (sampler, _) in enumerate(items) if sampler.in_threads]
        bound = [number for number, (sampler, _) in enumerate(items) if not sampler.in_threads]
        parts = [movable[first :: self._num_threads] for first in range(self._num_threads)]
        elsewhere = [self._threads.submit(work, part) for part in parts[1:] if part]
        work(parts[0] + bound)
        for each in elsewhere:
            each.result()
        return sampled


def _sample(sampler: Sampler, row: int) -> Sampled:
    try:
        return sampler.sample(row)
    except ConstraintError as error:
        return error
