"""Sampler chains: how the next token is chosen, in llama.cpp's own samplers."""

import ctypes
import math
import secrets
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from inference.engine.bindings import lib
from inference.engine.guide import ConstraintError, Guide
from inference.engine.messages import InvalidParameter, SamplingParams
from inference.engine.vocabulary import Vocabulary

MIN_KEEP = 1  # tokens that every filter leaves
MIROSTAT_M = 100  # tokens considered for the estimate of s, as in common/sampling.cpp
RANDOM_SEED = 2**32 - 1  # LLAMA_DEFAULT_SEED (include/llama.h) asks llama.cpp for another seed each time


CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])  # llama_token_data


class SamplerChain:
    """llama.cpp's samplers in a row, with the state of one sequence."""

    def __init__(self, context: int, n_vocab: int) -> None:
        self._context = context
        self._n_vocab = n_vocab
        self._all = _token_ids(n_vocab)
        params = lib.llama_sampler_chain_default_params()
        params.no_perf = True
        self._chain = lib.llama_sampler_chain_init(params)

    def add(self, sampler: int) -> None:
        """Append a sampler; the chain owns it from now on."""
        lib.llama_sampler_chain_add(self._chain, sampler)

    def sample(self, row: int) -> int:
        """Choose a token from the logits of `row` and account for it."""
        return lib.llama_sampler_sample(self._chain, self._context, row)

    def candidates(self, row: int, allowed: np.ndarray | None) -> np.ndarray:
        """Return the allowed tokens with the logits of `row`, as CANDIDATE; None allows all."""
        pointer = lib.llama_get_logits_ith(self._context, row)
        logits = np.ctypeslib.as_array(pointer, (self._n_vocab,))
        candidates = np.empty(self._n_vocab if allowed is None else len(allowed), CANDIDATE)
        candidates["id"] = self._all if allowed is None else allowed
        candidates["logit"] = logits if allowed is None else logits[allowed]
        candidates["p"] = 0
        return candidates

    def draw(self, candidates: np.ndarray) -> int:
        """Choose one of the candidates, without accounting for it. The samplers sort the array and cut it off."""
        if len(candidates) == 1:
            return int(candidates["id"][0])
        data = candidates.ctypes.data_as(ctypes.POINTER(lib.llama_token_data))
        array = lib.llama_token_data_array(data=data, size=len(candidates), selected=-1, sorted=False)
        lib.llama_sampler_apply(self._chain, ctypes.byref(array))
        return array.data[array.selected].id

    def account_for(self, token: int) -> None:
        lib.llama_sampler_accept(self._chain, token)

    def close(self) -> None:
        lib.llama_sampler_free(self._chain)


class GuidedSampler:
    """A chain that chooses among the tokens that a guide allows."""

    def __init__(self, chain: SamplerChain, guide: Guide) -> None:
        self._chain = chain
        self._guide = guide

    def sample(self, row: int) -> int:
        """Choose a token from the logits of `row` and account for it. Raises ConstraintError."""
        allowed, refused = self._guide.allowed(), []
        while True:
            candidates = self._chain.candidates(row, allowed)
            if refused:
                candidates = candidates[~np.isin(candidates["id"], refused)]
            if not len(candidates):
                raise ConstraintError("no token can follow")
            token = self._chain.draw(candidates)
            if self._guide.accept(token):
                self._chain.account_for(token)
                return token
            refused.append(token)

    def close(self) -> None:
        self._chain.close()


