"""Finds where a JSON object ends while it is still arriving."""


class JSONValueScanner:
    """Fed with the text of a JSON object in any pieces, says how much of it belongs to the object.

    `depth`: how many objects are open already. It only counts braces and brackets outside of strings; whether the JSON
    is valid is the reader's business.
    """

    def __init__(self, depth: int = 0) -> None:
        self.is_complete = False
        self._depth = depth
        self._in_string = False
        self._escaped = False

    def feed(self, text: str) -> int:
        """Return how many leading characters of `text` belong to the object."""
        for index, char in enumerate(text):
            if self._in_string:
                self._scan_string(char)
            else:
                self._scan_structure(char)
            if self.is_complete:
                return index + 1
        return len(text)

    def _scan_string(self, char: str) -> None:
        if self._escaped:
            self._escaped = False
        elif char == "\\":
            self._escaped = True
        elif char == '"':
            self._in_string = False

    def _scan_structure(self, char: str) -> None:
        if char == '"':
            self._in_string = True
        elif char in "{[":
            self._depth += 1
        elif char in "}]":
            self._depth -= 1
            self.is_complete = self._depth == 0
