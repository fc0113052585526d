"""The engine's heart: requests in, one `step` after the other, outputs out."""

import time
from collections.abc import Callable
from dataclasses import replace

from inference.engine.admission import Admission, Pending, PendingRequests, refusal
from inference.engine.backend import DecodeError, LlamaBackend, OutOfCells
from inference.engine.batch import Batch
from inference.engine.config import EngineConfig
from inference.engine.disk_tier import DiskTier
from inference.engine.guide import ConstraintError
from inference.engine.kv_cache import KVCache
from inference.engine.messages import (
    EngineStats,
    Failure,
    FailureCode,
    GenerateRequest,
    InvalidParameter,
    Output,
    Usage,
)
from inference.engine.prompt_parts import prompt_parts
from inference.engine.prompt_scores import score_prompt
from inference.engine.row_padding import RowPadding
from inference.engine.sampler_threads import Sampled, SamplerThreads
from inference.engine.scheduler import Chunk, Scheduler
from inference.engine.sequence import Sequence
from inference.engine.speculator import Speculator
from inference.engine.step_budget import StepBudget
from inference.engine.token_requests import refused

IDLE_SECONDS = 3.0  # without work, before idle sequences are written to disk
MOVE_STEPS = 4  # steps whose time it may take to move a sequence to where it is computed together with the others


class EngineCore:
    """Continuous batching: every step computes one token of each decoding sequence and a part of the prompts.

    config: a planned one, without open values. speculator: None computes one token at a time. disk: None forgets all
    conversations with the process.

    Synchronous and single-threaded. `add_request` and `abort_request` take effect with the next `step`.
    """

    def __init__(
        self,
        config: EngineConfig,
        llama: LlamaBackend,
        speculator: Speculator | None = None,
        clock: Callable[[], float] = time.perf_counter,
        disk: DiskTier | None = None,
    ) -> None:
        self._config = config
        self._llama = llama
        self._clock = clock
        self.vocabulary = llama.vocabulary
        parts = prompt_parts(config.flash_attention)
        budget = StepBudget(config.step_target_ms / 1000, config.n_batch, parts, llama.mixes_lengths)
        self._scheduler = Scheduler(config.n_seq_max, budget, llama.mixes_lengths, clock)
        host_bytes = config.host_cache_bytes or 0
        self._cache = KVCache(llama, llama.num_slots, host_bytes, budget.prefill_seconds, clock, disk)
        self._idle_since = clock()
        self._batch = Batch(config.n_batch)
        self._padding = RowPadding(llama, self._cache, config)
        self._sequences: dict[str, Sequence] = {}
        self._speculator = speculator
        self._threads = SamplerThreads(config.n_threads or 1)
        self._pending = PendingRequests()
        self._admission = Admission(self._scheduler, self._cache)

    @property
    def has_work(self) -> bool:
        return bool(self._scheduler.running) or self._pending.has_ready or self._admission.has_work

    @property
    def stats(self) -> EngineStats:
        scheduler, cache = self._scheduler, self._cache
        queues = len(scheduler.waiting), len(scheduler.running)
        drafts = self._speculator.counts if self._speculator else (0, 0)
        return EngineStats(*queues, cache.num_tokens, *cache.num_stored, cache.num_saved_bytes, *drafts)

    @property
    def rest_seconds(self) -> float | None:
        """Return after how many seconds without work `rest` has something to do; None: not before there was work."""
        if not self._cache.has_unstored:
            return None
        return max(0.0, self._idle_since + IDLE_SECONDS - self._clock())

    def add_request(self, request: GenerateRequest) -> Output | None:
        """Queue a request; return its terminal output at once if it cannot be served.

        A request with a constraint waits until the grammar is compiled; the backend tells when that is.
        """
        try:
            tokens = self.vocabulary.prompt_tokens(request.prompt, request.suffix)
        except InvalidParameter as error:
            return refused(request.id, error)
        if failure := refusal(len(tokens), self._config.n_ctx):
            return Output(request.id, failure=failure)
        grammar = self._llama.compile(request.constraint) if request.constraint else None
        pending = Pending(request, tokens, grammar)
        if pending.is_ready:
            return self._start(pending)
        self._pending.add(pending)
        return None

    def abort_request(self, request_id: str) -> Output | None:
        """Free the request's sequence; None if there is no such request (any more)."""
        if pending := self._pending.take(request_id):
            return Output(request_id, finish_reason="abort", usage=Usage(len(pending.tokens), 0, 0))
        sequence = self._sequences.get(request_id)
        if sequence is None:
            return None
        self._forget(sequence)
        return Output(request_id, finish_reason="abort", usage=sequence.usage)

    def rest(self) -> None:
        """Use the time without work: have one idle sequence written to disk."""
        self._cache.settle()
        if self.rest_seconds == 0:
            self._cache.store_one()

    def close(self, seconds: float) -> None:
        """End all requests without a word, and write what is not on disk yet, for as long as this."""
        for sequence in list(self._sequences.values()):
            self._forget(sequence)
        self._cache.close(seconds)

    def step(self) -> list[Output]:
        """Admit, decode, sample: compute one batch and return what it led to."""
        self._idle_since = self._clock()
        self._cache.settle()
        outputs = [output for pending in self._pending.take_ready() if (output := self._start(pending))]
        self._admission.admit()
        if self._llama.is_partitioned:
            self._cache.compact(MOVE_STEPS * self._scheduler.decode_seconds)
        if chunks := self._scheduler.schedule():
            outputs += self._compute(chunks)
        return outputs

    def _compute(self, chunks: list[Chunk]) -> list[Output]:
        started = self._clock()
        speculator = None if any(chunk.is_prompt for chunk in chunks) else self._speculator
        if speculator:
            chunks = speculator.extend(chunks)
        rows = self._batch.fill(chunks, self._padding.pad(chunks))
        try:
            self._llama.decode(self._batch)
        except OutOfCells as error:
            return self._make_room(str(error))
        except DecodeError as error:
            return [self._fail(chunk.sequence, str(error)) for chunk in chunks]
        finally:
            self._padding.undo()
        complete = [(chunk, row) for chunk, row in zip(chunks, rows, strict=True) if self._account(chunk, row)]
        tokens = self._threads.sample([(chunk.sequence.sampler, row) for chunk, row in complete])
        outputs = [
            output for each, token in zip(complete, tokens, strict=True) for output in self._advance(*each, token)
        ]
        seconds = self._clock() - started
        self._padding.observe(seconds)
        if not any(chunk.draft for chunk in chunks):
            self._scheduler.observe(chunks, seconds)
        if speculator:
            speculator.observe(chunks, seconds)
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

    def _start(self, pending: Pending) -> Output | None:
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

    def _account(self, chunk: Chunk, row: int) -> bool:
        """Account for a computed chunk; return whether its sequence is computed as far as it goes."""
        sequence = chunk.sequence
        if sequence.scores_prompt and sequence.is_prefilling:
            score_prompt(self._llama, chunk, row)
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
        output = sequence.append(token, piece, self.vocabulary.is_end(token), logprob)
        is_first = output and not sequence.is_reported
        return replace(output, start=sequence.start(self._clock())) if is_first else output

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
        self._admission.forget(sequence)
        if self._speculator:
            self._speculator.forget(sequence)
        del self._sequences[sequence.id]
        sequence.sampler.close()
