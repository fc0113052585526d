"""On which device the weights of a model lie."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from inference.engine.footprint import Memory
from inference.engine.size_log import SizeLog

LAYER = re.compile(r"blk\.(\d+)\.")
OUTPUT = "output"
EMBEDDING = "token_embd.weight"


def place_weights(sizes: Mapping[str, int], log: SizeLog, devices: Sequence[str]) -> Memory:
    """Return what the tensors of these sizes take in main memory, and on each of the GPUs with these names.

    llama.cpp logs the device of each layer and what it sends elsewhere. A model without a separate output layer
    multiplies by its embedding, which then lies where the output does, too, and in main memory besides. With the split
    mode "row", matrices are cut up among the GPUs; here they count for that of their layer.

    None of this has been measured on a GPU yet.
    """
    output = log.layers[max(log.layers)] if log.layers else ""
    placed: Counter[str] = Counter()
    for name, size in sizes.items():
        placed[log.overrides.get(name) or _device(name, log.layers, output)] += size
    if log.tensors[EMBEDDING] > 1 and output in devices:
        placed[output] += sizes[EMBEDDING]
    return by_device(placed, devices)


def by_device(sizes: Mapping[str, int], devices: Sequence[str]) -> Memory:
    """Return sizes by the names of devices, or of their buffers, as a part; what is on no GPU is in main memory."""
    host = sum(size for name, size in sizes.items() if name not in devices)
    return Memory(host, tuple(sizes.get(name, 0) for name in devices))


def _device(tensor: str, layers: Mapping[int, str], output: str) -> str:
    if match := LAYER.match(tensor):
        return layers.get(int(match[1]), "")
    return output if tensor.startswith(OUTPUT) else ""
