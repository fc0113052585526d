"""One request while the engine works on it."""

from typing import Protocol

from inference.engine.detokenizer import Detokenizer
from inference.engine.entry import Entry
from inference.engine.messages import FinishReason, GenerateRequest, Output, Start, TokenLogprob, Usage

MAX_SCORED = 128  # prompt tokens scored in one step: each takes the memory of the logits of a whole vocabulary


class Sampler(Protocol):
    """Chooses the next token from the logits of one row of the last batch.

    in_threads: whether several may do that at the same time.
    """

    in_threads: bool

    def sample(self, row: int) -> int: ...

    def close(self) -> None: ...


class Sequence:
    """The tokens of a request and how far they are computed.

    `tokens` holds the prompt and what was generated; the first `num_computed` of them stand in the KV cache, in the
    slot of its `entry`. What remains is computed next: several tokens during prefill, one at a time while decoding.
    `cuts` are lengths of the prompt at which a chunk has to end, because the cache wants a checkpoint there.
    `markers` are the control tokens that appear in the text, with their spelling.
    """

    def __init__(
        self,
        request: GenerateRequest,
        prompt_tokens: list[int],
        sampler: Sampler,
        n_ctx: int,
        markers: dict[int, bytes],
    ) -> None:
        self.id = request.id
        self.client = request.client
        self.priority = request.priority
        self.queued_at = 0.0
        self.started_at: float | None = None
        self.is_reported = False
        self.tokens = prompt_tokens
        self.num_prompt = len(prompt_tokens)
        self.num_cached = 0
        self.num_computed = 0
        self.cuts: set[int] = set()
        self.entry: Entry | None = None
        self.sampler = sampler
        self.markers = markers
        self.finish_reason: FinishReason | None = None
        self.num_alternatives = request.sampling.logprobs
        self.num_prompt_alternatives = request.prompt_logprobs
        self.prompt_logprobs: list[TokenLogprob] = []
        self._num_unreported = 0
        self._logprobs: list[TokenLogprob] = []
        self._detokenizer = Detokenizer(request.sampling.stop)
        self._max_tokens = min(request.sampling.max_tokens or n_ctx, n_ctx - self.num_prompt)

    @property
    def num_remaining(self) -> int:
        return len(self.tokens) - self.num_computed

    @property
    def num_generated(self) -> int:
        return len(self.tokens) - self.num_prompt

    @property
    def slot(self) -> int | None:
        return self.entry.slot if self.entry else None

    @property
    def is_prefilling(self) -> bool:
        """Whether more than the newest token has to be computed; after an interruption, of the answer as well."""
        return self.num_computed < self.num_prompt or self.num_remaining > 1

    @property
    def num_wanted(self) -> int:
        """The most tokens that it may still generate."""
        return self._max_tokens - self.num_generated

    @property
    def max_draft(self) -> int:
        """The tokens it may still generate beside the next one."""
        return self.num_wanted - 1

    @property
    def num_until_cut(self) -> int:
        """The most that may be computed of it in one step."""
        ends = [cut for cut in self.cuts if cut > self.num_computed]
        until = min([len(self.tokens), *ends]) - self.num_computed
        return min(until, MAX_SCORED) if self.scores_prompt else until

    @property
    def scores_prompt(self) -> bool:
        """Whether the log probabilities of the prompt's own tokens are wanted."""
        return self.num_prompt_alternatives is not None

    @property
    def prefix(self) -> list[int]:
        """The tokens as far as they may come from the cache, which has no logits."""
        return self.tokens[:1] if self.scores_prompt else self.tokens

    def start(self, now: float) -> Start:
        """Return what its first output tells; from then on it is reported."""
        self.is_reported = True
        return Start(self.num_prompt, self.num_cached, now - self.started_at)

    @property
    def usage(self) -> Usage:
        return Usage(self.num_prompt, self.num_generated, self.num_cached)

    def append(self, token: int, piece: bytes, is_end: bool, logprob: TokenLogprob | None = None) -> Output | None:
        """Take a sampled token; return the output it leads to, or None while its text is held back."""
        self.tokens.append(token)
        self._num_unreported += 1
        text = "" if is_end else self._detokenizer.feed(piece)
        if logprob and not is_end:
            self._logprobs.append(logprob)
        if self._detokenizer.stopped:
            self._logprobs.clear()  # of the stop string, which is no part of the answer
        if is_end or self._detokenizer.stopped:
            self.finish_reason = "stop"
        elif self.num_generated >= self._max_tokens:
            self.finish_reason = "length"
        if self.finish_reason:
            text += self._detokenizer.finish()
            return self._report(text, self.usage)
        return self._report(text) if text else None

    def _report(self, text: str, usage: Usage | None = None) -> Output:
        output = Output(
            self.id,
            text,
            self.finish_reason,
            usage=usage,
            num_tokens=self._num_unreported,
            logprobs=tuple(self._logprobs),
            prompt_logprobs=tuple(self.prompt_logprobs),
        )
        self._num_unreported = 0
        self._logprobs.clear()
        self.prompt_logprobs.clear()
        return output
