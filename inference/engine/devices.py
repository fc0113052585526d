"""The devices of this build of ggml: what llama.cpp can compute on. The bindings leave these functions out."""

import ctypes
from collections.abc import Callable
from typing import Any

from inference.engine.bindings import lib

GPU_TYPES = (1, 2)  # GGML_BACKEND_DEVICE_TYPE_GPU and _IGPU (ggml/include/ggml-backend.h)
INTEGRATED = 2


def gpu_names() -> tuple[str, ...]:
    """Return what each GPU is called, in llama.cpp's order; integrated ones count only where there are no others."""
    names: dict[int, list[str]] = {kind: [] for kind in GPU_TYPES}
    for index in range(_function("ggml_backend_dev_count", ctypes.c_size_t)()):
        device = _function("ggml_backend_dev_get", ctypes.c_void_p, ctypes.c_size_t)(index)
        kind = _function("ggml_backend_dev_type", ctypes.c_int, ctypes.c_void_p)(device)
        if kind in names:
            names[kind].append(_text("ggml_backend_dev_description", device))
    return tuple(names[1] or names[INTEGRATED])


def cpu_buffer_type() -> int:
    """Return the ggml_backend_buffer_type_t of main memory."""
    return _function("ggml_backend_cpu_buffer_type", ctypes.c_void_p)()


def _text(function: str, device: int) -> str:
    return _function(function, ctypes.c_char_p, ctypes.c_void_p)(device).decode(errors="replace")


def _function(name: str, result: type, *arguments: type) -> Callable[..., Any]:
    # Looked up from llama.cpp's own library, which finds it in the copy of ggml that it uses: a wheel has several.
    function = getattr(lib._lib, name)
    function.restype, function.argtypes = result, list(arguments)
    return function
