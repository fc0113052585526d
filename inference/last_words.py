"""What the log of a worker that has ended says about the reason."""

import re
from collections.abc import Sequence

# What llama.cpp says after the cause, whatever that was: in which of its functions it gave up.
_NO_CAUSE = re.compile(r"failed to (load model|read (header|key-value pairs|tensor (info|data)))( from .*)?$")
# The first two are written by what ends the process, so without the letter that marks a level: ggml_abort with the
# place in the source, whose folder says nothing here (ggml/src/ggml.c), and C++ for an exception that nobody caught.
_REASONS = (
    re.compile(r"(?:\S*[/\\])?([\w.+-]+\.\w+:\d+: .+)"),
    re.compile(r"\s+what\(\):\s+(.+)"),
    re.compile(r"E (.+)"),
)


def last_words(log: Sequence[str]) -> str:
    """Return the reason in the last lines of a worker's log, "" if there is none.

    An assertion that does not hold, or an exception, says more than what llama.cpp logged as an error before.
    """
    lines = [line for line in log if not _NO_CAUSE.search(line)]
    found = [match[1] for pattern in _REASONS for line in reversed(lines) if (match := pattern.fullmatch(line))]
    return found[0] if found else ""
