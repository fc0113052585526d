"""llama.cpp's log on standard error, each line marked with its level: `E `, `W ` or `I `."""

import ctypes
import sys
from collections.abc import Callable

from inference.engine.bindings import lib

LETTERS = {2: "I", 3: "W", 4: "E"}  # ggml_log_level (ggml/include/ggml.h); 1 is debug, 5 continues a line

_listeners: list[Callable[[str], None]] = []


@lib.llama_log_callback
def _write(level: int, text: bytes, _user_data: ctypes.c_void_p) -> None:
    line = _tell(text)
    if letter := LETTERS.get(level):
        sys.stderr.write(f"{letter} {line}\n")
        sys.stderr.flush()


@lib.llama_log_callback
def _drop(_level: int, text: bytes, _user_data: ctypes.c_void_p) -> None:
    _tell(text)


def _tell(text: bytes) -> str:
    line = text.decode(errors="replace").rstrip()
    for listener in _listeners:
        listener(line)
    return line


def install(quiet: bool = False, listener: Callable[[str], None] | None = None) -> None:
    """Send what llama.cpp logs from now on to standard error, or with `quiet` nowhere.

    listener: also gets every line, until the next call.
    """
    _listeners[:] = [listener] if listener else []
    lib.llama_log_set(_drop if quiet else _write, None)


def warn(text: str) -> None:
    """Write a warning of our own between llama.cpp's."""
    sys.stderr.write(f"W {text}\n")
    sys.stderr.flush()