class SamplerFactory:
    """Builds the chains of one model."""

    def __init__(self, context: int, vocabulary: Vocabulary) -> None:
        self._context = context
        self._vocabulary = vocabulary
        self._n_ctx = lib.llama_n_ctx_seq(context)

    def new_chain(self, params: SamplingParams, prompt: list[int]) -> SamplerChain:
        """Return the chain of one sequence. Raises InvalidParameter for a token that the vocabulary lacks.

        `prompt` matters to the repetition samplers, which count its tokens, too.
        """
        biases = self._biases(params)
        chain = SamplerChain(self._context, self._vocabulary.size)
        if biases:
            chain.add(self._logit_bias(biases))
        if params.presence_penalty or params.frequency_penalty:
            chain.add(self._openai_penalties(params))
        for sampler in self._ordered(params, prompt):
            chain.add(sampler)
        chain.add(self._last(params))
        return chain

    def _ordered(self, params: SamplingParams, prompt: list[int]) -> Iterable[int]:
        """Yield the samplers between the bias and the draw, in the request's order."""
        builders = {
            "penalties": lambda: self._repeat_penalty(params, prompt),
            "dry": lambda: self._dry(params, prompt),
            "top_n_sigma": lambda: lib.llama_sampler_init_top_n_sigma(params.top_n_sigma),
            "top_k": lambda: lib.llama_sampler_init_top_k(params.top_k),
            "typ_p": lambda: lib.llama_sampler_init_typical(params.typical_p, MIN_KEEP),
            "top_p": lambda: lib.llama_sampler_init_top_p(params.top_p, MIN_KEEP),
            "min_p": lambda: lib.llama_sampler_init_min_p(params.min_p, MIN_KEEP),
            "xtc": lambda: lib.llama_sampler_init_xtc(
                params.xtc_probability, params.xtc_threshold, MIN_KEEP, _seed(params)
            ),
            "temperature": lambda: lib.llama_sampler_init_temp(params.temperature),
        }
        return [builders[name]() for name in params.samplers if _is_active(name, params)]

    def _last(self, params: SamplingParams) -> int:
        """Return the sampler that takes one token of those left."""
        if params.temperature == 0:
            return lib.llama_sampler_init_greedy()
        tau, eta = params.mirostat_tau, params.mirostat_eta
        if params.mirostat == 1:
            return lib.llama_sampler_init_mirostat(self._vocabulary.size, _seed(params), tau, eta, MIROSTAT_M)
        if params.mirostat == 2:
            return lib.llama_sampler_init_mirostat_v2(_seed(params), tau, eta)
        return lib.llama_sampler_init_dist(_seed(params))

    def _openai_penalties(self, params: SamplingParams) -> int:
        return lib.llama_sampler_init_penalties(
            self._vocabulary.size, self._n_ctx, 1.0, params.frequency_penalty, params.presence_penalty
        )

    def _repeat_penalty(self, params: SamplingParams, prompt: list[int]) -> int:
        window = self._window(params.repeat_last_n)
        sampler = lib.llama_sampler_init_penalties(self._vocabulary.size, window, params.repeat_penalty, 0.0, 0.0)
        return _remember(sampler, prompt, window)

    def _dry(self, params: SamplingParams, prompt: list[int]) -> int:
        window = self._window(params.dry_penalty_last_n)
        breakers = [text.encode() for text in params.dry_sequence_breakers]
        array = (ctypes.c_char_p * len(breakers))(*breakers)
        sampler = lib.llama_sampler_init_dry(
            self._vocabulary.pointer,
            params.dry_multiplier,
            params.dry_base,
            params.dry_allowed_length,
            window,
            array,
            len(breakers),
        )
        return _remember(sampler, prompt, window)

    def _window(self, last_n: int) -> int:
        return self._n_ctx if last_n == -1 else min(last_n, self._n_ctx)

    def _biases(self, params: SamplingParams) -> dict[int, float]:
        biases = dict.fromkeys(self._vocabulary.end_tokens, -math.inf) if params.ignore_eos else {}
        for key, bias in params.logit_bias:
            for token in self._bias_tokens(key):
                biases[token] = bias
        return biases

    def _bias_tokens(self, key: int | str) -> list[int]:
        """Return the tokens that a bias speaks of: one by its id, or all of a text's."""
        if isinstance(key, str):
            return self._vocabulary.tokenize(key)
        if not 0 <= key < self._vocabulary.size:
            raise InvalidParameter(
                "logit_bias", f"this model's token ids go from 0 to {self._vocabulary.size - 1}, got {key}"
            )
        return [key]

    def _logit_bias(self, biases: dict[int, float]) -> int:
        array = (lib.llama_logit_bias * len(biases))(*biases.items())
        return lib.llama_sampler_init_logit_bias(self._vocabulary.size, len(biases), array)


@lru_cache(maxsize=1)
def _token_ids(n_vocab: int) -> np.ndarray:
    return np.arange(n_vocab, dtype=np.int32)


def _is_active(name: str, params: SamplingParams) -> bool:
    """Leave out what would change nothing: every sampler in the chain costs a pass over the candidates."""
    if name == "penalties":
        return params.repeat_penalty != 1.0 and params.repeat_last_n != 0
    if name == "dry":
        return params.dry_multiplier > 0 and params.dry_penalty_last_n != 0
    if params.temperature == 0:
        return False
    if name == "temperature":
        return True
    filters = {
        "top_n_sigma": params.top_n_sigma > 0,
        "top_k": params.top_k > 0,
        "typ_p": params.typical_p < 1,
        "top_p": params.top_p < 1,
        "min_p": params.min_p > 0,
        "xtc": params.xtc_probability > 0,
    }
    return filters[name] and params.mirostat == 0


def _remember(sampler: int, prompt: list[int], window: int) -> int:
    """Let a sampler see the end of the prompt as if it had been generated."""
    for token in prompt[-window:]:
        lib.llama_sampler_accept(sampler, token)
    return sampler


def _seed(params: SamplingParams) -> int:
    return (secrets.randbits(64) if params.seed is None else params.seed) % RANDOM_SEED
