"""Tiny embedding and rerank models with random weights, which llama.cpp loads like real ones."""

from pathlib import Path

from gguf import GGUFReader, GGUFWriter, PoolingType

from tests.gguf_files import RandomWeights, close_gguf, copy_fields
from tests.live_server import DEMO

WIDTH, HEADS, LAYERS, HIDDEN, CONTEXT = 32, 4, 2, 64, 600
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["capital", "city", "france", "germany", "paris", "berlin", "weather", "rain", "the", "of", "is", "a"]
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,?!"
# "▁" begins a word, as convert_hf_to_gguf.py writes WordPiece vocabularies
TOKENS = [*SPECIAL, *(f"\u2581{piece}" for piece in dict.fromkeys([*WORDS, *LETTERS])), *LETTERS]
CONTROL, NORMAL = 3, 1
RERANK_TEMPLATE = (
    "<|im_start|>system\nAnswer yes or no.<|im_end|>\n"
    "<|im_start|>user\n<Query>: {query}\n<Document>: {document}<|im_end|>\n<|im_start|>assistant\n"
)


def write_bert(path: Path, pooling: int | None = PoolingType.MEAN, has_head: bool = False) -> Path:
    """Write a BERT with a WordPiece vocabulary of single letters and a few words; `has_head` makes it a reranker."""
    writer = GGUFWriter(path, "bert")
    _add_shape(writer, CONTEXT, WIDTH, LAYERS, HEADS, HIDDEN)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    if pooling is not None:
        writer.add_uint32("bert.pooling_type", pooling)
    _add_word_pieces(writer)
    weights = RandomWeights(writer)
    weights.add("token_embd.weight", len(TOKENS), WIDTH)
    weights.add("token_types.weight", 2, WIDTH)
    weights.add("position_embd.weight", CONTEXT, WIDTH)
    weights.add_norm("token_embd_norm", WIDTH)
    for layer in range(LAYERS):
        _add_bert_layer(weights, f"blk.{layer}")
    if has_head:
        weights.add("cls.weight", WIDTH, WIDTH)
        weights.add("cls.bias", WIDTH)
        weights.add("cls.output.weight", 1, WIDTH)
        weights.add("cls.output.bias", 1)
    return close_gguf(writer, path)


def write_causal_embedder(path: Path) -> Path:
    """Write the demo model with a pooling type: its last token's state stands for the text."""
    writer = GGUFWriter(path, "llama")
    source = GGUFReader(DEMO)
    copy_fields(source, writer, prefixes=("llama.", "tokenizer.ggml."))
    writer.add_pooling_type(PoolingType.LAST)
    for tensor in source.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    return close_gguf(writer, path)


def write_yes_no_reranker(path: Path) -> Path:
    """Write a Qwen3 that judges with the words "yes" and "no", with the demo model's vocabulary."""
    writer = GGUFWriter(path, "qwen3")
    source = GGUFReader(DEMO)
    copy_fields(source, writer, prefixes=("tokenizer.ggml.",))
    _add_shape(writer, 1024, WIDTH, 1, HEADS, HIDDEN)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_pooling_type(PoolingType.RANK)
    writer.add_classifier_output_labels(["yes", "no"])
    writer.add_chat_template([{"name": "rerank", "template": RERANK_TEMPLATE}])
    weights, vocabulary = RandomWeights(writer), len(source.fields["tokenizer.ggml.tokens"].data)
    weights.add("token_embd.weight", vocabulary, WIDTH, scale=1)
    weights.add_norm("output_norm", WIDTH, with_bias=False)
    weights.add("cls.output.weight", 2, WIDTH)
    _add_qwen_layer(weights, "blk.0")
    return close_gguf(writer, path)


def _add_shape(writer: GGUFWriter, context: int, width: int, layers: int, heads: int, hidden: int) -> None:
    writer.add_context_length(context)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_head_count(heads)
    writer.add_feed_forward_length(hidden)


def _add_word_pieces(writer: GGUFWriter) -> None:
    writer.add_tokenizer_model("bert")
    writer.add_token_list(TOKENS)
    writer.add_token_types([CONTROL if token in SPECIAL else NORMAL for token in TOKENS])
    writer.add_token_type_count(2)
    writer.add_pad_token_id(0)
    writer.add_unk_token_id(1)
    writer.add_bos_token_id(2)
    writer.add_sep_token_id(3)
    writer.add_mask_token_id(4)


def _add_bert_layer(weights: RandomWeights, name: str) -> None:
    for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
        weights.add(f"{name}.{part}.weight", WIDTH, WIDTH)
        weights.add(f"{name}.{part}.bias", WIDTH)
    weights.add(f"{name}.ffn_up.weight", HIDDEN, WIDTH)
    weights.add(f"{name}.ffn_up.bias", HIDDEN)
    weights.add(f"{name}.ffn_down.weight", WIDTH, HIDDEN)
    weights.add(f"{name}.ffn_down.bias", WIDTH)
    weights.add_norm(f"{name}.attn_output_norm", WIDTH)
    weights.add_norm(f"{name}.layer_output_norm", WIDTH)


def _add_qwen_layer(weights: RandomWeights, name: str) -> None:
    for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
        weights.add(f"{name}.{part}.weight", WIDTH, WIDTH)
    for part in ("ffn_gate", "ffn_up"):
        weights.add(f"{name}.{part}.weight", HIDDEN, WIDTH)
    weights.add(f"{name}.ffn_down.weight", WIDTH, HIDDEN)
    for part in ("attn_norm", "ffn_norm"):
        weights.add_norm(f"{name}.{part}", WIDTH, with_bias=False)
    for part in ("attn_q_norm", "attn_k_norm"):
        weights.add_norm(f"{name}.{part}", WIDTH // HEADS, with_bias=False)
