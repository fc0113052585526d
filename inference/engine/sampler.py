"""From sampling parameters to a chain of llama.cpp's samplers."""

import ctypes
import math
import secrets

from inference.engine.bindings import lib
from inference.engine.messages import InvalidParameter, SamplingParams
from inference.engine.sampler_chain import SamplerChain
from inference.engine.shortlist import shortlist
from inference.engine.vocabulary import Vocabulary

MIN_KEEP = 1  # tokens that every filter leaves
MIROSTAT_M = 100  # tokens considered for the estimate of s, as in common/sampling.cpp
RANDOM_SEED = 2**32 - 1  # LLAMA_DEFAULT_SEED (include/llama.h) asks llama.cpp for another seed each time


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
        active = [name for name in params.samplers if _is_active(name, params)]
        choice = shortlist(params, active, biases)
        chain = SamplerChain(self._context, self._vocabulary.size, _draw_seed(params), choice)
        if biases:
            chain.add(self._logit_bias(biases))
        if params.presence_penalty or params.frequency_penalty:
            chain.add(self._openai_penalties(params))
        for name in active:
            chain.add(self._new(name, params, prompt))
        if last := self._last(params):
            chain.add(last)
        return chain

    def _new(self, name: str, params: SamplingParams, prompt: list[int]) -> int:
        """Return the sampler that the request calls by this name."""
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
        return builders[name]()

    def _last(self, params: SamplingParams) -> int | None:
        """Return the sampler that takes one token of those left; None if the chain draws by itself."""
        if params.temperature == 0:
            return lib.llama_sampler_init_greedy()
        tau, eta = params.mirostat_tau, params.mirostat_eta
        if params.mirostat == 1:
            return lib.llama_sampler_init_mirostat(self._vocabulary.size, _seed(params), tau, eta, MIROSTAT_M)
        if params.mirostat == 2:
            return lib.llama_sampler_init_mirostat_v2(_seed(params), tau, eta)
        return lib.llama_sampler_init_dist(_seed(params)) if _draw_seed(params) is None else None

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


def _draw_seed(params: SamplingParams) -> int | None:
    """Return the seed of a chain that draws by itself; None where one of llama.cpp's samplers does."""
    return params.seed if params.temperature > 0 and params.mirostat == 0 else None
