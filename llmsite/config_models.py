"""A model of the configuration file: the keys of an entry, and what each may hold.

The registry's fields take their limits and choices from here, so that the file and the admin allow the same.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmsite.config_values import Kind, Refused, choice, flag, integer, many, matching, optional, setting, text

# LibreChat refuses model names of any other shape.
MODEL_NAME_PATTERN = r"^[a-zA-Z0-9][a-zA-Z0-9_.:/@+-]*$"
MODEL_NAME_MAX_LENGTH = 256
MIN_CONTEXT = 128
MAX_PARALLEL = 64
MAX_THREADS = 512
MIN_BATCH, MAX_BATCH = 32, 8192
MAX_DRAFT, DEFAULT_DRAFT = 32, 8
MIN_STEP_MS, MAX_STEP_MS, DEFAULT_STEP_MS = 20, 5000, 240
MAX_GPUS = 16  # what llama.cpp can split a model over (GGML_CUDA_MAX_DEVICES in ggml/include/ggml-cuda.h)
MAX_INTEGER = 2**31 - 1  # what an integer column of every supported database holds

KV_TYPES = ("f16", "bf16", "f32", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "iq4_nl")
FLASH_ATTENTION = ("auto", "on", "off")
KV_LAYOUTS = ("auto", "partitioned", "unified")
SPLIT_MODES = ("layer", "row", "none")
SPECULATION = ("auto", "off")

PATH = text("the path of a GGUF file", r"(?s).{1,1024}")
LORA_ALLOWED = "the path of a GGUF adapter, or {path: …, scale: a number}"


def is_model_name(name: str) -> bool:
    """Tell whether `name` may name a model in the API."""
    # fullmatch: `$` alone would let a trailing line feed pass.
    return len(name) <= MODEL_NAME_MAX_LENGTH and re.fullmatch(MODEL_NAME_PATTERN, name) is not None


def model_name_for(path: str | Path) -> str:
    """Return the name for a GGUF file that was given none: its stem without a split suffix; "" if nothing is left."""
    stem = re.sub(r"-\d{5}-of-\d{5}$", "", re.sub(r"\.gguf$", "", Path(path).name, flags=re.IGNORECASE))
    return re.sub(r"[^a-zA-Z0-9_.:/@+-]+", "-", stem).strip("-_.:/@+")[:MODEL_NAME_MAX_LENGTH]


def tensor_split_of(written: str) -> tuple[float, ...]:
    """Return the shares in "3, 1" as numbers; raise ValueError, saying what is allowed, if they are none."""
    shares = tuple(_share(part) for part in written.split(",")) if written.strip() else ()
    if len(shares) > MAX_GPUS:
        raise ValueError(f"{len(shares)} numbers are too many, llama.cpp splits over at most {MAX_GPUS} GPUs")
    if shares and not sum(shares):
        raise ValueError("at least one number must be above 0")
    return shares


def _share(part: str) -> float:
    try:
        share = float(part)
    except ValueError:
        share = -1
    if not math.isfinite(share) or share < 0:
        raise ValueError(f"{part.strip()!r} is no number of at least 0; write them as in 3,1")
    return share


def _is_tensor_split(value: Any) -> bool:
    try:
        return isinstance(value, str) and tensor_split_of(value) is not None
    except ValueError:
        return False


def _read_lora(value: Any) -> tuple[str, float]:
    """Return the path and the scale of an adapter, which may be written as its path alone."""
    entry = {"path": value} if isinstance(value, str) else value
    if not isinstance(entry, dict) or not {"path"} <= set(entry) <= {"path", "scale"}:
        raise Refused(value, LORA_ALLOWED)
    scale = entry.get("scale", 1.0)
    is_number = isinstance(scale, (int, float)) and not isinstance(scale, bool)
    if not is_number or not math.isfinite(scale):
        raise Refused(value, LORA_ALLOWED)
    try:
        return PATH.read(entry["path"]), float(scale)
    except Refused:
        raise Refused(value, LORA_ALLOWED) from None


LORA = Kind(
    LORA_ALLOWED,
    _read_lora,
    {
        "anyOf": [
            PATH.schema,
            {
                "type": "object",
                "properties": {"path": PATH.schema, "scale": {"type": "number"}},
                "required": ["path"],
                "additionalProperties": False,
            },
        ]
    },
)


@dataclass(frozen=True)
class ModelEntry:
    """A model that `setup` registers.

    named: the keys that the file gives, which win over the admin's.
    where: the dotted key of the entry, "model" or "models[0]".
    """

    path: str = setting(PATH)
    name: str = setting(
        matching(
            f"1 to {MODEL_NAME_MAX_LENGTH} letters, digits or _.:/@+-, the first a letter or digit",
            lambda value: isinstance(value, str) and is_model_name(value),
            {"type": "string", "pattern": MODEL_NAME_PATTERN, "maxLength": MODEL_NAME_MAX_LENGTH},
        ),
        "",
    )
    ctx_size: int | None = setting(optional(integer(MIN_CONTEXT), "auto"), None)
    parallel: int = setting(integer(1, MAX_PARALLEL), 4)
    kv_layout: str = setting(choice(*KV_LAYOUTS), "auto")
    kv_cells: int | None = setting(optional(integer(MIN_CONTEXT, MAX_INTEGER), "auto"), None)
    kv_type_k: str = setting(choice(*KV_TYPES), "f16")
    kv_type_v: str = setting(choice(*KV_TYPES), "f16")
    host_cache_mb: int | None = setting(optional(integer(0, MAX_INTEGER), "auto"), None)
    use_mmap: bool | None = setting(optional(flag(), "auto"), None)
    use_mlock: bool = setting(flag(), False)
    threads: int | None = setting(optional(integer(1, MAX_THREADS), "auto"), None)
    threads_batch: int | None = setting(optional(integer(1, MAX_THREADS), "auto"), None)
    n_batch: int | None = setting(optional(integer(MIN_BATCH, MAX_BATCH), "auto"), None)
    n_ubatch: int | None = setting(optional(integer(MIN_BATCH, MAX_BATCH), "auto"), None)
    flash_attention: str = setting(choice(*FLASH_ATTENTION), "auto")
    step_target_ms: int = setting(integer(MIN_STEP_MS, MAX_STEP_MS), DEFAULT_STEP_MS)
    gpu_layers: int = setting(integer(-1), -1)
    split_mode: str = setting(choice(*SPLIT_MODES), "layer")
    tensor_split: str = setting(
        matching(
            f'up to {MAX_GPUS} numbers of at least 0 in a text, as in "3,1", not all of them 0',
            _is_tensor_split,
            {"type": "string"},
        ),
        "",
    )
    main_gpu: int = setting(integer(0, MAX_GPUS - 1), 0)
    cpu_moe_layers: int = setting(integer(-1, MAX_INTEGER), 0)
    preload: bool = setting(flag(), False)
    pinned: bool = setting(flag(), False)
    idle_timeout: int | None = setting(optional(integer(0, MAX_INTEGER), "auto"), None)
    loras: tuple[tuple[str, float], ...] = setting(many(LORA), ())
    speculation: str = setting(choice(*SPECULATION), "auto")
    draft_model: str = setting(text("the path of a GGUF file, or an empty text", r"(?s).{0,1024}"), "")
    draft_max: int = setting(integer(1, MAX_DRAFT), DEFAULT_DRAFT)
    named: frozenset[str] = frozenset()
    where: str = ""
