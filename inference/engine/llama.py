"""A thin layer over llama-cpp-python's low-level bindings: one model, one context, several sequences.

Only worker processes import this module.
"""

import ctypes
import math
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np

from inference.engine.backend import DecodeError, OutOfCells
from inference.engine.batch import Batch
from inference.engine.bindings import lib
from inference.engine.config import EngineConfig
from inference.engine.engine_info import engine_info, system_info
from inference.engine.entry import State
from inference.engine.fingerprint import fingerprint
from inference.engine.grammar import GrammarCompiler
from inference.engine.guide import Guide, Matcher
from inference.engine.loading import ModelLoadError, apply_loras, create_context, load_model, plan_for
from inference.engine.messages import Constraint, EngineInfo, GenerateRequest, TokenLogprob
from inference.engine.model_facts import original_context
from inference.engine.output_rows import needs_every_row
from inference.engine.sampler import SamplerFactory
from inference.engine.sampler_chain import GuidedSampler
from inference.engine.sequence import Sampler
from inference.engine.vocabulary import Vocabulary

__all__ = ["Llama", "ModelLoadError", "system_info"]

OUT_OF_CELLS = 1
MAX_LOGIT = 1e6  # where there are none; those of real models have two digits
DECODE_ERRORS = {
    2: "the computation was aborted",
    -1: "the batch is invalid",
}


class Llama:
    """A loaded model with a KV cache for `n_seq_max` sequences of up to `n_ctx` tokens.

    plan: what was decided where the configuration left something open; its `config` is what the model runs with.

    Raises ModelLoadError; what llama.cpp has to say about it went to its log. `on_compiled` is called from another
    thread when a grammar is ready. load: how the llama_model is made.
    """

    def __init__(
        self,
        config: EngineConfig,
        on_compiled: Callable[[], None] = lambda: None,
        load: Callable[[EngineConfig], int] = load_model,
    ) -> None:
        self._model = load(config)
        self.plan = plan_for(config, self._model)
        self._context = self._create_context(self.config)
        apply_loras(self._model, self._context, config.loras)
        self._memory = lib.llama_get_memory(self._context)
        self.can_rewind = self._keeps_everything()
        self._needs_every_row = needs_every_row(self._model)
        self.vocabulary = Vocabulary(self._model)
        self._grammars = GrammarCompiler(self.vocabulary, on_compiled)
        self._samplers = SamplerFactory(self._context, self.vocabulary)

    @property
    def config(self) -> EngineConfig:
        """The configuration without open values."""
        return self.plan.config

    @property
    def num_slots(self) -> int:
        return self.config.num_slots

    @property
    def has_memory(self) -> bool:
        """Whether anything is kept of what was computed; models that only embed may have no KV cache."""
        return bool(self._memory)

    @property
    def is_partitioned(self) -> bool:
        """Whether every slot has KV cells of its own."""
        return not self.config.kv_unified

    @property
    def mixes_lengths(self) -> bool:
        """Whether chunks of different lengths are computed in one pass: `init_batch` in src/llama-kv-cache.cpp."""
        return not self.is_partitioned and self.plan.model.memory not in ("recurrent", "hybrid")

    def info(self, load_seconds: float) -> EngineInfo:
        """Return what the model runs with."""
        return engine_info(self._model, self._context, self.plan, load_seconds)

    def fingerprint(self) -> bytes:
        """Return what engines have in common that can read each other's states. Raises OSError."""
        original = original_context(self._model)
        return fingerprint(self.plan, 0 < original < lib.llama_n_ctx_seq(self._context))

    def compile(self, constraint: Constraint) -> "Future[Matcher]":
        """Compile a constraint in the background. The future's exception is InvalidParameter."""
        return self._grammars.compile(constraint)

    def new_sampler(self, request: GenerateRequest, prompt: list[int], grammar: Matcher | None) -> Sampler:
        """Return what chooses the tokens of a sequence. Raises InvalidParameter."""
        chain = self._samplers.new_chain(request.sampling, prompt)
        if request.constraint is None and request.thinking is None:
            return chain
        return GuidedSampler(chain, Guide(self.vocabulary, request.constraint, grammar, request.thinking))

    def decode(self, batch: Batch) -> None:
        """Compute a batch; the rows marked in `batch.logits` can be sampled from afterwards.

        Raises DecodeError, and OutOfCells if nothing was computed because there is no room for it.
        """
        if self._needs_every_row:
            batch.logits[: batch.num_tokens] = True
        code = lib.llama_decode(self._context, _llama_batch(batch))
        if code == OUT_OF_CELLS:
            raise OutOfCells("the KV cache has no room for this batch")
        if code != 0:
            raise DecodeError(DECODE_ERRORS.get(code, f"llama_decode returned {code}"))
        lib.llama_get_logits(self._context)  # brings the rows into order, so that samplers only read

    def logits(self, row: int) -> np.ndarray:
        """Return a row's logits, of shape (vocabulary.size,); llama.cpp's own memory, valid until the next `decode`."""
        pointer = lib.llama_get_logits_ith(self._context, row)
        return np.ctypeslib.as_array(pointer, (self.vocabulary.size,))

    def logprob(self, row: int, token: int, num_alternatives: int) -> TokenLogprob:
        """Return the log probability of a token sampled from `row`, and the likeliest ones there."""
        logits = _finite(self.logits(row))
        highest = logits.max()
        log_sum = highest + math.log(np.exp(logits - highest, dtype=np.float64).sum())
        likeliest = np.argpartition(-logits, num_alternatives)[:num_alternatives]
        top = sorted(((float(logits[other] - log_sum), int(other)) for other in likeliest), reverse=True)
        return TokenLogprob(
            self.vocabulary.spelling(token),
            float(logits[token] - log_sum),
            tuple((self.vocabulary.spelling(other), value) for value, other in top),
        )

    def truncate(self, slot: int, length: int) -> bool:
        """Keep the first `length` tokens of a slot; False if this kind of memory cannot."""
        return lib.llama_memory_seq_rm(self._memory, slot, length, -1)

    def copy(self, source: int, target: int) -> bool:
        """Replace what `target` holds by a copy of all of `source`; False if llama.cpp could not.

        In a unified KV cache both then share the cells. In a partitioned one it is done through a state, which has only
        the cells in use: `llama_memory_seq_cp` copies the buffer of a whole context there (10 to 30 ms instead of 3 for
        900 tokens of a 0.15 B model with 8,192 cells).
        """
        if self.is_partitioned:
            return self.load(target, self.save(source))
        self.truncate(target, 0)
        lib.llama_memory_seq_cp(self._memory, source, target, -1, -1)
        return True

    def state_size(self, slot: int, partial: bool = False) -> int:
        """Return the bytes that `save` takes."""
        return lib.llama_state_seq_get_size_ext(self._context, slot, _state_flags(partial))

    def save(self, slot: int, partial: bool = False) -> State:
        """Return a slot's state; with `partial` only what cannot be cut back: recurrent states and sliding windows."""
        state = np.empty(self.state_size(slot, partial), np.uint8)
        lib.llama_state_seq_get_data_ext(self._context, _bytes(state), state.nbytes, slot, _state_flags(partial))
        return state

    def load(self, slot: int, state: State, partial: bool = False) -> bool:
        """Put a state into a slot; False if llama.cpp could not, and the slot must be emptied.

        A partial state goes into a slot that holds its sequence and perhaps more, to be cut to its length afterwards.
        """
        if not partial:
            self.truncate(slot, 0)
        flags = _state_flags(partial)
        return lib.llama_state_seq_set_data_ext(self._context, _bytes(state), state.nbytes, slot, flags) > 0

    def close(self) -> None:
        self._grammars.close()
        lib.llama_free(self._context)
        lib.llama_model_free(self._model)

    @property
    def can_undo(self) -> bool:
        """Whether the newest tokens of a step can be cut off again; windows keep what the token before them sees."""
        return self.plan.model.memory not in ("recurrent", "hybrid")

    def _keeps_everything(self) -> bool:
        """Recurrent layers keep only their newest state, layers with a sliding window only the newest cells."""
        has_window = lib.llama_model_n_swa(self._model) > 0 and not self.config.swa_full
        return self.can_undo and not has_window

    def _create_context(self, config: EngineConfig) -> int:
        return create_context(self._model, config)


