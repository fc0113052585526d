"""The sizes of buffers, read from what llama.cpp logs: its C interface does not tell them.

A log that lacks a size is an error, never a size of 0.
"""

import re
from collections import Counter
from collections.abc import Iterable

MIB = 2**20
CPU = "CPU"
MAPPED = "_Mapped"  # ends the name of a buffer that is a part of the mapped file

# As llama.cpp's sources write them; the file is named at each.
SIZE = r"size = +([\d.]+) MiB"
NEW_CONTEXT = re.compile(r"constructing llama_context")  # src/llama-context.cpp
WORKING_BUFFER = re.compile(rf" (\S+) +(compute|output) buffer {SIZE}")  # src/llama-context.cpp
LAYER_OF_CACHE = re.compile(r"layer +\d+: dev = (\S+)")  # src/llama-kv-cache*.cpp, src/llama-memory-recurrent.cpp
CACHE = re.compile(rf"(?<!buffer ){SIZE}(?: \( *\d+ cells|$)")  # the same files; their buffers' sizes come before
STATE_BUFFER = re.compile(rf" (?:RS|DSV4 \S+ state) buffer {SIZE}")  # the same: those that are never simulated
ADAPTER_BUFFER = re.compile(rf" (\S+) LoRA buffer {SIZE}")  # src/llama-adapter.cpp
MODEL_BUFFER = re.compile(rf" (\S+) model buffer {SIZE}")  # src/llama-model.cpp
LAYER_OF_MODEL = re.compile(r"layer +(\d+) assigned to device (\S+),")  # src/llama-model.cpp
TENSOR = re.compile(r"loading tensor (\S+)$")  # src/llama-model-loader.cpp
OVERRIDE = re.compile(r"tensor (\S+) \(\d+ MiB \S+\) buffer type overridden to (\S+)$")  # src/llama-model-loader.cpp
REPACKED = re.compile(r"repack tensor (\S+) with")  # ggml/src/ggml-cpu/repack.cpp


class MissingSize(Exception):
    """llama.cpp's log does not say what it should; it may have come to write it in other words."""


class SizeLog:
    """What the log says of one model and of its newest context, in bytes.

    layers: the device of each layer; the last one is the output. tensors: how often each was asked for; twice, if it
    serves two purposes. overrides: tensors that were sent elsewhere than their layer. repacked: those that were copied
    into another form for the CPU.
    model_buffers, adapters, caches: by the name of the buffer, the last by that of the device.
    allocated: what a simulated load has allocated all the same, included in the others.
    """

    def __init__(self) -> None:
        self.layers: dict[int, str] = {}
        self.tensors: Counter[str] = Counter()
        self.overrides: dict[str, str] = {}
        self.repacked: set[str] = set()
        self.model_buffers: Counter[str] = Counter()
        self.adapters: Counter[str] = Counter()
        self._start_context()

    @property
    def allocated(self) -> int:
        return self._states + self.adapters.total()

    def feed(self, text: str) -> None:
        """Note what a line says."""
        line = text.rstrip()
        for pattern, note in NOTES:
            if match := pattern.search(line):
                note(self, *match.groups())
                return

    def cache_bytes(self) -> Counter[str]:
        """Return the sizes of a context's caches. Raises MissingSize if there is none in the log, or all are empty."""
        if not self.caches.total():
            raise MissingSize("llama.cpp's log does not say how large the KV cache is")
        return self.caches

    def working_bytes(self) -> Counter[str]:
        """Return the sizes of what a context computes in. Raises MissingSize if the log does not say them."""
        kinds = {kind for _, kind in self._working}
        if missing := {"compute", "output"} - kinds:
            raise MissingSize(f"llama.cpp's log does not say how large the {min(missing)} buffer is")
        sizes: Counter[str] = Counter()
        for (name, _), num_bytes in self._working.items():
            sizes[name] += num_bytes
        return sizes

    def repacked_bytes(self) -> int:
        """Return the bytes of repacked tensors."""
        return sum(size for name, size in self._host_buffers() if not name.endswith(MAPPED) and name != CPU)

    def mapped_bytes(self) -> int:
        """Return how much of the mapped file belongs to main memory; it may contain what was copied elsewhere."""
        return sum(size for name, size in self._host_buffers() if name.endswith(MAPPED))

    def _host_buffers(self) -> Iterable[tuple[str, int]]:
        return ((name, size) for name, size in self.model_buffers.items() if name.startswith(CPU))

    def _start_context(self) -> None:
        self.caches: Counter[str] = Counter()
        self._working: dict[tuple[str, str], int] = {}
        self._states = 0
        self._cache_layers: list[str] = []

    def _note_working(self, name: str, kind: str, size: str) -> None:
        self._working[name, kind] = _bytes(size)  # logged again when it is allocated anew

    def _note_cache(self, size: str) -> None:
        """Share a cache out among the devices of its layers, which are logged before it."""
        devices = self._cache_layers or [CPU]
        for device in devices:
            self.caches[device] += _bytes(size) // len(devices)
        self._cache_layers = []

    def _note_state(self, size: str) -> None:
        self._states += _bytes(size)

    def _note_layer(self, layer: str, device: str) -> None:
        self.layers[int(layer)] = device


def _bytes(mebibytes: str) -> int:
    return round(float(mebibytes) * MIB)


NOTES = (
    (NEW_CONTEXT, lambda log: log._start_context()),
    (WORKING_BUFFER, SizeLog._note_working),
    (LAYER_OF_CACHE, lambda log, device: log._cache_layers.append(device)),
    (STATE_BUFFER, SizeLog._note_state),
    (CACHE, SizeLog._note_cache),
    (ADAPTER_BUFFER, lambda log, name, size: log.adapters.update({name: _bytes(size)})),
    (MODEL_BUFFER, lambda log, name, size: log.model_buffers.update({name: _bytes(size)})),
    (LAYER_OF_MODEL, SizeLog._note_layer),
    (OVERRIDE, lambda log, tensor, buffer: log.overrides.update({tensor: buffer})),
    (REPACKED, lambda log, tensor: log.repacked.add(tensor)),
    (TENSOR, lambda log, tensor: log.tensors.update((tensor,))),
)
