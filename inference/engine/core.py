"""The engine's heart: requests in, one `step` after the other, outputs out."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from inference.engine.batch import Batch
from inference.engine.config import EngineConfig
from inference.engine.guide import ConstraintError, Matcher
from inference.engine.kv_cache import KVBackend, KVCache
from inference.engine.messages import (
    Constraint,
    EngineStats,
    Failure,
    FailureCode,
    GenerateRequest,
    InvalidParameter,
    Output,
    TokenLogprob,
    Usage,
)
from inference.engine.prefix_index import Promise
from inference.engine.sampler_threads import Sampled, SamplerThreads
from inference.engine.scheduler import Chunk, Scheduler
from inference.engine.sequence import Sampler, Sequence
from inference.engine.speculator import Speculator
from inference.engine.step_budget import StepBudget
from inference.engine.token_requests import VocabularyBackend, refused

MIN_CHUNK = 32  # tokens of a prompt in a step
MIN_FLASH_CHUNK = 64  # on a CPU, flash attention is slow for fewer (Q_TILE_SZ in ggml/src/ggml-cpu/ops.cpp)
MOVE_STEPS = 4  # steps whose time it may take to move a sequence to where it is computed together with the others


class DecodeError(Exception):
    """llama.cpp refused a batch or failed while computing it."""


class OutOfCells(DecodeError):
    """There are not enough free KV cells for a batch; nothing of it was computed."""


class LlamaBackend(KVBackend, Protocol):
    """What the core needs of llama.cpp; `inference.engine.llama.Llama` is the real one."""

    vocabulary: VocabularyBackend
    num_slots: int
    is_partitioned: bool

    def compile(self, constraint: Constraint) -> "Future[Matcher]": ...

    def new_sampler(self, request: GenerateRequest, prompt: list[int], grammar: Matcher | None) -> Sampler: ...

    def decode(self, batch: Batch) -> None: ...

    def logprob(self, row: int, token: int, num_alternatives: int) -> TokenLogprob: ...


@dataclass(frozen=True)
class _Pending:
    """A request on its way to the queue."""

    request: GenerateRequest
    tokens: list[int]
    grammar: "Future[Matcher] | None"

    @property
    def is_ready(self) -> bool:
        return self.grammar is None or self.grammar.done()


class EngineCore:
    """Continuous batching: every step computes one token of each decoding sequence and a part of the prompts.

    config: a planned one, without open values. speculator: None computes one token at a time.

    Synchronous and single-threaded. `add_request` and `abort_request` take effect with the next `step`.
    """

    def __init__(
        self,
        config: EngineConfig,
        llama: LlamaBackend,
        speculator: Speculator | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._config = config
        self._llama = llama
        self._clock = clock
        self.vocabulary = llama.vocabulary
        min_chunk = MIN_CHUNK if config.flash_attention == "off" else MIN_FLASH_CHUNK
        budget = StepBudget(config.step_target_ms / 1000, config.n_batch, min_chunk)
        self._scheduler = Scheduler(config.n_seq_max, budget, clock)
        self._cache = KVCache(llama, llama.num_slots, config.host_cache_bytes or 0, budget.prefill_seconds, clock)
        self._batch = Batch(config.n_batch)
        self._sequences: dict[str, Sequence] = {}
        self._speculator = speculator
        self._threads = SamplerThreads(config.n_threads or 1)
        self._pending: dict[str, _Pending] = {}
        self._promises: dict[str, Promise] = {}

    @property
    def has_work(self) -> bool:
        return self._scheduler.has_work or any(each.is_ready for each in self._pending.values())

    @property
    def stats(self) -> EngineStats:
        scheduler, cache = self._scheduler, self._cache
        return EngineStats(len(scheduler.waiting), len(scheduler.running), cache.num_tokens, cache.num_saved_bytes)

    def add_request(self, request: GenerateRequest) -> Output | None:
        """Queue a request; return its terminal output at once if it cannot be served.

        A request with a constraint waits until the grammar is compiled; the backend tells when that is.
        """
        try:
            tokens = self.vocabulary.prompt_tokens(request.prompt, request.suffix)
        except InvalidParameter as error:
            return refused(request.id, error)
        if failure := self._refusal(len(tokens)):
            return Output(request.id, failure=failure)
        grammar = self._llama.compile(request.constraint) if request.constraint else None
        pending = _Pending(request, tokens, grammar)
        if not pending.is_ready:
            self._pending[request.id] = pending
            return None
        return self._start(pending)

    def abort_request(self, request_id: str) -> Output | None:
        """Free the request's sequence; None if there is no such request (any more)."""
        pending = self._pending.pop(request_id, None)
        if pending:
            return Output(request_id, finish_reason="abort", usage=Usage(len(pending.tokens), 0, 0))
        sequence = self._sequences.get(request_id)
        if sequence is None:
            return None
        self._forget(sequence)
        return Output(request_id, finish_reason="abort", usage=sequence.usage)

    def step(self) -> list[Output]:
        """Admit, decode, sample: compute one batch and return what it led to."""
        outputs = self._start_pending()
        self._admit()
        if self._llama.is_partitioned:
            self._cache.compact(MOVE_STEPS * self._scheduler.budget.decode_seconds)
        if chunks := self._scheduler.schedule():
            outputs += self._compute(chunks)
        return outputs

    def _compute(self, chunks: list[Chunk]) -> list[Output]:
        started = self._clock()
        prompts = [chunk for chunk in chunks if chunk.sequence.is_prefilling]
        num_decoding, num_prefill = len(chunks) - len(prompts), sum(chunk.num_tokens for chunk in prompts)
        depths = sum(chunk.num_tokens * (chunk.sequence.num_computed + chunk.num_tokens / 2) for chunk in prompts)
        if self._speculator and num_prefill == 0:
            chunks = self._speculator.extend(chunks)
        rows = self._fill_batch(chunks)
        try:
            self._llama.decode(self._batch)
        except OutOfCells as error:
            return self._make_room(str(error))
        except DecodeError as error:
            return [self._fail(chunk.sequence, str(error)) for chunk in chunks]
        complete = [(chunk, row) for chunk, row in zip(chunks, rows, strict=True) if self._account(chunk, row)]
        tokens = self._threads.sample([(chunk.sequence.sampler, row) for chunk, row in complete])
        outputs = [
            output for each, token in zip(complete, tokens, strict=True) for output in self._advance(*each, token)
        ]
        seconds = self._clock() - started
        if not any(chunk.draft for chunk in chunks):
            self._scheduler.budget.observe(num_decoding, num_prefill, seconds, depths / max(num_prefill, 1))
        if self._speculator and num_prefill == 0:
            self._speculator.observe(chunks, seconds)
        return outputs

    def _make_room(self, reason: str) -> list[Output]:
        """Free cells for the next step: those of an idle sequence, else those of the youngest running one."""
        if self._cache.drop_idle():
            return []
        *others, youngest = sorted(self._scheduler.running, key=lambda sequence: sequence.queued_at)
        if not others:
            return [self._fail(youngest, reason)]
        self._cache.release(youngest)
        self._scheduler.send_back(youngest)
        self._cache.drop_idle()
        return []

    def _start_pending(self) -> list[Output]:
        """Queue the requests whose grammars have become ready."""
        ready = [each for each in self._pending.values() if each.is_ready]
        for each in ready:
            del self._pending[each.request.id]
        return [output for each in ready if (output := self._start(each))]

    def _start(self, pending: _Pending) -> Output | None:
        """Make a sequence of a request; return its terminal output if the model cannot do what it asks for."""
        request, tokens = pending.request, pending.tokens
        try:
            grammar = pending.grammar.result() if pending.grammar else None
            sampler = self._llama.new_sampler(request, tokens, grammar)
        except InvalidParameter as error:
            return refused(request.id, error)
        markers = self.vocabulary.markers(request.markers)
        sequence = Sequence(request, tokens, sampler, self._config.n_ctx, markers)
        self._sequences[request.id] = sequence
        self._scheduler.add(sequence)
        return None

    def _admit(self) -> None:
        """Give waiting sequences their slots, with the KV cells of what is computed of their prompts."""
        while self._cache.has_idle_slot and (sequence := self._scheduler.next_waiting(self._is_ready)):
            sequence.num_computed = self._cache.acquire(sequence)
            if not sequence.num_generated:
                sequence.num_cached = sequence.num_computed
            self._scheduler.start(sequence)

    def _is_ready(self, sequence: Sequence) -> bool:
        """Say whether a sequence should start now, rather than wait for another one to compute the same prefix."""
        promise = self._promises.get(sequence.id)
        if promise is None or not promise.is_open:
            promise = self._cache.promise(sequence.prefix)
        if promise is None:
            self._promises.pop(sequence.id, None)
            return True
        self._promises[sequence.id] = promise
        return False

    def _fill_batch(self, chunks: list[Chunk]) -> list[int]:
        """Write the chunks into the batch; return the row of each chunk's last token, without its draft."""
        self._batch.clear()
        rows = []
        for chunk in chunks:
            sequence = chunk.sequence
            start, end = sequence.num_computed, sequence.num_computed + chunk.num_tokens
            tokens = [*sequence.tokens[start:end], *chunk.draft]
            want_all = sequence.scores_prompt or bool(chunk.draft)
            last = self._batch.add(tokens, start, sequence.slot, end == len(sequence.tokens), want_all)
            rows.append(last - len(chunk.draft))
        return rows

    def _account(self, chunk: Chunk, row: int) -> bool:
        """Account for a computed chunk; return whether its sequence is computed as far as it goes."""
        sequence = chunk.sequence
        if sequence.scores_prompt and sequence.is_prefilling:
            self._score_prompt(chunk, row)
        sequence.num_computed += chunk.num_tokens
        if sequence.num_computed in sequence.cuts:
            self._cache.checkpoint(sequence)
        return not sequence.num_remaining

    def _advance(self, chunk: Chunk, row: int, token: Sampled) -> list[Output]:
        """Append the token sampled from `row` and, as long as they were guessed right, those after it.

        Every token comes from the sequence's own sampler and from the logits after the right tokens: the answer is the
        same as without guesses.
        """
        sequence = chunk.sequence
        outputs = []
        for guess in (*chunk.draft, None):
            if isinstance(token, ConstraintError):
                outputs.append(Output(sequence.id, failure=Failure(FailureCode.CONSTRAINT_FAILED, str(token))))
                break
            if output := self._append(sequence, token, row):
                outputs.append(output)
            if token != guess or sequence.finish_reason:
                break
            sequence.num_computed += 1
            chunk.num_accepted += 1
            row += 1
            (token,) = self._threads.sample([(sequence.sampler, row)])
        if chunk.draft:
            self._llama.truncate(sequence.slot, sequence.num_computed)
        if any(output.finished for output in outputs):
            self._forget(sequence)
        return outputs

    def _append(self, sequence: Sequence, token: int, row: int) -> Output | None:
        count = sequence.num_alternatives
        logprob = None if count is None else self._llama.logprob(row, token, count)
        piece = sequence.markers.get(token) or self.vocabulary.piece(token)
        return sequence.append(token, piece, self.vocabulary.is_end(token), logprob)

    def _score_prompt(self, chunk: Chunk, last_row: int) -> None:
        """Note the log probability of every prompt token that follows a token of the chunk."""
        sequence = chunk.sequence
        first = sequence.num_computed + 1
        if first == 1:
            sequence.prompt_logprobs.append(TokenLogprob(self.vocabulary.spelling(sequence.tokens[0]), None))
        row = last_row - chunk.num_tokens + 1
        for token in sequence.tokens[first : first + chunk.num_tokens]:
            scored = self._llama.logprob(row, token, sequence.num_prompt_alternatives)
            sequence.prompt_logprobs.append(scored)
            row += 1

    def _fail(self, sequence: Sequence, message: str) -> Output:
        """End a sequence whose KV cells are in doubt: drop them all."""
        self._llama.truncate(sequence.slot, 0)
        sequence.num_computed = 0
        self._forget(sequence)
        return Output(sequence.id, failure=Failure(FailureCode.DECODE_FAILED, message))

    def _forget(self, sequence: Sequence) -> None:
        """End a sequence, wherever it stands; what it computed stays in its slot for others."""
        self._scheduler.remove(sequence)
        if sequence.entry:
            self._cache.release(sequence)
        self._promises.pop(sequence.id, None)
        if self._speculator:
            self._speculator.forget(sequence)
        del self._sequences[sequence.id]
        sequence.sampler.close()

    def _refusal(self, num_tokens: int) -> Failure | None:
        n_ctx = self._config.n_ctx
        if num_tokens == 0:
            return Failure(FailureCode.EMPTY_PROMPT, "the prompt is empty")
        if num_tokens >= n_ctx:
            return Failure(
                FailureCode.CONTEXT_LENGTH_EXCEEDED,
                f"the prompt has {num_tokens} tokens, the context {n_ctx}",
                context_length=n_ctx,
                prompt_tokens=num_tokens,
            )
        return None
