"""A thin layer over llama-cpp-python's low-level bindings: one model, one context, several sequences.

Only worker processes import this module.
"""

import ctypes
import math

import numpy as np

from inference.engine.batch import Batch
from inference.engine.bindings import lib
from inference.engine.config import EngineConfig
from inference.engine.core import DecodeError
from inference.engine.messages import SamplingParams, TokenLogprob
from inference.engine.sampler import SamplerChain, SamplerFactory
from inference.engine.threads import choose_threads

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

    Raises ModelLoadError; what llama.cpp has to say about it went to its log.
    """

    def __init__(self, config: EngineConfig) -> None:
        self.n_threads = config.n_threads or choose_threads()
        lib.llama_backend_init()
        self._model = self._load_model(config)
        self._context = self._create_context(config)
        self._memory = lib.llama_get_memory(self._context)
        self._vocab = lib.llama_model_get_vocab(self._model)
        self._samplers = SamplerFactory(self._model, self._context, self._tokens_of_text, self._end_tokens())
        self._pieces: dict[int, bytes] = {}
        self._piece_buffer = ctypes.create_string_buffer(256)

    @property
    def description(self) -> str:
        """What llama.cpp calls the model, such as `qwen3 8B Q4_K - Medium`."""
        buffer = ctypes.create_string_buffer(256)
        lib.llama_model_desc(self._model, buffer, len(buffer))
        return buffer.value.decode(errors="replace")

    def tokenize(self, text: str) -> list[int]:
        """Return the tokens of a rendered prompt; special tokens in it are recognised.

        A BOS token is added if the model wants one and the template has not written it already.
        """
        tokens = self._tokenize(text.encode(), add_special=True)
        bos = lib.llama_vocab_bos(self._vocab)
        return tokens[1:] if tokens[:2] == [bos, bos] else tokens

    def piece(self, token: int) -> bytes:
        """Return the bytes a token stands for; control tokens stand for none."""
        if token not in self._pieces:
            self._pieces[token] = self._token_to_piece(token)
        return self._pieces[token]

    def is_end(self, token: int) -> bool:
        return lib.llama_vocab_is_eog(self._vocab, token)

    def new_sampler(self, params: SamplingParams, prompt: list[int]) -> SamplerChain:
        """Return what chooses the tokens of a sequence. Raises InvalidParameter."""
        return self._samplers.new_chain(params, prompt)

    def decode(self, batch: Batch) -> None:
        """Compute a batch; the rows marked in `batch.logits` can be sampled from afterwards.

        Raises DecodeError.
        """
        code = lib.llama_decode(self._context, _llama_batch(batch))
        if code != 0:
            raise DecodeError(DECODE_ERRORS.get(code, f"llama_decode returned {code}"))

    def logprob(self, row: int, token: int, num_alternatives: int) -> TokenLogprob:
        """Return the log probability of a token sampled from `row`, and the likeliest ones there."""
        pointer = lib.llama_get_logits_ith(self._context, row)
        logits = np.ctypeslib.as_array(pointer, (lib.llama_vocab_n_tokens(self._vocab),))
        highest = logits.max()
        log_sum = highest + math.log(np.exp(logits - highest, dtype=np.float64).sum())
        likeliest = np.argpartition(-logits, num_alternatives)[:num_alternatives]
        top = sorted(((float(logits[other] - log_sum), int(other)) for other in likeliest), reverse=True)
        return TokenLogprob(
            self.spelling(token),
            float(logits[token] - log_sum),
            tuple((self.spelling(other), value) for value, other in top),
        )

    def spelling(self, token: int) -> bytes:
        """Return a token's bytes; those of a control token are its name, such as `<|im_end|>`."""
        return self.piece(token) or lib.llama_vocab_get_text(self._vocab, token)

    def truncate(self, slot: int, length: int) -> bool:
        """Keep the first `length` tokens of a slot; False if this kind of memory cannot."""
        return lib.llama_memory_seq_rm(self._memory, slot, length, -1)

    def copy(self, source: int, target: int) -> None:
        """Replace what `target` holds by a copy of all of `source`."""
        lib.llama_memory_seq_rm(self._memory, target, -1, -1)
        lib.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def close(self) -> None:
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

    def _tokenize(self, text: bytes, add_special: bool, parse_special: bool = True) -> list[int]:
        # No tokenizer makes more tokens than bytes, but for the special ones it adds itself.
        capacity = len(text) + 8
        tokens = np.empty(capacity, np.int32)
        pointer = tokens.ctypes.data_as(lib.llama_token_p)
        count = lib.llama_tokenize(self._vocab, text, len(text), pointer, capacity, add_special, parse_special)
        return tokens[:count].tolist()

    def _token_to_piece(self, token: int) -> bytes:
        size = lib.llama_token_to_piece(self._vocab, token, self._piece_buffer, len(self._piece_buffer), 0, False)
        if size < 0:  # the piece is longer than the buffer: -size bytes
            self._piece_buffer = ctypes.create_string_buffer(-size)
            return self._token_to_piece(token)
        return self._piece_buffer.raw[:size]

    def _tokens_of_text(self, text: str) -> list[int]:
        return self._tokenize(text.encode(), add_special=False)

    def _end_tokens(self) -> list[int]:
        return [token for token in range(lib.llama_vocab_n_tokens(self._vocab)) if self.is_end(token)]


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