def _finite(logits: np.ndarray) -> np.ndarray:
    """Return logits that JSON can say: damaged weights lead to NaN and infinities."""
    if math.isfinite(logits.max() - logits.min()):
        return logits
    return np.nan_to_num(logits, nan=-MAX_LOGIT).clip(-MAX_LOGIT, MAX_LOGIT)


def _state_flags(partial: bool) -> int:
    return lib.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY if partial else 0


def _bytes(state: State) -> "ctypes.Array[ctypes.c_uint8]":
    return (ctypes.c_uint8 * state.nbytes).from_buffer(state)


def _llama_batch(batch: Batch) -> lib.llama_batch:
    """Return the C view of a batch; llama.cpp copies what it needs during the call."""
    return lib.llama_batch(
        n_tokens=batch.num_tokens,
        token=ctypes.cast(batch.token.ctypes.data, ctypes.POINTER(lib.llama_token)),
        pos=ctypes.cast(batch.pos.ctypes.data, ctypes.POINTER(lib.llama_pos)),
        n_seq_id=ctypes.cast(batch.num_seq_ids.ctypes.data, ctypes.POINTER(ctypes.c_int32)),
        seq_id=ctypes.cast(batch.seq_id_pointers.ctypes.data, ctypes.POINTER(ctypes.POINTER(lib.llama_seq_id))),
        logits=ctypes.cast(batch.logits.ctypes.data, ctypes.POINTER(ctypes.c_int8)),
    )
