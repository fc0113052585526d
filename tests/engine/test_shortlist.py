"""Shortlist: what a chain chooses from it is what it would choose from the whole vocabulary."""

import ctypes

import numpy as np
import pytest

from inference.engine.bindings import lib
from inference.engine.messages import SAMPLERS, SamplingParams
from inference.engine.sampler_chain import CANDIDATE
from inference.engine.shortlist import GROUPED, Shortlist, likeliest, shortlist

RANDOM = np.random.default_rng(7)
SIZES = [GROUPED * 50, GROUPED * 50 + 13, 32_003]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [1, 7, 40, 50])
def test_the_likeliest_are_among_them(size, count):
    logits = RANDOM.normal(size=size).astype(np.float32)
    chosen = likeliest(logits, count)
    assert set(np.argsort(-logits)[:count]) <= set(chosen)
    assert len(chosen) < size / 4
    assert (np.diff(chosen) > 0).all()


@pytest.mark.parametrize("place", [0, -1])
def test_a_likeliest_token_beyond_the_groups_is_found(place):
    logits = np.zeros(GROUPED * 50 + 13, np.float32)
    logits[place] = 1
    assert place % len(logits) in likeliest(logits, 1)


def test_equal_logits_are_all_kept():
    assert len(likeliest(np.zeros(GROUPED * 50, np.float32), 3)) == GROUPED * 50


def test_too_many_are_no_short_list():
    assert likeliest(np.zeros(GROUPED * 50, np.float32), 51) is None


def test_no_numbers_are_no_short_list():
    assert likeliest(np.full(GROUPED * 50, np.nan, np.float32), 3) is None


def test_what_a_bias_lifts_is_there_wherever_it_stands():
    logits = np.arange(GROUPED * 50, dtype=np.float32)
    chosen = Shortlist(2, raised=(5, 3199)).choose(logits)
    assert 5 in chosen
    assert len(set(chosen)) == len(chosen)


def test_refused_tokens_make_room_for_others():
    logits = np.arange(GROUPED * 50, dtype=np.float32)
    assert {3199, 3198, 3197} <= set(Shortlist(1).choose(logits, num_refused=2))


ACTIVE = ("top_k", "top_p", "min_p", "temperature")


@pytest.mark.parametrize(
    ("params", "active", "depth"),
    [
        ({}, ACTIVE, 40),
        ({}, ("temperature", "top_k"), 40),
        ({"temperature": 0}, (), 1),
        ({"temperature": 0}, ("penalties",), None),
        ({"temperature": 0, "presence_penalty": 1}, (), None),
        ({"frequency_penalty": 0.1}, ACTIVE, None),
        ({}, ("penalties", *ACTIVE), None),
        ({}, ("top_p", "top_k"), None),
        ({}, ("temperature",), None),
        ({}, (), None),
    ],
)
def test_how_many_a_chain_can_choose(params, active, depth):
    choice = shortlist(SamplingParams(**params), active, {})
    assert choice == (depth and Shortlist(depth))


def test_biases_count():
    assert shortlist(SamplingParams(top_k=3), ACTIVE, {1: -1.0, 2: -5.0, 9: 4.0}) == Shortlist(5, (9,))


def apply(samplers: list[int], ids: np.ndarray, logits: np.ndarray) -> list[tuple[int, float]]:
    """Run llama.cpp's samplers over candidates; return the tokens they leave, with their probabilities."""
    candidates = np.zeros(len(ids), CANDIDATE)
    candidates["id"], candidates["logit"] = ids, logits[ids]
    data = candidates.ctypes.data_as(ctypes.POINTER(lib.llama_token_data))
    array = lib.llama_token_data_array(data=data, size=len(ids), selected=-1, sorted=False)
    for sampler in samplers:
        lib.llama_sampler_apply(sampler, ctypes.byref(array))
        lib.llama_sampler_free(sampler)
    return [(array.data[index].id, array.data[index].logit) for index in range(array.size)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("biases", [{}, {3: 30.0, 77: -30.0}])
def test_llama_cpp_leaves_the_same_tokens(seed, biases):
    assert set(SAMPLERS) >= set(ACTIVE)
    size = 32_003
    logits = np.random.default_rng(seed).normal(size=size).astype(np.float32) * 3

    def samplers() -> list[int]:
        array = (lib.llama_logit_bias * len(biases))(*biases.items())
        return [
            lib.llama_sampler_init_logit_bias(size, len(biases), array),
            lib.llama_sampler_init_top_k(40),
            lib.llama_sampler_init_top_p(0.9, 1),
            lib.llama_sampler_init_min_p(0.02, 1),
            lib.llama_sampler_init_temp(0.7),
        ]

    short = shortlist(SamplingParams(), ACTIVE, biases).choose(logits)
    assert len(short) < 1000
    assert apply(samplers(), short, logits) == apply(samplers(), np.arange(size), logits)
