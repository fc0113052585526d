"""One row more than a step needs, where an even number of them is computed more quickly.

llama.cpp's matrix products for small batches take two rows at once on many processors, and read all weights once more
for a last odd one (tinyBLAS, ggml/src/ggml-cpu/llamafile/sgemm.cpp): with AVX2 and weights in Q8_0, Q4_0 or F16, three
sequences take longer than four. Other kernels do not care. So it is tried out, at every number of rows.
"""

from collections import defaultdict, deque
from dataclasses import dataclass
from statistics import median

from inference.engine.backend import KVBackend
from inference.engine.config import EngineConfig
from inference.engine.kv_cache import KVCache
from inference.engine.scheduler import LEAST_ROWS, Chunk

SAMPLES = 8  # of each way, before one is chosen; also how many are remembered
RETRIAL = 64  # steps after which the way that was not chosen is measured again
KV_PAD = 256  # cells; attention is computed over so many or a multiple (llama_kv_cache::get_n_kv)
GAIN = 0.97  # of the time without the row; less of a difference is noise


@dataclass(frozen=True)
class Spare:
    """An idle slot that takes the row for one step, and how many tokens lie in it."""

    slot: int
    length: int


class Trial:
    """Learns which is quicker, a step with one more row or without, while the machine and the depth change."""

    def __init__(self) -> None:
        self._seconds: dict[bool, deque[float]] = {way: deque(maxlen=SAMPLES) for way in (False, True)}
        self._num_chosen = 0

    def choose(self) -> bool:
        """Return whether the next step gets the row."""
        plain, padded = self._seconds[False], self._seconds[True]
        if min(len(plain), len(padded)) < SAMPLES:
            return len(padded) < len(plain)
        self._num_chosen += 1
        is_quicker = median(padded) < GAIN * median(plain)
        return is_quicker != (self._num_chosen % RETRIAL == 0)

    def observe(self, is_padded: bool, seconds: float) -> None:
        self._seconds[is_padded].append(seconds)


class RowPadding:
    """Pads the steps in which every sequence has one row.

    The row is a prompt's, whose logits nobody needs, else a token in an idle slot, which is taken out again. The
    answers stay what they are: no row sees another sequence's.
    """

    def __init__(self, llama: KVBackend, cache: KVCache, config: EngineConfig) -> None:
        self._llama = llama
        self._cache = cache
        self._n_ctx, self._n_batch = config.n_ctx, config.n_batch
        self._trials: defaultdict[tuple[int, int], Trial] = defaultdict(Trial)
        self._trial: Trial | None = None  # the one of this step, if it has a choice
        self._is_padded = False
        self._spare: Spare | None = None

    def pad(self, chunks: list[Chunk]) -> Spare | None:
        """Choose for a step: mark a chunk (`wants_logits`), or return a slot that takes a row, or do neither."""
        self._trial = self._spare = None
        self._is_padded = False
        unmarked = [chunk for chunk in chunks if not chunk.is_last]
        num_logits = len(chunks) - len(unmarked)
        if num_logits < LEAST_ROWS or num_logits % 2 == 0 or any(chunk.num_rows > 1 for chunk in chunks):
            return None
        spare = None if unmarked else self._find_spare(chunks)
        if not unmarked and not spare:
            return None
        self._trial = self._trials[len(chunks), num_logits]
        self._is_padded = self._trial.choose()
        if self._is_padded and unmarked:
            unmarked[0].wants_logits = True
        elif self._is_padded:
            self._spare = spare
        return self._spare

    def undo(self) -> None:
        """Take the token out again."""
        if self._spare:
            self._llama.truncate(self._spare.slot, self._spare.length)

    def observe(self, seconds: float) -> None:
        """Learn from the step."""
        if self._trial:
            self._trial.observe(self._is_padded, seconds)

    def _find_spare(self, chunks: list[Chunk]) -> Spare | None:
        """Return an idle slot that is not much fuller than the others: all rows pay for the deepest one's attention."""
        if len(chunks) == self._n_batch:
            return None
        most = min(2 * max(chunk.start for chunk in chunks) + KV_PAD, self._n_ctx - 1)
        found = self._cache.spare([chunk.sequence.slot for chunk in chunks], most)
        return Spare(*found) if found else None
