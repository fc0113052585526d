"""Models with random weights: as fast or slow as real ones of their shape, and made in seconds on any machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType, TokenType

from inference.bench.random_vocabulary import CHAT_TEMPLATE, CONTROL_TOKENS, Vocabulary, build_vocabulary
from llmsite.config import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "models"
TRAINED_CONTEXT = 40960
VOCABULARY_SIZE = 151_936  # that of Qwen2 and Qwen3: its output layer is what a small model spends much of its time in
WEIGHT_STD, EMBEDDING_STD = 0.023, 0.058
# Q8_0 (ggml/src/ggml-common.h, block_q8_0): 32 values share a scale.
BLOCK = np.dtype([("scale", "<f2"), ("values", "i1", 32)])
VALUES_STD = 255 / 12**0.5  # of integers from -127 to 127, all equally likely


@dataclass(frozen=True)
class Shape:
    """The sizes of a Qwen3 model."""

    layers: int
    width: int
    hidden: int
    heads: int
    kv_heads: int
    head_width: int
    vocabulary: int = VOCABULARY_SIZE


SHAPES = {"0.15b": Shape(12, 576, 1536, 9, 3, 64), "0.6b": Shape(28, 1024, 3072, 16, 8, 128)}


@contextmanager
def random_model(size: str, keep: bool, folder: Path = FOLDER) -> Iterator[Path]:
    """Give the path of a model of SHAPES; afterwards it is removed, unless `keep` or an earlier run kept it."""
    path = folder / f"bench-{size}.gguf"
    was_there = path.exists()
    if not was_there:
        partial = path.with_suffix(".gguf.partial")
        try:
            write_model(partial, SHAPES[size], path.stem)
            partial.rename(path)
        finally:
            partial.unlink(missing_ok=True)
    try:
        yield path
    finally:
        if not (keep or was_there):
            path.unlink()


def write_model(path: Path, shape: Shape, name: str) -> None:
    """Write a Qwen3 model in Q8_0 with random weights, the same ones for the same shape."""
    writer = GGUFWriter(path, "qwen3")
    writer.add_name(name)
    _add_shape(writer, shape)
    _add_vocabulary(writer, build_vocabulary(shape.vocabulary))
    _add_weights(writer, shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_shape(writer: GGUFWriter, shape: Shape) -> None:
    writer.add_context_length(TRAINED_CONTEXT)
    writer.add_block_count(shape.layers)
    writer.add_embedding_length(shape.width)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head_width)
    writer.add_value_length(shape.head_width)
    writer.add_rope_freq_base(1e6)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_file_type(LlamaFileType.MOSTLY_Q8_0)


def _add_vocabulary(writer: GGUFWriter, vocabulary: Vocabulary) -> None:
    num_words = len(vocabulary.tokens) - len(CONTROL_TOKENS)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types([TokenType.NORMAL] * num_words + [TokenType.CONTROL] * len(CONTROL_TOKENS))
    writer.add_token_merges(vocabulary.merges)
    writer.add_bos_token_id(vocabulary.id_of("<|endoftext|>"))
    writer.add_pad_token_id(vocabulary.id_of("<|endoftext|>"))
    writer.add_eos_token_id(vocabulary.id_of("<|im_end|>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _add_weights(writer: GGUFWriter, shape: Shape) -> None:
    weights = _Weights(writer)
    queries, keys = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
    weights.add("token_embd", shape.vocabulary, shape.width, EMBEDDING_STD)  # also the output layer
    weights.add_norm("output_norm", shape.width)
    for layer in range(shape.layers):
        block = f"blk.{layer}"
        weights.add_norm(f"{block}.attn_norm", shape.width)
        weights.add_norm(f"{block}.ffn_norm", shape.width)
        weights.add_norm(f"{block}.attn_q_norm", shape.head_width)
        weights.add_norm(f"{block}.attn_k_norm", shape.head_width)
        weights.add(f"{block}.attn_q", queries, shape.width)
        weights.add(f"{block}.attn_k", keys, shape.width)
        weights.add(f"{block}.attn_v", keys, shape.width)
        weights.add(f"{block}.attn_output", shape.width, queries)
        weights.add(f"{block}.ffn_gate", shape.hidden, shape.width)
        weights.add(f"{block}.ffn_up", shape.hidden, shape.width)
        weights.add(f"{block}.ffn_down", shape.width, shape.hidden)


class _Weights:
    """Adds random matrices, always the same ones, to a file."""

    def __init__(self, writer: GGUFWriter) -> None:
        self._writer = writer
        self._random = np.random.default_rng(0)

    def add(self, name: str, rows: int, columns: int, std: float = WEIGHT_STD) -> None:
        blocks = np.empty((rows, columns // 32), BLOCK)
        blocks["scale"] = std / VALUES_STD
        blocks["values"] = self._random.integers(-127, 128, (*blocks.shape, 32), np.int8)
        self._writer.add_tensor(
            f"{name}.weight", blocks.view(np.uint8).reshape(rows, -1), raw_dtype=GGMLQuantizationType.Q8_0
        )

    def add_norm(self, name: str, size: int) -> None:
        self._writer.add_tensor(f"{name}.weight", np.ones(size, np.float32))
