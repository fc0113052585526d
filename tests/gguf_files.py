"""Tiny GGUF files for tests, written with the `gguf` package."""

from pathlib import Path

import numpy as np
from gguf import GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType, TokenType
from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata

CHAT_TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}"


class RandomWeights:
    """Adds F32 tensors to a file, always the same ones. Shapes are numpy's: llama.cpp's in reverse."""

    def __init__(self, writer):
        self._writer = writer
        self._random = np.random.default_rng(7)

    def add(self, name, *shape, scale=0.3):
        self.put(name, self._random.normal(0, scale, shape))

    def add_decay(self, name, *shape, scale=0.03):
        """Add rates at which states fade, which are negative; slow ones, so that all tokens count."""
        self.put(name, -np.abs(self._random.normal(0, scale, shape)))

    def add_norm(self, name, size, with_bias=True):
        self.put(f"{name}.weight", np.ones(size))
        if with_bias:
            self.put(f"{name}.bias", np.zeros(size))

    def put(self, name, values):
        self._writer.add_tensor(name, np.asarray(values, np.float32))


def write_gguf(path, architecture="llama", *, tokens=("<s>", "</s>", "a"), num_tensors=2, fill=None):
    """Write a model of two F32 tensors with 32 x 4 weights each; `fill(writer)` may add or replace what is in it."""
    writer = GGUFWriter(path, architecture)
    writer.add_name("Tiny")
    writer.add_file_type(LlamaFileType.MOSTLY_Q8_0)
    writer.add_context_length(512)
    writer.add_block_count(2)
    writer.add_token_list(list(tokens))
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_chat_template(CHAT_TEMPLATE)
    if fill:
        fill(writer)
    for index in range(num_tensors):
        writer.add_tensor(f"blk.{index}.weight", np.zeros((4, 32), dtype=np.float32))
    return close_gguf(writer, path)


def write_split_gguf(folder, count=3, stem="tiny"):
    """Write a split model as llama.cpp does: metadata only in the first part; return the paths."""
    paths = [Path(folder) / f"{stem}-{number:05}-of-{count:05}.gguf" for number in range(1, count + 1)]
    write_gguf(paths[0], num_tensors=0, fill=lambda writer: _add_split(writer, 0, count))
    for index, path in enumerate(paths[1:], start=1):
        writer = GGUFWriter(path, "llama")
        del writer.kv_data[0]["general.architecture"]
        _add_split(writer, index, count)
        writer.add_tensor(f"blk.{index}.weight", np.zeros((4, 32), dtype=np.float32))
        close_gguf(writer, path)
    return paths


def write_infill_gguf(source, path, prefix, suffix, middle):
    """Copy a model, with these tokens of it for filling in the middle, and a BOS token before every text."""
    ids = {"fim_pre": prefix, "fim_suf": suffix, "fim_mid": middle}
    metadata = {
        f"tokenizer.ggml.{name}_token_id": MetadataDetails(GGUFValueType.UINT32, token) for name, token in ids.items()
    }
    metadata["tokenizer.ggml.add_bos_token"] = MetadataDetails(GGUFValueType.BOOL, True)
    return copy_gguf(source, path, metadata)


def write_marked_gguf(source, path, markers):
    """Copy a BPE model, with control tokens of these names instead of the words that it learnt last."""
    reader = GGUFReader(source)
    names = ("tokens", "token_type", "merges")
    tokens, types, merges = (reader.fields[f"tokenizer.ggml.{name}"].contents() for name in names)
    missing = sorted(set(markers) - set(tokens))
    for marker, merge in zip(missing, reversed(merges), strict=False):
        index = tokens.index(merge.replace(" ", ""))
        tokens[index], types[index] = marker, TokenType.CONTROL
    values = (tokens, types, merges[: -len(missing)])
    kinds = (GGUFValueType.STRING, GGUFValueType.INT32, GGUFValueType.STRING)
    metadata = {
        f"tokenizer.ggml.{name}": MetadataDetails(GGUFValueType.ARRAY, value, sub_type=kind)
        for name, value, kind in zip(names, values, kinds, strict=True)
    }
    return copy_gguf(source, path, metadata)


def copy_gguf(source, path, metadata=None, without=()):
    """Copy a model with other metadata, and without some of it."""
    model = GGUFReader(source)
    writer = GGUFWriter(path, model.fields["general.architecture"].contents())
    copy_with_new_metadata(model, writer, metadata or {}, without)
    return Path(path)


def write_with_tokenizer(source, tokenizer, path):
    """Copy a model with the tokenizer and chat template of another, whose vocabulary must have the same size."""
    model, other = GGUFReader(source), GGUFReader(tokenizer)
    writer = GGUFWriter(path, model.fields["general.architecture"].contents())
    kept = [name for name in model.fields if not name.startswith(("GGUF.", "tokenizer.", "general.architecture"))]
    copy_fields(model, writer, tuple(kept))
    copy_fields(other, writer, ("tokenizer.",))
    for tensor in model.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    return close_gguf(writer, path)


def vocabulary_size(path):
    """Return how many tokens a file has, 0 if it has no tokenizer."""
    field = GGUFReader(path).fields.get("tokenizer.ggml.tokens")
    return len(field.data) if field else 0


def copy_fields(source, writer, prefixes):
    """Copy the metadata whose keys begin with one of `prefixes` from a GGUFReader, without arrays of nothing."""
    for name, field in source.fields.items():
        is_array = field.types[0] == GGUFValueType.ARRAY
        value = field.contents()
        if name.startswith(prefixes) and not (is_array and not value):
            writer.add_key_value(name, value, field.types[0], field.types[-1] if is_array else None)


def close_gguf(writer, path):
    """Write what was added; return the path."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return Path(path)


def _add_split(writer, index, count):
    writer.add_uint16("split.no", index)
    writer.add_uint16("split.count", count)
