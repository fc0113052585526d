"""How much text or how many items an operation of a chat template would make, counted before it makes them.

Python has no limit for what one operation takes of the memory, and a few of them in a row double a text until there is
none left. Costs are characters; an item of a list or dictionary counts as ITEM of them. They are upper bounds, but for
operations that templates really use they are close to the truth.
"""

import re
from collections.abc import Mapping, Sequence, Set
from typing import Any

ITEM = 8  # bytes of a reference
ENOUGH = 2**25  # beyond any limit: no use in counting on

# Filters that make a text of whatever they get. Others make no more than they get.
_TEXT_FILTERS = frozenset(
    (
        *(
            "capitalize",
            "center",
            "e",
            "escape",
            "forceescape",
            "format",
            "indent",
            "join",
            "lower",
            "pprint",
            "replace",
        ),
        *("string", "striptags", "sum", "title", "tojson", "trim", "truncate", "upper", "urlencode", "urlize"),
        *("wordcount", "wordwrap", "xmlattr"),
    )
)
_NUMBER = re.compile(r"\d+")


def size_of(value: Any) -> int:
    """Return about how many characters `str(value)` has; of what is larger than ENOUGH only that it is."""
    if isinstance(value, str):
        return len(value)
    total, pending = 0, [value]
    while pending and total <= ENOUGH:
        each = pending.pop()
        total += shallow_size(each)
        if total <= ENOUGH and isinstance(each, (Mapping, list, tuple, Set)):
            pending += [*each.keys(), *each.values()] if isinstance(each, Mapping) else each
    return total


def shallow_size(value: Any) -> int:
    """Return the same of a value without what its items hold."""
    if isinstance(value, (str, bytes)):
        return len(value)
    return ITEM * (1 + len(value) if isinstance(value, (Mapping, list, tuple, Set)) else 1)


def cost_of_operator(operator: str, left: Any, right: Any) -> int:
    """Return the cost of `+` and `%`; those of numbers have none."""
    if operator == "%":
        return _cost_of_format(left, (right,)) if isinstance(left, (str, bytes)) else 0
    return shallow_size(left) + shallow_size(right)


def cost_of_filter(name: str, value: Any, arguments: Sequence[Any]) -> int:
    """Return the cost of `value | name(*arguments)`."""
    number = _largest_number(arguments)
    if name not in _TEXT_FILTERS:
        return number
    if name == "format":
        return _cost_of_format(value, arguments)
    if name == "replace":
        return _cost_of_replace(str(value) if size_of(value) < ENOUGH else value, arguments)
    total, texts = size_of(value), size_of([each for each in arguments if isinstance(each, str)])
    if name == "join":
        return total + texts * (shallow_size(value) // ITEM)
    if name in ("indent", "tojson"):  # a line break may come before each item, or stand at each place of a text
        num_lines = value.count("\n") + 1 if isinstance(value, str) else total // ITEM
        return total + num_lines * max(number, texts if name == "indent" else 0)
    return total * max(texts, 1) + number if name in ("urlize", "wordwrap", "xmlattr") else total + number


def cost_of_call(function: Any, arguments: Sequence[Any]) -> int:
    """Return the cost of calling a method of a text, a list or another built-in type; of other functions 0."""
    method = getattr(function, "__wrapped__", function)  # Jinja has a `format` of its own around Python's
    owner, name = getattr(method, "__self__", None), getattr(method, "__name__", "")
    if isinstance(owner, (str, bytes)):
        return _cost_of_text_method(owner, name, arguments)
    if isinstance(owner, (Mapping, list, Set, int)):
        return _largest_number(arguments if isinstance(owner, int) else ()) + sum(map(shallow_size, arguments))
    return 0


def _cost_of_text_method(text: Any, name: str, arguments: Sequence[Any]) -> int:
    if name in ("format", "format_map"):
        return _cost_of_format(text, arguments)
    if name == "replace":
        return _cost_of_replace(text, arguments)
    if name == "join":
        return size_of(arguments) + len(text) * sum(shallow_size(each) // ITEM for each in arguments)
    if name == "translate":
        return len(text) * size_of(arguments)
    if name == "expandtabs":
        return len(text) * max(_largest_number(arguments), ITEM)
    return len(text) + _largest_number(arguments)


def _cost_of_format(text: Any, arguments: Sequence[Any]) -> int:
    """Every field may show every argument, as wide as any number in the format or among the arguments says."""
    pattern = str(text) if size_of(text) < ENOUGH else ""
    num_fields = pattern.count("%") + pattern.count("{")
    widths = [int(digits[:20]) for digits in _NUMBER.findall(pattern)]
    starred = _largest_number(_flat(arguments)) if "*" in pattern or "{" in pattern.replace("{}", "") else 0
    return size_of(text) + num_fields * (size_of(arguments) + starred + max(widths, default=0))


def _cost_of_replace(text: Any, arguments: Sequence[Any]) -> int:
    old, new, *_ = *arguments, "", ""
    if not isinstance(text, type(old)) or not isinstance(old, (str, bytes)):
        return size_of(text)
    return len(text) + text.count(old) * size_of(new)


def _flat(arguments: Sequence[Any]) -> list[Any]:
    return [item for each in arguments for item in (each if isinstance(each, (list, tuple)) else (each,))]


def _largest_number(values: Sequence[Any]) -> int:
    return max((abs(value) for value in values if isinstance(value, int)), default=0)
