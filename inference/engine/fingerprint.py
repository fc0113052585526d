"""What the bytes of a saved state and their meaning depend on, as one hash.

llama.cpp checks some of it itself when it reads a state: the number of streams and of layers, the types and the layout
of K and V (`state_read` in src/llama-kv-cache.cpp). It cannot know whether the weights are the same.
"""

import json
import re
import sys
from collections.abc import Iterator
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

from inference.engine.context_plan import ContextPlan
from inference.engine.state_file import VERSION

DIGEST_SIZE = 16
HEADER_BYTES = 16 * 2**20  # longer than the metadata of any model, its vocabulary included
NUM_SAMPLES, SAMPLE_BYTES = 256, 16 * 2**10
FIRST_PART = re.compile(r"(?P<stem>.*)-00001-of-(?P<count>\d{5})\.gguf")


def fingerprint(plan: ContextPlan, exceeds_original_context: bool) -> bytes:
    """Return 16 bytes that are equal for engines that can read each other's states. Raises OSError.

    Neither the context size nor the number of threads matters. The number of slots does where each has KV cells of its
    own, because a state names the streams. exceeds_original_context: models with two sets of RoPE factors choose
    between them by that (`get_rope_factors` in src/llama-model.cpp).
    """
    config = plan.config
    settings = {
        "format": VERSION,
        "llama.cpp": version("llama-cpp-python"),
        "byte order": sys.byteorder,
        "model": [file_identity(path) for path in model_files(Path(config.model_path))],
        "loras": [(file_identity(Path(path)), scale) for path, scale in config.loras],
        "kv types": (config.kv_type_k, config.kv_type_v),
        "flash attention": _flash_attention(plan),
        "swa_full": config.swa_full,
        "streams": 1 if config.kv_unified else config.num_slots,
        "long rope": exceeds_original_context,
    }
    return blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=DIGEST_SIZE).digest()


def model_files(path: Path) -> list[Path]:
    """Return all parts of a split model, or the only file."""
    match = FIRST_PART.fullmatch(path.name)
    if match is None:
        return [path]
    count = match["count"]
    return [path.with_name(f"{match['stem']}-{number:05}-of-{count}.gguf") for number in range(1, int(count) + 1)]


def file_identity(path: Path) -> str:
    """Return a hash of a file's size, its beginning, and samples from all over it; small files are hashed whole.

    Files are moved and renamed, so nothing else counts. Another training or quantization changes weights everywhere.
    """
    digest = blake2b(digest_size=DIGEST_SIZE)
    size = path.stat().st_size
    digest.update(size.to_bytes(8, "little"))
    with path.open("rb") as file:
        for start, count in _samples(size):
            file.seek(start)
            digest.update(file.read(count))
    return digest.hexdigest()


def _samples(size: int) -> Iterator[tuple[int, int]]:
    yield 0, HEADER_BYTES
    last = max(size - SAMPLE_BYTES, HEADER_BYTES)
    for number in range(NUM_SAMPLES if size > HEADER_BYTES else 0):
        yield HEADER_BYTES + (last - HEADER_BYTES) * number // (NUM_SAMPLES - 1), SAMPLE_BYTES


def _flash_attention(plan: ContextPlan) -> tuple[str, ...]:
    """Return what decides about the layout of V. With "auto" llama.cpp decides by the devices."""
    setting = plan.config.flash_attention
    return (setting, str(plan.num_offloaded), *plan.devices) if setting == "auto" else (setting,)
