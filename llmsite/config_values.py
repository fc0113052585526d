"""What the keys of the configuration may hold, and the reader that turns YAML values into dataclasses.

`setting(kind, default)` declares a key on a dataclass; `Reader.section` reads all keys of such a class and collects
every problem it finds instead of stopping at the first.
"""

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, TypeVar

Section = TypeVar("Section")

_AS_WRITTEN = {True: "on", False: "off"}


class Refused(Exception):
    """A value that a kind does not allow; `at` is where inside a list it stands ("[2]"), else empty."""

    def __init__(self, value: object, allowed: str, at: str = "") -> None:
        super().__init__(f"{value!r}: expected {allowed}")
        self.value, self.allowed, self.at = value, allowed, at


@dataclass(frozen=True)
class Kind:
    """One kind of value.

    allowed: describes it in words.
    read: returns the value to keep or raises Refused.
    schema: the JSON Schema of what may be written, for editors; it may allow more than `read` does, not less.
    """

    allowed: str
    read: Callable[[Any], Any]
    schema: dict[str, Any] = field(default_factory=dict)


def integer(low: int, high: int | None = None) -> Kind:
    """Return the kind of an integer from `low` to `high` (None: no upper bound); true and false are no integers."""
    allowed = f"an integer from {low} to {high}" if high is not None else f"an integer of at least {low}"
    schema = {"type": "integer", "minimum": low} | ({} if high is None else {"maximum": high})

    def is_allowed(value: Any) -> bool:
        return _is_a(value, int) and low <= value and (high is None or value <= high)

    return matching(allowed, is_allowed, schema)


def number(low: float, high: float) -> Kind:
    """Return the kind of an integer or float from `low` to `high`, kept as a float."""
    allowed = f"a number from {low:g} to {high:g}"
    kind = matching(allowed, lambda value: _is_a(value, int, float) and low <= value <= high)
    return Kind(allowed, lambda value: float(kind.read(value)), {"type": "number", "minimum": low, "maximum": high})


def text(allowed: str, pattern: str = r"(?s).+") -> Kind:
    """Return the kind of a string that matches all of `pattern`."""
    schema = {"type": "string", "pattern": f"^(?:{_in_javascript(pattern)})$"}
    return matching(allowed, lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None, schema)


def flag() -> Kind:
    """Return the kind of true or false."""
    return matching("true or false", lambda value: isinstance(value, bool), {"type": "boolean"})


def size() -> Kind:
    """Return the kind of a number of bytes, written as an integer or with a unit, as in "12 GiB" or "500 MB"."""
    allowed = 'bytes as an integer, or a size such as "12 GiB" (KiB, MiB, GiB, TiB; KB, MB, GB, TB)'

    def read(value: Any) -> int:
        if _is_a(value, int) and value >= 0:
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT])(i?)B", value) if isinstance(value, str) else None
        if not match:
            raise Refused(value, allowed)
        number, unit, binary = match.groups()
        return round(float(number) * (1024 if binary else 1000) ** (1 + "KMGT".index(unit)))

    written = r"^\d+(\.\d+)?\s*[KMGT]i?B$"
    return Kind(allowed, read, {"type": ["integer", "string"], "minimum": 0, "pattern": written})


def choice(*words: str) -> Kind:
    """Return the kind of a string that is one of `words`, in lower or upper case.

    YAML reads on and off as true and false; where they are among the words, they are taken as written.
    """
    allowed = f"one of {', '.join(words)}"

    def read(value: Any) -> Any:
        word = _AS_WRITTEN[value] if isinstance(value, bool) else value
        if not isinstance(word, str) or word.lower() not in words:
            raise Refused(value, allowed)
        return word.lower()

    as_read = [meant for meant, word in _AS_WRITTEN.items() if word in words]  # by those who read YAML 1.1
    return Kind(allowed, read, {"enum": [*words, *as_read]})


def optional(kind: Kind, *words: str) -> Kind:
    """Return `kind` that may also be null or one of `words`, all of which are kept as None."""
    allowed = f"{', '.join([*words, 'null'])} or {kind.allowed}"

    def read(value: Any) -> Any:
        if value is None or (isinstance(value, str) and value in words):
            return None
        try:
            return kind.read(value)
        except Refused:
            raise Refused(value, allowed) from None

    return Kind(allowed, read, {"anyOf": [{"enum": [None, *words]}, kind.schema]})


