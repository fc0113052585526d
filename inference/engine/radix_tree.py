"""Finds, among many token sequences, those that begin like a new one."""

from collections.abc import Iterator
from typing import Generic, TypeVar

Value = TypeVar("Value")


class RadixTree(Generic[Value]):
    """A compressed trie of token sequences, each with a value; equal sequences may stand in it with several values.

    Looking one up costs as much as comparing its own tokens once, however many others there are.
    """

    def __init__(self) -> None:
        self._root = _Node([], None)

    def add(self, tokens: list[int], value: Value) -> None:
        node = self._root
        position = 0
        while position < len(tokens):
            child = node.children.get(tokens[position])
            if child is None:
                child = _Node(tokens[position:], node)
                node.children[tokens[position]] = child
            else:
                child = child.cut(common_prefix(child.edge, tokens[position : position + len(child.edge)]))
            node = child
            position += len(node.edge)
        node.values.append(value)

    def remove(self, tokens: list[int], value: Value) -> None:
        """Take out what `add` put in. Raises KeyError if it is not there."""
        node = self._root
        position = 0
        while position < len(tokens):
            node = node.children[tokens[position]]
            position += len(node.edge)
        index = next((index for index, each in enumerate(node.values) if each is value), None)
        if position != len(tokens) or index is None:
            raise KeyError("these tokens are not in the tree with this value")
        del node.values[index]
        node.tidy()

    def matches(self, tokens: list[int]) -> Iterator[tuple[Value, int]]:
        """Yield every value with the length of the prefix its tokens share with `tokens`, the longest first.

        The tree must not be changed meanwhile.
        """
        path = self._path(tokens)
        passed: _Node[Value] | None = None
        for node, depth in reversed(path):
            for value in node.below(passed):
                yield value, depth
            passed = node

    def _path(self, tokens: list[int]) -> "list[tuple[_Node[Value], int]]":
        """Return the nodes along `tokens`, each with how many tokens its sequences share with them."""
        path = [(self._root, 0)]
        depth = 0
        while depth < len(tokens):
            child = path[-1][0].children.get(tokens[depth])
            if child is None:
                break
            shared = common_prefix(child.edge, tokens[depth : depth + len(child.edge)])
            depth += shared
            path.append((child, depth))
            if shared < len(child.edge):
                break
        return path


class _Node(Generic[Value]):
    """The tokens between a branching and the next one; `values` are those of the sequences that end here."""

    def __init__(self, edge: list[int], parent: "_Node[Value] | None") -> None:
        self.edge = edge
        self.parent = parent
        self.children: dict[int, _Node[Value]] = {}
        self.values: list[Value] = []

    def cut(self, length: int) -> "_Node[Value]":
        """Return the node that ends after `length` tokens of the edge, inserting it if need be."""
        if length == len(self.edge):
            return self
        upper = _Node(self.edge[:length], self.parent)
        self.parent.children[self.edge[0]] = upper
        self.edge, self.parent = self.edge[length:], upper
        upper.children[self.edge[0]] = self
        return upper

    def tidy(self) -> None:
        """Remove a node that stands for nothing any more, or join it with its only child."""
        if self.parent is None or self.values or len(self.children) > 1:
            return
        if self.children:
            (child,) = self.children.values()
            child.edge, child.parent = self.edge + child.edge, self.parent
            self.parent.children[child.edge[0]] = child
            return
        del self.parent.children[self.edge[0]]
        self.parent.tidy()

    def below(self, passed: "_Node[Value] | None") -> Iterator[Value]:
        """Yield the values here and below, but for those of the child `passed`."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield from node.values
            waiting.extend(child for child in node.children.values() if child is not passed)


def common_prefix(left: list[int], right: list[int]) -> int:
    """Return how many leading tokens are equal.

    Lists are compared in C, so doubling the compared part, then halving it, is quicker than a loop over tokens.
    """
    limit = min(len(left), len(right))
    if left[:limit] == right[:limit]:
        return limit
    equal, step = 0, 1
    while left[equal : equal + step] == right[equal : equal + step]:
        equal += step
        step *= 2
    while step > 1:
        step //= 2
        if left[equal : equal + step] == right[equal : equal + step]:
            equal += step
    return equal
