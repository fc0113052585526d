"""The devices of this build of ggml: what llama.cpp can compute on. The bindings leave these functions out."""

import ctypes
from collections.abc import Callable
from typing import Any

from inference.engine.bindings import lib

GPU_TYPES = (1, 2)  # GGML_BACKEND_DEVICE_TYPE_GPU and _IGPU (ggml/include/ggml-backend.h)
INTEGRATED = 2


def gpu_names() -> tuple[str, ...]:
    """Return what each GPU is called, in llama.cpp's order; integrated ones count only where there are no others."""
    return tuple(_text("ggml_backend_dev_description", device) for device in _gpus())


def gpu_ids() -> tuple[str, ...]:
    """Return the names of the GPUs in llama.cpp's log, such as `CUDA0`; their buffers have the same."""
    return tuple(_text("ggml_backend_dev_name", device) for device in _gpus())


def free_gpu_memory() -> tuple[int, ...]:
    """Return the bytes that are free on each GPU, whoever took the others; 0 where the driver does not say."""
    return tuple(map(_free_memory, _gpus()))


def cpu_buffer_type() -> int:
    """Return the ggml_backend_buffer_type_t of main memory."""
    return function("ggml_backend_cpu_buffer_type", ctypes.c_void_p)()


def function(name: str, result: type | None, *arguments: type) -> Callable[..., Any]:
    """Return a function of ggml, with the types of its result and its arguments."""
    # Looked up from llama.cpp's own library, which finds it in the copy of ggml that it uses: a wheel has several.
    found = getattr(lib._lib, name)
    found.restype, found.argtypes = result, list(arguments)
    return found


def _gpus() -> list[int]:
    """Return a ggml_backend_dev_t for each GPU."""
    found: dict[int, list[int]] = {kind: [] for kind in GPU_TYPES}
    for index in range(function("ggml_backend_dev_count", ctypes.c_size_t)()):
        device = function("ggml_backend_dev_get", ctypes.c_void_p, ctypes.c_size_t)(index)
        kind = function("ggml_backend_dev_type", ctypes.c_int, ctypes.c_void_p)(device)
        if kind in found:
            found[kind].append(device)
    return found[1] or found[INTEGRATED]


def _free_memory(device: int) -> int:
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    size = ctypes.POINTER(ctypes.c_size_t)
    function("ggml_backend_dev_memory", None, ctypes.c_void_p, size, size)(device, free, total)
    return free.value


def _text(name: str, device: int) -> str:
    return function(name, ctypes.c_char_p, ctypes.c_void_p)(device).decode(errors="replace")
