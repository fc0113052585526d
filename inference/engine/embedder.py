"""The engine of embedding and rerank models: many inputs of many requests in one batch, one value for each."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from inference.engine.backend import DecodeError
from inference.engine.batch import Batch
from inference.engine.config import EngineConfig
from inference.engine.engine import ForgetfulEngine
from inference.engine.messages import (
    EmbedRequest,
    EngineStats,
    Failure,
    FailureCode,
    InvalidParameter,
    Output,
    RerankRequest,
)
from inference.engine.pooled import Job, NotNumbers, PooledSequence, embeddings, relevance
from inference.engine.token_requests import VocabularyBackend

LONG_SLOT = 0


class PoolingBackend(Protocol):
    """What the embedder needs of llama.cpp; `inference.engine.pooling_llama.PoolingLlama` is the real one."""

    vocabulary: VocabularyBackend
    max_tokens: int
    can_split: bool
    n_embd: int

    def pair(self, query: str, document: str) -> list[int]: ...

    def decode(self, batch: Batch) -> None: ...

    def vector(self, slot: int) -> np.ndarray: ...

    def relevance(self, slot: int) -> float: ...

    def clear(self, slot: int) -> None: ...


@dataclass(frozen=True)
class Part:
    """The next `num_tokens` tokens of a job's sequence, computed in `slot`."""

    job: Job
    sequence: PooledSequence
    num_tokens: int
    slot: int


