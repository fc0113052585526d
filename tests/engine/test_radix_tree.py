"""RadixTree: which of many token sequences begin like a new one."""

import random

import pytest

from inference.engine.radix_tree import RadixTree, common_prefix


def tree_of(*sequences: list[int]) -> RadixTree[int]:
    """Return a tree in which every sequence has its number as its value."""
    tree: RadixTree[int] = RadixTree()
    for number, tokens in enumerate(sequences):
        tree.add(tokens, number)
    return tree


def test_an_empty_tree_matches_nothing():
    assert list(RadixTree().matches([1, 2])) == []


def test_the_longest_shared_prefix_comes_first():
    tree = tree_of([1, 2, 3, 4], [1, 2, 9], [5])
    assert list(tree.matches([1, 2, 3, 7])) == [(0, 3), (1, 2), (2, 0)]


def test_a_sequence_may_end_inside_another_one():
    tree = tree_of([1, 2, 3, 4], [1, 2])
    assert list(tree.matches([1, 2, 3, 4, 5])) == [(0, 4), (1, 2)]
    assert sorted(tree.matches([1, 2])) == [(0, 2), (1, 2)]


def test_equal_sequences_have_each_its_value():
    tree = tree_of([1, 2], [1, 2])
    assert sorted(tree.matches([1, 2, 3])) == [(0, 2), (1, 2)]
    tree.remove([1, 2], 0)
    assert list(tree.matches([1, 2, 3])) == [(1, 2)]


@pytest.mark.parametrize(("tokens", "value"), [([1], 0), ([1, 2, 3], 0), ([1, 2], 7), ([8], 0)])
def test_what_is_not_there_cannot_be_removed(tokens, value):
    with pytest.raises(KeyError):
        tree_of([1, 2]).remove(tokens, value)


def test_it_finds_what_a_search_of_all_sequences_finds():
    generator = random.Random(3)
    tree: RadixTree[int] = RadixTree()
    known: dict[int, list[int]] = {}
    for number in range(600):
        if known and generator.random() < 0.4:
            value = generator.choice(list(known))
            tree.remove(known.pop(value), value)
        known[number] = [generator.randrange(3) for _ in range(generator.randrange(1, 12))]
        tree.add(known[number], number)
        prompt = [generator.randrange(3) for _ in range(8)]
        found = list(tree.matches(prompt))
        assert dict(found) == {value: common_prefix(tokens, prompt) for value, tokens in known.items()}
        assert [shared for _, shared in found] == sorted((shared for _, shared in found), reverse=True)
    for value, tokens in known.items():
        tree.remove(tokens, value)
    assert list(tree.matches([0, 1, 2])) == []


def test_common_prefix_of_every_length():
    tokens = list(range(50))
    for length in range(50):
        other = [*tokens[:length], -1, *tokens]
        assert common_prefix(tokens, other) == common_prefix(other, tokens) == length
    assert common_prefix(tokens, tokens[:20]) == 20
    assert common_prefix([], [1]) == 0
