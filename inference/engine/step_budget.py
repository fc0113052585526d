"""How much of the prompts a step may compute, so that the streams beside them go on."""

from inference.engine.line import Line
from inference.engine.prompt_parts import PLAIN, PromptParts

FIRST_CHUNK = 128  # tokens, until a step has been measured; two tiles of flash attention (prompt_parts.py)
LONELY_STEP = 1.0  # seconds that a step may take while nobody generates: newcomers and aborts wait for its end
LEAST_SHARE = 5  # of prompts, in steps of the streams: these hold a prompt up by a fifth of its time
SHORTEST = 1e-9  # seconds that a token of a prompt takes at least
MOST_AT_ONCE = 4.0  # factor by which a measurement may differ from what was expected; the rest is taken for noise


class StepBudget:
    """Fits steps into `target` seconds by what steps took before, unless the streams alone take much of it.

    A step that mixes both takes the time of its decoding sequences, the more, the more there are, and for each token of
    a prompt some more: the more, the deeper in its context the token stands. Both are measured all the time, with
    whatever else the machine does.

    parts: those in which prompts are computed. shares_batch: whether decoding sequences have rows of the same batch.
    """

    def __init__(self, target: float, n_batch: int, parts: PromptParts = PLAIN, shares_batch: bool = True) -> None:
        self._n_batch = n_batch
        self._shares_batch = shares_batch
        self.parts = parts
        self._target = target
        self._token_seconds = Line(is_flat=True)  # over the depth
        self._decode_seconds = Line(is_flat=True)  # of a step without prompts, over its sequences

    def prefill_tokens(self, num_decoding: int, depth: int = 0) -> int:
        """Return how many tokens of a prompt, from `depth` on, fit beside so many decoding sequences."""
        room = self._n_batch - (num_decoding if self._shares_batch else 0)
        if not self._token_seconds.weight:
            return min(room, FIRST_CHUNK) if num_decoding else room
        seconds = self._seconds_beside(num_decoding) if num_decoding else LONELY_STEP
        count = min(seconds / self._seconds_at(depth), room)
        count = seconds / self._seconds_at(depth + count / 2)  # the mean depth of that many
        return max(0, min(room, max(self.parts.least, int(count))))

    @property
    def cheap_tokens(self) -> int:
        """How many tokens of short prompts belong together: a pass over the weights alone takes as long as these."""
        if not (self._token_seconds.weight and self._decode_seconds.weight):
            return self.parts.least
        return max(self.parts.least, int(self.decode_seconds(1) / self._seconds_at(0)))

    def decode_seconds(self, num_decoding: int) -> float:
        """Return how long a step without prompts takes; 0 if there was none yet, or nobody decodes."""
        return self._decode_seconds.at(num_decoding) if num_decoding else 0.0

    def prefill_seconds(self, num_tokens: int) -> float:
        """Return how long a prompt of so many tokens will take; infinity as long as none was measured."""
        return num_tokens * self._token_seconds.at(num_tokens / 2) if self._token_seconds.weight else float("inf")

    def observe(self, num_decoding: int, num_prefill: int, seconds: float, depth: float = 0) -> None:
        """Learn from a step. depth: the mean one of its prompts' tokens."""
        if num_prefill == 0:
            self._decode_seconds.add(num_decoding, _bounded(seconds, self.decode_seconds(num_decoding)))
            return
        rest = seconds - self.decode_seconds(num_decoding)
        if rest > 0 and (num_prefill >= self.parts.least or not self._token_seconds.weight):
            self._token_seconds.add(depth, _bounded(rest / num_prefill, self._token_seconds.at(depth)))

    def _seconds_beside(self, num_decoding: int) -> float:
        """Return the time that prompts get beside so many decoding sequences.

        A low target bounds the least share, too: whoever sets one wants smooth streams.
        """
        seconds = self.decode_seconds(num_decoding)
        return max(self._target - seconds, LEAST_SHARE * min(seconds, self._target))

    def _seconds_at(self, depth: float) -> float:
        """Return what a token at this depth takes; a line through deep ones only may say 0 at its start."""
        return max(self._token_seconds.at(depth), SHORTEST)


def _bounded(measured: float, expected: float) -> float:
    return min(max(measured, expected / MOST_AT_ONCE), expected * MOST_AT_ONCE) if expected else measured
