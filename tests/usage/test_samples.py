"""A few of many."""

import pytest

from usage.samples import Samples


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_first_of_each_kind_are_taken(clock):
    samples = Samples(2, 60, clock)
    assert [samples.number("a") for _ in range(4)] == [1, 2, 0, 0]
    assert samples.number("b") == 1


def test_the_last_one_is_told_from_the_others(clock):
    samples = Samples(2, 60, clock)
    assert [samples.is_last(samples.number("a")) for _ in range(4)] == [False, True, False, False]


def test_it_begins_anew_when_the_time_is_over(clock):
    samples = Samples(1, 60, clock)
    assert [samples.number("a"), samples.number("a")] == [1, 0]
    clock.now += 59.9
    assert samples.number("a") == 0
    clock.now += 0.1
    assert [samples.number("a"), samples.number("a")] == [1, 0]


def test_kinds_that_nobody_asks_for_any_more_are_forgotten(clock):
    samples = Samples(1, 60, clock)
    for kind in range(1000):
        samples.number(kind)
    clock.now += 60
    samples.number("a")
    assert len(samples._counts) == 1
