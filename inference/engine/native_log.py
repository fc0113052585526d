"""llama.cpp's log on standard error, each line marked with its level: `E `, `W ` or `I `."""

import ctypes
import sys

from inference.engine.bindings import lib

LETTERS = {2: "I", 3: "W", 4: "E"}  # ggml_log_level (ggml/include/ggml.h); 1 is debug, 5 continues a line


@lib.llama_log_callback
def _write(level: int, text: bytes, _user_data: ctypes.c_void_p) -> None:
    letter = LETTERS.get(level)
    if letter:
        sys.stderr.write(f"{letter} {text.decode(errors='replace').rstrip()}\n")
        sys.stderr.flush()


@lib.llama_log_callback
def _drop(level: int, text: bytes, _user_data: ctypes.c_void_p) -> None:
    pass


def install(quiet: bool = False) -> None:
    """Send what llama.cpp logs from now on to standard error, or with `quiet` nowhere."""
    lib.llama_log_set(_drop if quiet else _write, None)


def warn(text: str) -> None:
    """Write a warning of our own between llama.cpp's."""
    sys.stderr.write(f"W {text}\n")
    sys.stderr.flush()
