"""The arguments of calls that are written as Python's are."""

import ast
import json
from typing import Any


class PythonReader:
    """A Python call's keyword arguments, up to the closing parenthesis; they come all at once."""

    def __init__(self) -> None:
        self.is_complete = False

    def feed(self, text: str) -> tuple[str, str]:
        end = closing_parenthesis(text)
        if end is None:
            return "", text
        self.is_complete = True
        return self._convert(text[:end]), text[end + 1 :]

    @staticmethod
    def _convert(text: str) -> str:
        """Return the arguments as JSON. Their names need not be Python's: `from` and `a b` are fine, too."""
        try:
            pairs = [argument.split("=", 1) for argument in split_arguments(text)]
            values = {name.strip(): python_value(value) for name, value in pairs}
            return json.dumps(values, ensure_ascii=False)
        except (SyntaxError, ValueError, TypeError, AttributeError, RecursionError, MemoryError):
            return text


def python_value(text: str) -> Any:
    """Read a literal of Python or JSON, also one that mixes them. Raises what `ast` and `json` do."""
    try:
        return json.loads(text)
    except ValueError:
        names = {"true": True, "false": False, "null": None}
        expression = ast.parse(text.strip(), mode="eval")
        for node in ast.walk(expression):
            if isinstance(node, ast.Name) and node.id in names:
                node.__class__ = ast.Constant
                node.value = names[node.id]
        return ast.literal_eval(expression)


def split_arguments(text: str) -> list[str]:
    """Cut the arguments of a call at the commas between them."""
    arguments = []
    while (end := closing_parenthesis(text, stop=",")) is not None:
        arguments.append(text[:end])
        text = text[end + 1 :]
    return [argument for argument in (*arguments, text) if argument.strip()]


def closing_parenthesis(text: str, stop: str = "") -> int | None:
    """Return where the parenthesis closes that was opened before the text; None if it does not yet.

    `stop` is a character to end at as well, where it stands within no other bracket.
    """
    depth, quote, escaped = 1, "", False
    for index, char in enumerate(text):
        if quote:
            is_end = char == quote and not escaped
            escaped = char == "\\" and not escaped
            quote = "" if is_end else quote
        elif char in "\"'":
            quote = char
        else:
            depth += (char in "([{") - (char in ")]}")
            if depth == 0 or (depth == 1 and char == stop):
                return index
    return None
