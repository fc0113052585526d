"""Memory and choose_victims: sums of sizes, and who has to go."""

from dataclasses import dataclass

import pytest

from inference.memory import Limit, Memory, shown, total
from inference.pool.victims import choose_victims

GIB = 2**30


@dataclass
class Model:
    last_used: float
    memory: Memory


def chosen(need: int, limit: int, *models: tuple[float, int], others: int = 0) -> list[int] | None:
    """Return the sizes of the victims among models given as (last used, size)."""
    candidates = [Model(used, Memory(size)) for used, size in models]
    used = total(each.memory for each in candidates) + Memory(others)
    victims = choose_victims(used, Memory(need), Limit(limit), candidates)
    return None if victims is None else [each.memory.host for each in victims]


def test_nobody_goes_where_there_is_room():
    assert chosen(3, 10, (1, 4)) == []


def test_the_least_recently_used_goes_first():
    assert chosen(4, 10, (3, 4), (1, 5), (2, 1)) == [5]


def test_as_many_go_as_must():
    assert chosen(9, 10, (1, 3), (2, 3), (3, 1)) == [3, 3]


def test_nobody_goes_in_vain():
    """The small one is the older, but without the large one there is no room, and then the small one may stay."""
    assert chosen(8, 10, (1, 1), (2, 9)) == [9]


def test_nobody_goes_if_that_is_not_enough():
    assert chosen(8, 10, (1, 3), others=5) is None


def test_each_gpu_counts():
    on_first, on_second = Model(1, Memory(0, (5, 0))), Model(2, Memory(0, (0, 5)))
    used = on_first.memory + on_second.memory
    need = Memory(0, (0, 4))
    assert choose_victims(used, need, Limit(None, (8, 8)), [on_first, on_second]) == [on_second]


@pytest.mark.parametrize(
    ("size", "limit", "fits"),
    [
        (Memory(5), Limit(5), True),
        (Memory(6), Limit(5), False),
        (Memory(6), Limit(None), True),
        (Memory(1, (5,)), Limit(5, (5,)), True),
        (Memory(1, (6,)), Limit(5, (5,)), False),
        (Memory(1, (1, 99)), Limit(5, (5,)), True),
    ],
)
def test_fitting(size, limit, fits):
    assert limit.allows(size) is fits


def test_sums():
    assert Memory(3, (1,)) + Memory(2, (1, 2)) == Memory(5, (2, 2))
    assert Memory(3, (1, 2)) - Memory(2) == Memory(1, (1, 2))
    assert Memory(3, (1,)).at_least(Memory(2, (0, 7))) == Memory(3, (1, 7))


def test_sizes_for_people():
    assert shown(Memory(int(1.5 * GIB))) == "1.5 GiB"
    assert shown(Memory(GIB, (0, 2 * GIB))) == "1.0 GiB + 2.0 GiB on GPU 1"
    assert shown(Limit(None)) == "any amount"
