"""A thin layer over llama-cpp-python's low-level bindings: one model, one context, several sequences.

Only worker processes import this module.
"""

import ctypes
import math
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np

from inference.engine.batch import Batch
from inference.engine.bindings import lib
from inference.engine.config import EngineConfig
from inference.engine.core import DecodeError
from inference.engine.grammar import GrammarCompiler
from inference.engine.guide import Guide, Matcher
from inference.engine.messages import Constraint, GenerateRequest, TokenLogprob
from inference.engine.sampler import SamplerFactory
from inference.engine.sampler_chain import GuidedSampler
from inference.engine.sequence import Sampler
from inference.engine.threads import choose_threads
from inference.engine.vocabulary import Vocabulary

CONTEXT_PADDING = 256  # llama.cpp rounds each sequence's share of the cells up to this (src/llama-context.cpp)
MAX_CELLS = 2**32 - 1
DECODE_ERRORS = {
    1: "the KV cache has no room for this batch",
    2: "the computation was aborted",
    -1: "the batch is invalid",
}


class ModelLoadError(Exception):
    """llama.cpp could not load the file or create its context."""


class Llama:
    """A loaded model with a partitioned KV cache: each of `n_seq_max` slots holds up to `n_ctx` tokens.

    Raises ModelLoadError; what llama.cpp has to say about it went to its log. `on_compiled` is called from another
    thread when a grammar is ready.
    """

    def __init__(self, config: EngineConfig, on_compiled: Callable[[], None] = lambda: None) -> None:
        self.n_threads = config.n_threads or choose_threads()
        lib.llama_backend_init()
        self._model = self._load_model(config)
        self._context = self._create_context(config)
        self._memory = lib.llama_get_memory(self._context)
        self.vocabulary = Vocabulary(self._model)
        self._grammars = GrammarCompiler(self.vocabulary, on_compiled)
        self._samplers = SamplerFactory(self._context, self.vocabulary)

    @property
    def can_rewind(self) -> bool:
        """Whether `truncate` can cut off the end of a sequence; the state of recurrent layers has no earlier one."""
        return not (lib.llama_model_is_recurrent(self._model) or lib.llama_model_is_hybrid(self._model))

    @property
    def description(self) -> str:
        """What llama.cpp calls the model, such as `qwen3 8B Q4_K - Medium`."""
        buffer = ctypes.create_string_buffer(256)
        lib.llama_model_desc(self._model, buffer, len(buffer))
        return buffer.value.decode(errors="replace")

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

        Raises DecodeError.
        """
        code = lib.llama_decode(self._context, _llama_batch(batch))
        if code != 0:
            raise DecodeError(DECODE_ERRORS.get(code, f"llama_decode returned {code}"))

    def logits(self, row: int) -> np.ndarray:
        """Return a row's logits, of shape (vocabulary.size,); llama.cpp's own memory, valid until the next `decode`."""
        pointer = lib.llama_get_logits_ith(self._context, row)
        return np.ctypeslib.as_array(pointer, (self.vocabulary.size,))

    def logprob(self, row: int, token: int, num_alternatives: int) -> TokenLogprob:
        """Return the log probability of a token sampled from `row`, and the likeliest ones there."""
        logits = self.logits(row)
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

    def copy(self, source: int, target: int) -> None:
        """Replace what `target` holds by a copy of all of `source`."""
        lib.llama_memory_seq_rm(self._memory, target, -1, -1)
        lib.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def close(self) -> None:
        self._grammars.close()
        lib.llama_free(self._context)
        lib.llama_model_free(self._model)

    def _load_model(self, config: EngineConfig) -> int:
        params = lib.llama_model_default_params()
        params.n_gpu_layers = config.n_gpu_layers
        model = lib.llama_model_load_from_file(config.model_path.encode(), params)
        if not model:
            raise ModelLoadError(f"llama.cpp could not load {config.model_path}")
        return model

    def _create_context(self, config: EngineConfig) -> int:
        params = lib.llama_context_default_params()
        params.n_ctx = self._num_cells(config)
        params.n_seq_max = config.n_seq_max
        params.n_batch = params.n_ubatch = config.n_batch
        params.n_threads = params.n_threads_batch = self.n_threads
        params.kv_unified = False
        params.no_perf = True
        context = lib.llama_init_from_model(self._model, params)
        if not context:
            raise ModelLoadError(
                f"llama.cpp could not create a context of {config.n_seq_max} × {config.n_ctx} tokens "
                f"(less memory is needed with a smaller context size or fewer parallel sequences)"
            )
        return context

    @staticmethod
    def _num_cells(config: EngineConfig) -> int:
        cells = config.n_seq_max * math.ceil(config.n_ctx / CONTEXT_PADDING) * CONTEXT_PADDING
        if cells > MAX_CELLS:
            raise ModelLoadError(
                f"a context of {config.n_seq_max} × {config.n_ctx} tokens is more than llama.cpp can address "
                f"({MAX_CELLS} in all)"
            )
        return cells


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


def system_info() -> str:
    """Return which processor features and backends this build of llama.cpp uses."""
    return lib.llama_print_system_info().decode().strip(" |")


def gpu_offload_supported() -> bool:
    return lib.llama_supports_gpu_offload()