class Embedder(ForgetfulEngine):
    """Every step computes one batch, to which the waiting requests contribute one input each in turn.

    Inputs of up to `n_batch` tokens are computed whole. A longer one is computed over several steps, one such input at
    a time, if the model allows it; else it gets a batch of its own. Synchronous and single-threaded, as EngineCore.
    """

    def __init__(self, config: EngineConfig, llama: PoolingBackend) -> None:
        self.vocabulary = llama.vocabulary
        self._n_batch = config.n_batch
        self._num_slots = config.n_seq_max
        self._llama = llama
        self._batch = Batch(max(config.n_batch, llama.max_tokens))
        self._jobs: dict[str, Job] = {}
        self._turns: deque[Job] = deque()  # whose turn it is comes first
        self._long: PooledSequence | None = None  # holds LONG_SLOT between steps

    @property
    def has_work(self) -> bool:
        return bool(self._jobs)

    @property
    def stats(self) -> EngineStats:
        running = sum(job.is_started for job in self._jobs.values())
        return EngineStats(len(self._jobs) - running, running)

    def add_request(self, request: EmbedRequest | RerankRequest) -> Output | None:
        """Queue a request; return its terminal output at once if it cannot be served."""
        try:
            job = self._rerank_job(request) if isinstance(request, RerankRequest) else self._embed_job(request)
        except InvalidParameter as error:
            return Output(request.id, failure=Failure(FailureCode.INVALID_PARAMETER, str(error), param=error.param))
        self._jobs[job.id] = job
        self._turns.append(job)
        return None

    def abort_request(self, request_id: str) -> Output | None:
        """Drop what is left of a request; None if there is no such request (any more)."""
        job = self._jobs.get(request_id)
        if job is None:
            return None
        self._forget(job)
        return Output(request_id, finish_reason="abort")

    def step(self) -> list[Output]:
        """Compute one batch and return the answers it completes."""
        parts = self._schedule()
        self._fill_batch(parts)
        try:
            self._llama.decode(self._batch)
        except DecodeError as error:
            return self._fail(parts, str(error))
        for part in parts:
            self._advance(part)
        finished = {part.job.id: part.job for part in parts if part.job.is_finished}
        for job in finished.values():
            self._forget(job)
        return [_answer(job) for job in finished.values()]

    def _embed_job(self, request: EmbedRequest) -> Job:
        dimensions = request.dimensions or self._llama.n_embd
        if dimensions > self._llama.n_embd:
            message = f"this model's vectors have {self._llama.n_embd} dimensions, got {dimensions}"
            raise InvalidParameter("dimensions", message)
        sequences = [self._tokens(item, index) for index, item in enumerate(request.inputs)]
        for index, tokens in enumerate(sequences):
            self._check_length("input", f"input {index} has", tokens)
        return Job(request.id, sequences, self._llama.vector, partial(embeddings, dimensions=dimensions))

    def _rerank_job(self, request: RerankRequest) -> Job:
        sequences = [self._llama.pair(request.query, document) for document in request.documents]
        for index, tokens in enumerate(sequences):
            self._check_length("documents", f"document {index} and the query have", tokens)
        return Job(request.id, sequences, self._llama.relevance, relevance)

    def _tokens(self, item: str | tuple[int, ...], index: int) -> Sequence[int]:
        if isinstance(item, str):
            return self.vocabulary.tokenize(item, add_special=True)
        highest = self.vocabulary.size - 1
        wrong = next((token for token in item if not 0 <= token <= highest), None)
        if wrong is not None:
            message = f"this model's token ids go from 0 to {highest}, input {index} has {wrong}"
            raise InvalidParameter("input", message)
        return item

    def _check_length(self, param: str, whose: str, tokens: Sequence[int]) -> None:
        limit = self._llama.max_tokens
        if not tokens:
            raise InvalidParameter(param, f"{whose} no tokens")
        if len(tokens) > limit:
            raise InvalidParameter(param, f"{whose} {len(tokens)} tokens, this model takes at most {limit}")

    def _schedule(self) -> list[Part]:
        """Take one input of each job in turn until the batch is full; the next step begins where this one ends."""
        parts: list[Part] = []
        budget, num_passed = self._n_batch, 0
        while num_passed < len(self._turns) and len(parts) < self._num_slots - 1:
            job = self._turns[0]
            if self._must_wait(job):
                num_passed += 1
            else:
                size = self._part_size(job.pending[0], budget, is_first=not parts)
                if size == 0:
                    break
                parts.append(self._take(job, size, slot=len(parts) + 1))
                budget, num_passed = budget - size, 0
            self._turns.rotate(-1)
        return parts

    def _must_wait(self, job: Job) -> bool:
        """Tell whether a job has nothing (more) for this batch."""
        return not job.pending or (self._is_long(job.pending[0]) and self._long not in (None, job.pending[0]))

    def _part_size(self, sequence: PooledSequence, budget: int, is_first: bool) -> int:
        """Return how many tokens of a sequence fit; 0 if it has to begin the next batch."""
        if sequence.num_remaining <= budget:
            return sequence.num_remaining
        if self._is_long(sequence):
            return budget
        return sequence.num_remaining if is_first else 0

    def _is_long(self, sequence: PooledSequence) -> bool:
        return self._llama.can_split and len(sequence.tokens) > self._n_batch

    def _take(self, job: Job, size: int, slot: int) -> Part:
        sequence = job.pending.popleft()
        job.is_started = True
        if self._is_long(sequence):
            self._long, slot = sequence, LONG_SLOT
        return Part(job, sequence, size, slot)

    def _fill_batch(self, parts: list[Part]) -> None:
        self._batch.clear()
        for part in parts:
            start = part.sequence.num_computed
            tokens = part.sequence.tokens[start : start + part.num_tokens]
            self._batch.add(tokens, start, part.slot, want_logits=True)
        self._batch.logits[: self._batch.num_tokens] = 1  # llama.cpp pools over all rows and wants them marked

    def _advance(self, part: Part) -> None:
        """Account for a computed part and, if it is the last one, keep what came out."""
        sequence = part.sequence
        sequence.num_computed += part.num_tokens
        if sequence.num_remaining:
            part.job.pending.appendleft(sequence)
            return
        part.job.finish(sequence, part.slot)
        self._release(sequence, part.slot)

    def _release(self, sequence: PooledSequence, slot: int) -> None:
        self._llama.clear(slot)
        if sequence is self._long:
            self._long = None

    def _fail(self, parts: list[Part], message: str) -> list[Output]:
        """End all jobs of a batch that could not be computed."""
        for part in parts:
            self._release(part.sequence, part.slot)
        jobs = {part.job.id: part.job for part in parts}
        for job in jobs.values():
            self._forget(job)
        return [Output(name, failure=Failure(FailureCode.DECODE_FAILED, message)) for name in jobs]

    def _forget(self, job: Job) -> None:
        del self._jobs[job.id]
        self._turns.remove(job)
        if self._long in job.pending:
            self._release(self._long, LONG_SLOT)


def _answer(job: Job) -> Output:
    """Return the terminal output of a finished job."""
    try:
        return Output(job.id, value=job.answer)
    except NotNumbers as error:
        return Output(job.id, failure=Failure(FailureCode.DECODE_FAILED, str(error)))
