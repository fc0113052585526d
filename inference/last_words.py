"""How a process has ended, and what its log says about the reason."""

import re
import signal
from collections.abc import Sequence

# What llama.cpp says after the cause, whatever that was: in which of its functions it gave up.
_NO_CAUSE = re.compile(r"failed to (load model|read (header|key-value pairs|tensor (info|data)))( from .*)?$")
# What ends a process writes these lines, without the letter that marks a level: ggml_abort with the place in the
# source, whose folder says nothing here (ggml/src/ggml.c), C++ and Python for what nobody caught.
_FATAL = (
    re.compile(r"(?:\S*[/\\])?([\w.+-]+\.\w+:\d+: .+)"),
    re.compile(r"\s+what\(\):\s+(.+)"),
    re.compile(r"([\w.]+(?:Error|Exception)(?:: .+)?)"),
)
_LOGGED = (re.compile(r"E (.+)"),)


def last_words(log: Sequence[str], is_crash: bool = False) -> str:
    """Return the reason in the last lines of a worker's log, "" if there is none.

    is_crash: only what ended the process counts, not what llama.cpp logged as an error, perhaps long before.
    """
    lines = [line for line in reversed(log) if not _NO_CAUSE.search(line)]
    patterns = _FATAL if is_crash else _FATAL + _LOGGED
    return next((match[1] for pattern in patterns for line in lines if (match := pattern.fullmatch(line))), "")


def ending(exit_code: int) -> str:
    """Return how a process has ended, as the end of a sentence about it. A signal's number is negative."""
    return f"exited with code {exit_code}" if exit_code >= 0 else f"was killed by {signal.Signals(-exit_code).name}"
