"""PrefixCache: which slot a prompt gets, and what it finds there."""

import pytest

from inference.engine.prefix_cache import MIN_COPY, Placement, PrefixCache, common_prefix


class Running:
    """A sequence that has computed a part of its prompt."""

    def __init__(self, tokens: list[int] | None = None, num_computed: int = 0) -> None:
        self.tokens = tokens or []
        self.num_prompt = len(self.tokens)
        self.num_computed = num_computed


def filled(*contents: list[int]) -> PrefixCache:
    """Return a cache whose slots hold these tokens, the first one the least recently used."""
    cache = PrefixCache(len(contents))
    placements = [cache.acquire([-1 - number], Running()) for number in range(len(contents))]
    for placement, tokens in zip(placements, contents, strict=True):
        cache.release(placement.slot, tokens)
    return cache


def test_an_empty_cache_gives_the_lowest_slot():
    assert PrefixCache(3).acquire([1, 2, 3], Running()) == Placement(slot=0, num_cached=0)


def test_busy_slots_are_not_given():
    cache = PrefixCache(2)
    assert [cache.acquire([1], Running()).slot, cache.acquire([1], Running()).slot] == [0, 1]
    assert not cache.has_idle_slot


def test_a_conversation_finds_its_slot():
    cache = filled([1, 2, 3], [7, 8, 9])
    assert cache.acquire([7, 8, 9, 10], Running()) == Placement(slot=1, num_cached=3)


def test_the_last_prompt_token_is_always_left_to_compute():
    assert filled([1, 2, 3]).acquire([1, 2, 3], Running()).num_cached == 2


def test_without_a_match_the_least_recently_used_slot_goes():
    cache = filled([1], [2], [3])
    assert cache.acquire([9, 9], Running()).slot == 0


def test_empty_slots_go_before_used_ones():
    cache = PrefixCache(2)
    cache.release(cache.acquire([1], Running()).slot, [1, 2])
    assert cache.acquire([9], Running()).slot == 1


def test_a_long_shared_beginning_is_copied_out_of_another_conversation():
    system = list(range(MIN_COPY))
    cache = filled([5, 5], [*system, *[50] * 100])
    assert cache.acquire([*system, 99], Running()) == Placement(slot=0, num_cached=MIN_COPY, source=1)


def test_a_short_shared_beginning_is_not_worth_a_copy():
    cache = filled([5, 5], [1, 2, *[50] * 100])
    assert cache.acquire([1, 2, 99], Running()) == Placement(slot=0, num_cached=0)


def test_released_tokens_are_counted():
    assert filled([1, 2], [3]).num_tokens == 3


@pytest.mark.parametrize(
    ("left", "right", "length"),
    [([], [1], 0), ([1], [2], 0), ([1, 2], [1, 2, 3], 2), ([1, 2, 3], [1, 2, 4], 2), ([1, 5, 3], [1, 2, 3], 1)],
)
def test_common_prefix(left, right, length):
    assert common_prefix(left, right) == common_prefix(right, left) == length


def test_common_prefix_of_every_length():
    tokens = list(range(50))
    for length in range(50):
        assert common_prefix(tokens, [*tokens[:length], -1, *tokens]) == length


LONG = list(range(MIN_COPY * 2))


def test_what_a_running_sequence_has_computed_is_copied():
    cache = PrefixCache(2)
    cache.acquire(LONG, Running(LONG, len(LONG)))
    assert cache.acquire([*LONG, 99], Running()) == Placement(slot=1, num_cached=len(LONG), source=0)


def test_a_prefix_that_is_being_computed_is_worth_waiting_for():
    cache = PrefixCache(2)
    first = Running(LONG)
    cache.acquire(LONG, first)
    assert cache.is_worth_waiting([*LONG, 99])
    assert not cache.is_worth_waiting([*LONG[: MIN_COPY - 1], 99])
    first.num_computed = len(LONG)
    assert not cache.is_worth_waiting([*LONG, 99])


def test_what_a_running_sequence_generates_is_not_waited_for():
    cache = PrefixCache(2)
    first = Running(LONG)
    first.num_prompt = 10
    cache.acquire(LONG, first)
    assert not cache.is_worth_waiting([*LONG, 99])


def test_without_rewinding_only_whole_slots_are_of_use():
    cache = PrefixCache(3, can_rewind=False)
    for tokens in (LONG, [*LONG, 99], [5]):
        cache.release(cache.acquire([-1], Running()).slot, tokens)
    assert cache.acquire([*LONG, 50, 51], Running()) == Placement(slot=0, num_cached=len(LONG))
    assert cache.acquire([*LONG, 99], Running()).num_cached == 0
    assert not cache.is_worth_waiting([*LONG, 50, 51])
