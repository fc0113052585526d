"""The engine's heart: requests in, one `step` after the other, outputs out."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from inference.engine.batch import Batch
from inference.engine.config import EngineConfig
from inference.engine.guide import ConstraintError, Matcher
from inference.engine.kv_cache import KVBackend, KVCache, Promise
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
from inference.engine.scheduler import Chunk, Scheduler
from inference.engine.sequence import Sampler, Sequence
from inference.engine.step_budget import StepBudget
from inference.engine.token_requests import VocabularyBackend, refused

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
class _Draft:
    """A request on its way to the queue."""

    request: GenerateRequest
    tokens: list[int]
    grammar: "Future[Matcher] | None"

    @property
    def is_ready(self) -> bool:
        return self.grammar is None or self.grammar.done()


class EngineCore:
    """Continuous batching: every step computes one token of each decoding sequence and a part of the prompts.

    config: a planned one, without open values.

    Synchronous and single-threaded. `add_request` and `abort_request` take effect with the next `step`.
    """

    def __init__(
        self, config: EngineConfig, llama: LlamaBackend, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._config = config
        self._llama = llama
        self._clock = clock
        self.vocabulary = llama.vocabulary
        budget = StepBudget(config.step_target_ms / 1000, config.n_batch)
        self._scheduler = Scheduler(config.n_seq_max, budget, clock)
        self._cache = KVCache(llama, llama.num_slots, config.host_cache_bytes or 0, budget.prefill_seconds, clock)
        self._batch = Batch(config.n_batch)
        self._sequences: dict[str, Sequence] = {}
        self._drafts: dict[str, _Draft] = {}
        self._promises: dict[str, Promise] = {}

    @property
    def has_work(self) -> bool:
        return self._scheduler.has_work or any(draft.is_ready for draft in self._drafts.values())

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
        draft = _Draft(request, tokens, grammar)
        if not draft.is_ready:
            self._drafts[request.id] = draft
            return None
        return self._start(draft)

    def abort_request(self, request_id: str) -> Output | None:
        """Free the request's sequence; None if there is no such request (any more)."""
        draft = self._drafts.pop(request_id, None)
        if draft:
            return Output(request_id, finish_reason="abort", usage=Usage(len(draft.tokens), 0, 0))
        sequence = self._sequences.get(request_id)
        if sequence is None:
            return None
        self._forget(sequence)
        return Output(request_id, finish_reason="abort", usage=sequence.usage)

    def step(self) -> list[Output]:
        """Admit, decode, sample: compute one batch and return what it led to."""
        outputs = self._start_drafts()
        self._admit()
        if self._llama.is_partitioned:
            self._cache.compact(MOVE_STEPS * self._scheduler.budget.decode_seconds)
        if chunks := self._scheduler.schedule():
            outputs += self._compute(chunks)
        return [output for output in outputs if output]

    def _compute(self, chunks: list[Chunk]) -> list[Output | None]:
        started = self._clock()
        rows = self._fill_batch(chunks)
        try:
            self._llama.decode(self._batch)
        except OutOfCells as error:
            return self._make_room(str(error))
        except DecodeError as error:
            return [self._fail(chunk.sequence, str(error)) for chunk in chunks]
        num_prefill = sum(chunk.num_tokens for chunk in chunks if chunk.sequence.is_prefilling)
        num_decoding = self._batch.num_tokens - num_prefill
        outputs = [self._advance(chunk, row) for chunk, row in zip(chunks, rows, strict=True)]
        self._scheduler.budget.observe(num_decoding, num_prefill, self._clock() - started)
        return outputs

    def _make_room(self, reason: str) -> list[Output | None]:
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

    def _start_drafts(self) -> list[Output | None]:
        """Queue the requests whose grammars have become ready."""
        ready = [draft for draft in self._drafts.values() if draft.is_ready]
        for draft in ready:
            del self._drafts[draft.request.id]
        return [self._start(draft) for draft in ready]

    def _start(self, draft: _Draft) -> Output | None:
        """Make a sequence of a request; return its terminal output if the model cannot do what it asks for."""
        request, tokens = draft.request, draft.tokens
        try:
            grammar = draft.grammar.result() if draft.grammar else None
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
        """Write the chunks into the batch; return the row of each chunk's last token."""
        self._batch.clear()
        rows = []
        for chunk in chunks:
            sequence = chunk.sequence
            start, end = sequence.num_computed, sequence.num_computed + chunk.num_tokens
            is_last = end == len(sequence.tokens)
            tokens, want_all = sequence.tokens[start:end], sequence.scores_prompt
            rows.append(self._batch.add(tokens, start, sequence.slot, is_last, want_all))
        return rows

    def _advance(self, chunk: Chunk, row: int) -> Output | None:
        """Account for a computed chunk and, when it completes the sequence so far, sample its next token."""
        sequence = chunk.sequence
        if sequence.scores_prompt and sequence.is_prefilling:
            self._score_prompt(chunk, row)
        sequence.num_computed += chunk.num_tokens
        if sequence.num_computed in sequence.cuts:
            self._cache.checkpoint(sequence)
        if sequence.num_remaining:
            return None
        try:
            token = sequence.sampler.sample(row)
        except ConstraintError as error:
            self._forget(sequence)
            return Output(sequence.id, failure=Failure(FailureCode.CONSTRAINT_FAILED, str(error)))
        count = sequence.num_alternatives
        logprob = None if count is None else self._llama.logprob(row, token, count)
        piece = sequence.markers.get(token) or self.vocabulary.piece(token)
        output = sequence.append(token, piece, self.vocabulary.is_end(token), logprob)
        if sequence.finish_reason:
            self._forget(sequence)
        return output

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
