"""How large the tensors of a GGUF file are, by ggml's own reader."""

import ctypes
from collections.abc import Iterator

from inference.engine.bindings import lib
from inference.engine.devices import function

LONGEST_PATH = 4096
SPLIT_COUNT = b"split.count"  # LLM_KV_SPLIT_COUNT (src/llama-arch.cpp)


class _InitParams(ctypes.Structure):
    """gguf_init_params (ggml/include/gguf.h)."""

    _fields_ = (("no_alloc", ctypes.c_bool), ("ctx", ctypes.c_void_p))


def tensor_sizes(path: str) -> dict[str, int]:
    """Return the bytes of each tensor, of all parts of a split model. llama.cpp must have accepted the file."""
    return {name: size for part in _parts(path) for name, size in _sizes_in(part)}


def _sizes_in(path: str) -> Iterator[tuple[str, int]]:
    file = _open(path)
    count = function("gguf_get_n_tensors", ctypes.c_int64, ctypes.c_void_p)(file)
    name = function("gguf_get_tensor_name", ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int64)
    size = function("gguf_get_tensor_size", ctypes.c_size_t, ctypes.c_void_p, ctypes.c_int64)
    yield from ((name(file, index).decode(), size(file, index)) for index in range(count))
    function("gguf_free", None, ctypes.c_void_p)(file)


def _parts(path: str) -> list[str]:
    file = _open(path)
    key = function("gguf_find_key", ctypes.c_int64, ctypes.c_void_p, ctypes.c_char_p)(file, SPLIT_COUNT)
    count = function("gguf_get_val_u16", ctypes.c_uint16, ctypes.c_void_p, ctypes.c_int64)(file, key) if key >= 0 else 0
    function("gguf_free", None, ctypes.c_void_p)(file)
    if count < 2:
        return [path]
    prefix, part = (ctypes.create_string_buffer(LONGEST_PATH) for _ in range(2))
    lib.llama_split_prefix(prefix, LONGEST_PATH, path.encode(), 0, count)
    paths = []
    for number in range(count):
        lib.llama_split_path(part, LONGEST_PATH, prefix.value, number, count)
        paths.append(part.value.decode())
    return paths


def _open(path: str) -> int:
    file = function("gguf_init_from_file", ctypes.c_void_p, ctypes.c_char_p, _InitParams)(
        path.encode(), _InitParams(no_alloc=True, ctx=None)
    )
    if not file:
        raise OSError(f"{path} cannot be read")
    return file
