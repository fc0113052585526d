"""How much of the prompts a step may compute, so that the streams beside them go on."""

FIRST_CHUNK = 128  # tokens, until a step has been measured
MIN_CHUNK = 64  # tokens; smaller ones waste a processor's matrix kernels
LONELY_STEP = 1.0  # seconds that a step may take while nobody generates: newcomers and aborts wait for its end
SMOOTHING = 0.3  # weight of the newest measurement
MOST_AT_ONCE = 4.0  # factor by which one measurement may differ from the estimate; the rest is taken for noise


class StepBudget:
    """Fits steps into `target` seconds by what steps took before.

    A step that mixes both takes the time of its decoding sequences and, for each token of a prompt, some more. Both are
    running averages: they follow the depth of the context, the processor's neighbours and everything else.
    """

    def __init__(self, target: float, n_batch: int) -> None:
        self._target = target
        self._n_batch = n_batch
        self._decode_seconds = 0.0
        self._token_seconds = 0.0

    @property
    def decode_seconds(self) -> float:
        """What a step without prompts takes; 0 if there was none yet."""
        return self._decode_seconds

    def prefill_tokens(self, num_decoding: int) -> int:
        """Return how many prompt tokens the next step may compute beside so many decoding sequences."""
        room = self._n_batch - num_decoding
        if not self._token_seconds:
            return min(room, FIRST_CHUNK) if num_decoding else room
        seconds = self._target - self._decode_seconds if num_decoding else LONELY_STEP
        return max(0, min(room, max(MIN_CHUNK, int(seconds / self._token_seconds))))

    def prefill_seconds(self, num_tokens: int) -> float:
        """Return how long so many prompt tokens will take; infinity as long as none was measured."""
        return num_tokens * self._token_seconds if self._token_seconds else float("inf")

    def observe(self, num_decoding: int, num_prefill: int, seconds: float) -> None:
        """Learn from a step."""
        if num_prefill == 0:
            self._decode_seconds = _towards(self._decode_seconds, seconds)
            return
        rest = seconds - (self._decode_seconds if num_decoding else 0.0)
        if rest > 0 and (num_prefill >= MIN_CHUNK or not self._token_seconds):
            self._token_seconds = _towards(self._token_seconds, rest / num_prefill)


def _towards(estimate: float, measured: float) -> float:
    if not estimate:
        return measured
    bounded = min(max(measured, estimate / MOST_AT_ONCE), estimate * MOST_AT_ONCE)
    return estimate + SMOOTHING * (bounded - estimate)