def many(kind: Kind) -> Kind:
    """Return the kind of a list whose items are all of `kind`, kept as a tuple."""
    allowed = f"a list; each item is {kind.allowed}"

    def read(value: Any) -> tuple:
        if not isinstance(value, list):
            raise Refused(value, allowed)
        return tuple(_read_item(kind, item, index) for index, item in enumerate(value))

    return Kind(allowed, read, {"type": "array", "items": kind.schema})


def matching(allowed: str, is_allowed: Callable[[Any], bool], schema: dict[str, Any] | None = None) -> Kind:
    """Return the kind of any value for which `is_allowed` says True."""

    def read(value: Any) -> Any:
        if not is_allowed(value):
            raise Refused(value, allowed)
        return value

    return Kind(allowed, read, schema or {})


def _in_javascript(pattern: str) -> str:
    """Return a pattern as JSON Schema has them, which know no flags: with (?s), a dot stands for any character."""
    return pattern.removeprefix("(?s)").replace(".", r"[\s\S]") if pattern.startswith("(?s)") else pattern


def _is_a(value: Any, *types: type) -> bool:
    return isinstance(value, types) and not isinstance(value, bool)


def _read_item(kind: Kind, item: Any, index: int) -> Any:
    try:
        return kind.read(item)
    except Refused as refused:
        raise Refused(item, refused.allowed, at=f"[{index}]") from None


def setting(kind: Kind, default: Any = MISSING, *, secret: bool = False) -> Any:
    """Declare a dataclass field that the YAML file may set; without a default it must.

    A `secret` value is never repeated in an error message.
    """
    return field(default=default, metadata={"kind": kind, "secret": secret})


def settings_of(section: type) -> dict[str, Field]:
    """Return the fields of a dataclass that were declared with `setting`, by name."""
    return {item.name: item for item in fields(section) if "kind" in item.metadata}


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with the value of a dotted key."""

    key: str
    reason: str

    def __str__(self) -> str:
        return f"{self.key}: {self.reason}"


class Reader:
    """Reads sections and remembers in `problems` each thing that is wrong."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def refuse(self, key: str, reason: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(key, reason))

    def section(self, section: type[Section], raw: Any, name: str) -> Section | None:
        """Return `section` filled from the mapping `raw`, or None when something in it is wrong."""
        problems_before = len(self.problems)
        mapping = self.mapping(raw, name)
        if mapping is None:
            return None
        known = settings_of(section)
        self.refuse_unknown(mapping, known, name)
        values = {key: self._value(known[key], mapping, f"{name}.{key}") for key in known if key in mapping}
        for key, item in known.items():
            if key not in mapping and item.default is MISSING:
                self.refuse(f"{name}.{key}", f"missing; expected {item.metadata['kind'].allowed}")
        return section(**values) if len(self.problems) == problems_before else None

    def mapping(self, raw: Any, name: str) -> dict | None:
        """Return `raw` when it is a mapping; null counts as an empty one, anything else is a problem and None."""
        if raw is None or isinstance(raw, dict):
            return raw or {}
        self.refuse(name, f"found {raw!r}; expected keys and values")
        return None

    def refuse_unknown(self, mapping: dict, known: Iterable[str], name: str = "") -> None:
        """Note every key of `mapping` that is not in `known`, with the nearest one that is."""
        for key in mapping:
            if key not in known:
                dotted = f"{name}.{key}" if name else str(key)
                nearest = difflib.get_close_matches(str(key), known, n=1)
                hint = f"did you mean {nearest[0]}? " if nearest else ""
                self.refuse(dotted, f"unknown key; {hint}known keys: {', '.join(known)}")

    def _value(self, item: Field, mapping: dict, dotted: str) -> Any:
        try:
            return item.metadata["kind"].read(mapping[item.name])
        except Refused as refused:
            found = "a value (not shown)" if item.metadata["secret"] else repr(refused.value)
            self.refuse(f"{dotted}{refused.at}", f"found {found}; expected {refused.allowed}")
            return None
