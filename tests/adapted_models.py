"""Variants of the demo model: LoRA adapters for it, the same model in parts, and one with experts."""

from pathlib import Path

import numpy as np
from gguf import GGUFReader, GGUFValueType, GGUFWriter

from tests.live_server import DEMO

RANK = 4


def write_lora(path: Path, architecture: str = "llama", kind: str = "adapter", adapter: str = "lora") -> Path:
    """Write an adapter that changes every query of the demo model at random, always the same way."""
    random = np.random.default_rng(5)
    writer = GGUFWriter(path, architecture)
    writer.add_type(kind)
    writer.add_string("adapter.type", adapter)
    writer.add_float32("adapter.lora.alpha", RANK)
    for tensor in GGUFReader(DEMO).tensors:
        if tensor.name.endswith("attn_q.weight"):
            width, outputs = (int(size) for size in tensor.shape)
            _add_random(writer, random, f"{tensor.name}.lora_a", RANK, width)
            _add_random(writer, random, f"{tensor.name}.lora_b", outputs, RANK)
    return close(writer, path)


def write_split_demo(folder: Path, count: int = 3) -> list[Path]:
    """Write the demo model in parts, as llama-gguf-split does: all metadata in the first."""
    source = GGUFReader(DEMO)
    paths = [folder / f"demo-{number:05}-of-{count:05}.gguf" for number in range(1, count + 1)]
    for index, path in enumerate(paths):
        writer = GGUFWriter(path, "llama")
        if index == 0:
            copy_fields(source, writer)
        else:
            del writer.kv_data[0]["general.architecture"]
        writer.add_uint16("split.no", index)
        writer.add_uint16("split.count", count)
        writer.add_int32("split.tensors.count", len(source.tensors))
        for tensor in source.tensors[index::count]:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
        close(writer, path)
    return paths


def write_moe(path: Path) -> Path:
    """Write the demo model with two experts in every layer, random ones."""
    source, random = GGUFReader(DEMO), np.random.default_rng(5)
    writer = GGUFWriter(path, "llama")
    copy_fields(source, writer)
    writer.add_expert_count(2)
    writer.add_expert_used_count(2)
    for tensor in source.tensors:
        layer, _, name = tensor.name.rpartition(".ffn_")
        shape = [int(size) for size in reversed(tensor.shape)]
        if name in ("up.weight", "down.weight", "gate.weight"):
            _add_random(writer, random, f"{layer}.ffn_{name.replace('.', '_exps.')}", 2, *shape)
        else:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
        if name == "up.weight":
            _add_random(writer, random, f"{layer}.ffn_gate_inp.weight", 2, shape[1])
    return close(writer, path)


def copy_fields(source: GGUFReader, writer: GGUFWriter) -> None:
    """Copy all metadata but what the writer adds itself."""
    for name, field in source.fields.items():
        if not name.startswith(("GGUF.", "general.architecture")):
            kind = field.types[0]
            sub_type = field.types[-1] if kind == GGUFValueType.ARRAY else None
            writer.add_key_value(name, field.contents(), kind, sub_type)


def close(writer: GGUFWriter, path: Path) -> Path:
    """Write the file."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_random(writer: GGUFWriter, random: np.random.Generator, name: str, *shape: int) -> None:
    writer.add_tensor(name, random.normal(0, 0.3, shape).astype(np.float32))
