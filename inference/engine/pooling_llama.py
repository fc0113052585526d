"""llama.cpp with a context that pools: what comes out is one vector, or one score, for each sequence."""

import math
import re
from collections.abc import Callable

import numpy as np

from inference.engine.bindings import lib
from inference.engine.config import EngineConfig
from inference.engine.llama import Llama, ModelLoadError
from inference.engine.loading import context_params, load_model
from inference.engine.model_facts import metadata
from inference.engine.vocabulary import NO_TOKEN

# Up to this context the attention scores have room in memory. Flash attention, which needs none, computes in half
# precision: how a text's vector comes out would depend, in the fourth decimal, on what else is in its batch.
EXACT_CONTEXT = 2048
UNSPECIFIED = str(2**32 - 1)  # an unsigned -1: how llama.cpp saves a model that names no pooling type
FULL_PRECISION = ("f16", "bf16", "f32")  # a quantized V needs flash attention
# Their graphs end in a softmax over "yes" and "no" (build_pooling in src/llama-graph.cpp); others end in a logit.
SOFTMAX_RANKERS = ("qwen3", "qwen3vl")
# It has a KV cache that its graph does not use: a sequence must be computed at once (src/models/llama.cpp).
WITHOUT_CACHE = "llama-embed"
PLACEHOLDER = re.compile(r"\{(query|document)\}")


class PoolingLlama(Llama):
    """A loaded embedding or rerank model. All sequences share `max_tokens + n_batch` cells, if there are any.

    max_tokens: the longest sequence that can be computed.
    can_split: whether a sequence may be computed in several batches. Otherwise one batch takes as much as the longest
        sequence: llama.cpp pools what it computes together.
    """

    max_tokens: int
    can_split: bool

    def __init__(self, config: EngineConfig, load: Callable[[EngineConfig], int] = load_model) -> None:
        super().__init__(config, load=load)
        self.n_embd: int = lib.llama_model_n_embd_out(self._model)

    def vector(self, slot: int) -> np.ndarray:
        """Return the pooled output of a sequence whose last token was just computed: float32, (n_embd,)."""
        return self._pooled(slot, self.n_embd)

    def relevance(self, slot: int) -> float:
        """Return how well the sequence's document answers its query: the sigmoid of the model's logit.

        Of models that judge with "yes" and "no" it is the probability of "yes".
        """
        value = float(self._pooled(slot, 1)[0])
        return value if self._architecture in SOFTMAX_RANKERS else _sigmoid(value)

    def pair(self, query: str, document: str) -> list[int]:
        """Return the tokens of a query and a document as the model was trained to read them.

        With the file's template "rerank", or else as llama.cpp's server does (format_prompt_rerank in
        tools/server/server-common.cpp): BOS query EOS SEP document EOS, each where the vocabulary adds it. Where it
        adds no EOS (BERT's), the last one is a SEP, as BERT's own tokenizer has it.
        """
        template = lib.llama_model_chat_template(self._model, b"rerank")
        if template:
            values = {"query": query, "document": document}
            text = PLACEHOLDER.sub(lambda match: values[match[1]], template.decode())
            return self.vocabulary.tokenize(text)
        bos, eos, sep = self._separators()
        last = eos or sep
        return bos + self._plain(query) + eos + sep + self._plain(document) + last

    def clear(self, slot: int) -> None:
        """Forget what was computed of a sequence."""
        if self._memory:
            lib.llama_memory_seq_rm(self._memory, slot, -1, -1)

    def _create_context(self, config: EngineConfig) -> int:
        self._architecture = metadata(self._model, "general.architecture")
        self.max_tokens = min(config.n_ctx, lib.llama_model_n_ctx_train(self._model))
        context = self._new_context(config, config.n_batch)
        self.can_split = self._may_split(context)
        if self.can_split or self.max_tokens <= config.n_batch:
            return context
        lib.llama_free(context)
        return self._new_context(config, self.max_tokens)

    def _new_context(self, config: EngineConfig, n_batch: int) -> int:
        params = context_params(config)
        # llama.cpp plans for a batch of equal sequences, and aborts if its size is no multiple of their number.
        params.n_batch = params.n_ubatch = math.ceil(n_batch / config.n_seq_max) * config.n_seq_max
        params.n_ctx = self.max_tokens + params.n_batch
        # Partitioned, llama.cpp would split a batch of unequal sequences and pool only the rest of the longer ones.
        params.kv_unified = True
        params.embeddings = True
        if self._computes_exactly(config):
            params.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.pooling_type = self._pooling_type(config)
        context = lib.llama_init_from_model(self._model, params)
        if not context:
            raise ModelLoadError(
                f"llama.cpp could not create a context of {params.n_ctx} tokens "
                "(less memory is needed with a smaller context size)"
            )
        return context

    def _computes_exactly(self, config: EngineConfig) -> bool:
        is_free = config.flash_attention == "auto" and config.kv_type_v in FULL_PRECISION
        return is_free and self.max_tokens <= EXACT_CONTEXT

    def _pooling_type(self, config: EngineConfig) -> int:
        """Return the file's pooling type; that of a file which names none follows from what the model is for."""
        if config.kind == "rerank":
            return lib.LLAMA_POOLING_TYPE_RANK
        in_file = metadata(self._model, f"{self._architecture}.pooling_type")
        return lib.LLAMA_POOLING_TYPE_MEAN if in_file in ("", UNSPECIFIED) else int(in_file)

    def _may_split(self, context: int) -> bool:
        pools_last = (lib.LLAMA_POOLING_TYPE_LAST, lib.LLAMA_POOLING_TYPE_RANK)
        return (
            bool(lib.llama_get_memory(context))
            and lib.llama_get_causal_attn(context)
            and lib.llama_pooling_type(context) in pools_last
            and self._architecture != WITHOUT_CACHE
        )

    def _pooled(self, slot: int, length: int) -> np.ndarray:
        pointer = lib.llama_get_embeddings_seq(self._context, slot)
        return np.ctypeslib.as_array(pointer, (length,)).copy()

    def _plain(self, text: str) -> list[int]:
        return self.vocabulary.tokenize(text, parse_special=False)

    def _separators(self) -> tuple[list[int], list[int], list[int]]:
        """Return BOS, EOS and SEP, each as the tokens that the vocabulary adds of it: one or none."""
        vocab = self.vocabulary.pointer
        bos, eos, sep = lib.llama_vocab_bos(vocab), lib.llama_vocab_eos(vocab), lib.llama_vocab_sep(vocab)
        return (
            _added(lib.llama_vocab_get_add_bos(vocab), bos),
            _added(lib.llama_vocab_get_add_eos(vocab), sep if eos == NO_TOKEN else eos),
            _added(lib.llama_vocab_get_add_sep(vocab), sep),
        )


def _added(is_added: bool, token: int) -> list[int]:
    return [token] if is_added and token != NO_TOKEN else []


def _sigmoid(logit: float) -> float:
    return 0.5 * (1 + math.tanh(logit / 2))
