"""Loads the text files beside it: sections headed by ``== NAME``, one item a line, "\\n" for a line break."""

from functools import cache
from pathlib import Path


@cache
def sections(file_name: str) -> dict[str, tuple[str, ...]]:
    """Return the file's sections by name, in the order of the file."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in Path(__file__).with_name(file_name).read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            lines = found.setdefault(line[3:], [])
        elif line:
            lines.append(line.replace("\\n", "\n"))
    return {name: tuple(items) for name, items in found.items()}


def group(file_name: str, prefix: str) -> dict[str, tuple[str, ...]]:
    """Return the sections named "PREFIX something", by their something."""
    start = prefix + " "
    return {name.removeprefix(start): items for name, items in sections(file_name).items() if name.startswith(start)}


def words(section: str) -> list[str]:
    """Return the words of a section of `words.txt`."""
    return " ".join(sections("words.txt")[section]).split()


def items(section: str) -> list[str]:
    """Return the comma-separated items of a section of `words.txt`."""
    return ", ".join(line.rstrip(",") for line in sections("words.txt")[section]).split(", ")


def pairs(section: str) -> dict[str, str]:
    """Return the ``key = value`` items of a section of `words.txt`."""
    return dict(item.split(" = ", 1) for item in items(section))
