"""Sampler chains: how the next token is chosen."""

import ctypes
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from inference.engine.bindings import lib
from inference.engine.guide import ConstraintError, Guide
from inference.engine.shortlist import Shortlist

CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])  # llama_token_data
MASK = 2**64 - 1


class SamplerChain:
    """llama.cpp's samplers in a row, with the state of one sequence.

    seed: the chain has no sampler that draws; it draws by itself, the same for the same seed. None: it has one.
    shortlist: what it can choose at all; None for any token.
    """

    def __init__(self, context: int, n_vocab: int, seed: int | None = None, shortlist: Shortlist | None = None) -> None:
        self._context = context
        self._n_vocab = n_vocab
        self._all = _token_ids(n_vocab)
        self._seed = seed
        self._shortlist = shortlist
        self._num_drawn = 0
        params = lib.llama_sampler_chain_default_params()
        params.no_perf = True
        self._chain = lib.llama_sampler_chain_init(params)

    @property
    def in_threads(self) -> bool:
        """A pass over a large vocabulary is worth another thread, a short list is not."""
        return self._shortlist is None

    def add(self, sampler: int) -> None:
        """Append a sampler; the chain owns it from now on."""
        lib.llama_sampler_chain_add(self._chain, sampler)

    def sample(self, row: int) -> int:
        """Choose a token from the logits of `row` and account for it."""
        if self._seed is None and self._shortlist is None:
            return lib.llama_sampler_sample(self._chain, self._context, row)
        token = self.draw(self.candidates(row))
        self.account_for(token)
        return token

    def choose(self, row: int, position: int) -> int:
        """Choose a token for a position of the text from the logits of `row`, without accounting for it."""
        return self.draw(self.candidates(row), position)

    def candidates(self, row: int, allowed: np.ndarray | None = None, refused: Sequence[int] = ()) -> np.ndarray:
        """Return the tokens to choose from with the logits of `row`, as CANDIDATE.

        allowed: their ids; None leaves all that the chain can choose. refused: ids to leave out.
        """
        pointer = lib.llama_get_logits_ith(self._context, row)
        logits = np.ctypeslib.as_array(pointer, (self._n_vocab,))
        if allowed is None and self._shortlist:
            allowed = self._shortlist.choose(logits, len(refused))
        candidates = np.empty(self._n_vocab if allowed is None else len(allowed), CANDIDATE)
        candidates["id"] = self._all if allowed is None else allowed
        candidates["logit"] = logits if allowed is None else logits[allowed]
        candidates["p"] = 0
        return candidates[~np.isin(candidates["id"], refused)] if refused else candidates

    def draw(self, candidates: np.ndarray, position: int | None = None) -> int:
        """Choose one of the candidates, without accounting for it. The samplers sort the array and cut it off.

        position: that of the token in the text, if not the next one's.
        """
        if len(candidates) == 1:
            return int(candidates["id"][0])
        data = candidates.ctypes.data_as(ctypes.POINTER(lib.llama_token_data))
        array = lib.llama_token_data_array(data=data, size=len(candidates), selected=-1, sorted=False)
        lib.llama_sampler_apply(self._chain, ctypes.byref(array))
        if self._seed is None:
            return array.data[array.selected].id
        return self._draw_seeded(_view(array), self._num_drawn if position is None else position)

    def account_for(self, token: int) -> None:
        self._num_drawn += 1
        lib.llama_sampler_accept(self._chain, token)

    def close(self) -> None:
        lib.llama_sampler_free(self._chain)

    def _draw_seeded(self, left: np.ndarray, position: int) -> int:
        """Draw from the softmax of the logits that are left, by the Gumbel-max trick with noise of each token's own.

        What else is computed in a batch changes logits in the last digits. Drawing along the cumulative probabilities,
        as llama.cpp's `dist` does, each change moves the borders of all tokens behind; here it matters only where two
        tokens come out equal.
        """
        noise = gumbel_noise(self._seed, position, left["id"])
        return int(left["id"][np.argmax(left["logit"] + noise)])


class GuidedSampler:
    """A chain that chooses among the tokens that a guide allows."""

    in_threads = False

    def __init__(self, chain: SamplerChain, guide: Guide) -> None:
        self._chain = chain
        self._guide = guide

    def sample(self, row: int) -> int:
        """Choose a token from the logits of `row` and account for it. Raises ConstraintError."""
        allowed = self._guide.allowed()
        if allowed is not None:
            return self._sample_among(row, allowed, [])
        token = self._chain.sample(row)
        return token if self._guide.accept(token) else self._sample_among(row, None, [token])

    def close(self) -> None:
        self._chain.close()

    def _sample_among(self, row: int, allowed: np.ndarray | None, refused: list[int]) -> int:
        """Choose among the allowed tokens, without those of which the guide has said that they lead nowhere."""
        while True:
            candidates = self._chain.candidates(row, allowed, refused)
            if not len(candidates):
                raise ConstraintError("no token can follow")
            token = self._chain.draw(candidates)
            if self._guide.accept(token):
                self._chain.account_for(token)
                return token
            refused.append(token)


def gumbel_noise(seed: int, step: int, tokens: np.ndarray) -> np.ndarray:
    """Return a number of the standard Gumbel distribution for each token, the same for the same seed and step."""
    start = (seed * 0x9E3779B97F4A7C15 + step * 0xD1B54A32D192ED03) & MASK
    bits = tokens.astype(np.uint64) * np.uint64(0xBF58476D1CE4E5B9) + np.uint64(start)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # SplitMix64's finaliser
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    bits ^= bits >> np.uint64(31)
    uniform = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return -np.log(-np.log(uniform))


@lru_cache(maxsize=1)
def _token_ids(n_vocab: int) -> np.ndarray:
    return np.arange(n_vocab, dtype=np.int32)


def _view(array: "lib.llama_token_data_array") -> np.ndarray:
    """Return what the samplers have left, as CANDIDATE."""
    memory = (ctypes.c_char * (array.size * CANDIDATE.itemsize)).from_address(ctypes.addressof(array.data.contents))
    return np.frombuffer(memory, CANDIDATE)
