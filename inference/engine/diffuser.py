"""The engine of diffusion models: each step computes a whole text, and fills in what the model is surest of.

Such a model sees all of a text at once and says what belongs into its masked places, in no order. So nothing can be
kept from step to step or from request to request, and a step takes as long as a prompt of the whole text.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np

from inference.engine.admission import refusal
from inference.engine.backend import DecodeError
from inference.engine.batch import Batch
from inference.engine.canvas import LENGTH, Canvas, Fixed, sure_places
from inference.engine.config import EngineConfig
from inference.engine.engine import ForgetfulEngine
from inference.engine.messages import (
    EngineStats,
    Failure,
    FailureCode,
    GenerateRequest,
    InvalidParameter,
    Output,
    TokenLogprob,
)
from inference.engine.sampler_chain import SamplerChain
from inference.engine.sequence import Sequence
from inference.engine.sequence_queue import SequenceQueue
from inference.engine.token_requests import VocabularyBackend, refused

SLOT = 0  # the only sequence id: one text is computed at a time
NO_ORDER = "this is a diffusion model, which does not write token after token"


class DiffusionBackend(Protocol):
    """What the diffuser needs of llama.cpp; `inference.engine.diffusion_llama.DiffusionLlama` is the real one.

    shifts_logits: whether what belongs into a place is said by the row before it.
    """

    vocabulary: VocabularyBackend
    mask_token: int
    shifts_logits: bool

    def new_sampler(self, request: GenerateRequest, prompt: list[int], grammar: None) -> SamplerChain: ...

    def decode(self, batch: Batch) -> None: ...

    def logits(self, row: int) -> np.ndarray: ...

    def logprob(self, row: int, token: int, num_alternatives: int) -> TokenLogprob: ...


class Diffuser(ForgetfulEngine):
    """The running sequences take turns, a step each. Synchronous and single-threaded, as EngineCore."""

    def __init__(
        self, config: EngineConfig, llama: DiffusionBackend, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.vocabulary = llama.vocabulary
        self._llama = llama
        self._n_ctx = config.n_ctx
        self._clock = clock
        self._queue = SequenceQueue(config.n_seq_max, clock)
        self._batch = Batch(config.n_ctx)
        self._sequences: dict[str, Sequence] = {}
        self._canvases: dict[str, Canvas] = {}

    @property
    def has_work(self) -> bool:
        return bool(self._sequences)

    @property
    def stats(self) -> EngineStats:
        return EngineStats(len(self._queue.waiting), len(self._queue.running))

    def add_request(self, request: GenerateRequest) -> Output | None:
        """Queue a request; return its terminal output at once if it cannot be served."""
        try:
            _refuse_order(request)
            tokens = self.vocabulary.prompt_tokens(request.prompt, request.suffix)
            if failure := refusal(len(tokens), self._n_ctx):
                return Output(request.id, failure=failure)
            sampler = self._llama.new_sampler(request, tokens, None)
        except InvalidParameter as error:
            return refused(request.id, error)
        sequence = Sequence(request, tokens, sampler, self._n_ctx, self.vocabulary.markers(request.markers))
        self._sequences[request.id] = sequence
        self._queue.add(sequence)
        return None

    def abort_request(self, request_id: str) -> Output | None:
        """Drop a request; None if there is no such request (any more)."""
        sequence = self._sequences.get(request_id)
        if sequence is None:
            return None
        self._forget(sequence)
        return Output(request_id, finish_reason="abort", usage=sequence.usage)

    def step(self) -> list[Output]:
        """Compute one text and return what came of it."""
        while sequence := self._queue.next_waiting():
            self._queue.start(sequence)
        sequence = self._queue.take_turn()
        canvas = self._canvases.get(sequence.id) or self._new_canvas(sequence)
        self._batch.clear()
        self._batch.add([*sequence.tokens[: canvas.start], *canvas.tokens], 0, SLOT, want_logits=True, want_all=True)
        try:
            self._llama.decode(self._batch)
        except DecodeError as error:
            self._forget(sequence)
            return [Output(sequence.id, failure=Failure(FailureCode.DECODE_FAILED, str(error)))]
        self._fill_in(sequence, canvas)
        return self._take(sequence, canvas)

    def _new_canvas(self, sequence: Sequence) -> Canvas:
        length = min(LENGTH, sequence.num_wanted)
        canvas = self._canvases[sequence.id] = Canvas(len(sequence.tokens), length, self._llama.mask_token)
        return canvas

    def _fill_in(self, sequence: Sequence, canvas: Canvas) -> None:
        """Give their tokens to the places of the block that the model is surest of."""
        rows = {place: canvas.start + place - self._llama.shifts_logits for place in canvas.block}
        tokens = {place: sequence.sampler.choose(row, canvas.start + place) for place, row in rows.items()}
        sure = sure_places({place: _probability(self._llama.logits(rows[place]), tokens[place]) for place in rows})
        for place in sure:
            token, count = tokens[place], sequence.num_alternatives
            logprob = None if count is None else self._llama.logprob(rows[place], token, count)
            canvas.fix(place, Fixed(token, self.vocabulary.is_end(token), logprob))
            sequence.sampler.account_for(token)

    def _take(self, sequence: Sequence, canvas: Canvas) -> list[Output]:
        """Append what has no masked place before it; return the outputs that this leads to."""
        outputs = []
        for fixed in canvas.take():
            piece = sequence.markers.get(fixed.token) or self.vocabulary.piece(fixed.token)
            if output := sequence.append(fixed.token, piece, fixed.is_end, fixed.logprob):
                outputs.append(output)
            if sequence.finish_reason:
                self._forget(sequence)
                break
        else:
            if not canvas.block:
                del self._canvases[sequence.id]
        if outputs and not sequence.is_reported:
            outputs[0] = replace(outputs[0], start=sequence.start(self._clock()))
        return outputs

    def _forget(self, sequence: Sequence) -> None:
        self._queue.remove(sequence)
        self._canvases.pop(sequence.id, None)
        del self._sequences[sequence.id]
        sequence.sampler.close()


def _refuse_order(request: GenerateRequest) -> None:
    """Raise InvalidParameter for what can only be done where each token comes from those before it."""
    if request.constraint:
        raise InvalidParameter(request.constraint.param, f"{NO_ORDER}: it cannot be held to a grammar")
    if request.thinking:
        raise InvalidParameter("reasoning_budget", f"{NO_ORDER}: its thinking cannot be ended after so many tokens")
    if request.prompt_logprobs is not None:
        raise InvalidParameter("echo", f"{NO_ORDER}: a prompt's tokens have no log probabilities")


def _probability(logits: np.ndarray, token: int) -> float:
    """Return how likely the model finds a token, before any sampler."""
    weights = np.exp(logits - logits.max(), dtype=np.float64)
    return float(weights[token] / weights.sum())
