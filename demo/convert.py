"""Writes the trained weights and the tokenizer as a GGUF file of the Llama architecture."""

import json
from pathlib import Path

import gguf
import numpy
from tokenizers import Tokenizer
from torch import Tensor

from demo.model import Shape
from demo.render import END, TEMPLATE_FILE
from demo.tokenizer import CONTROL, VISIBLE

_LAYER = {
    "attention_norm": "attn_norm",
    "query": "attn_q",
    "key": "attn_k",
    "value": "attn_v",
    "out": "attn_output",
    "inner_norm": "ffn_norm",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
}


def gguf_name(name: str) -> str:
    """Return llama.cpp's name of a parameter of `demo.model.Llama`."""
    if name.startswith("blocks."):
        _, layer, part, _ = name.split(".")
        return f"blk.{layer}.{_LAYER[part]}.weight"
    return {"embedding.weight": "token_embd.weight", "norm.weight": "output_norm.weight"}[name]


def write(path: Path, weights: dict[str, Tensor], tokenizer: Tokenizer, shape: Shape) -> None:
    """Write the file; it replaces an older one in one step, so that readers never see half a file."""
    part = path.with_name(path.name + ".part")
    writer = gguf.GGUFWriter(part, "llama")
    _about(writer)
    _sizes(writer, shape)
    _vocabulary(writer, tokenizer)
    for name, weight in weights.items():
        # Norm weights stay F32, as llama.cpp expects of one-dimensional tensors.
        kind = numpy.float16 if weight.dim() == 2 else numpy.float32
        writer.add_tensor(gguf_name(name), weight.detach().float().numpy().astype(kind))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.replace(path)


def _about(writer: gguf.GGUFWriter) -> None:
    writer.add_name("llmsite demo")
    writer.add_author("llmsite")
    writer.add_license("MIT")
    writer.add_description("A tiny model trained from nothing for the demonstration and the tests of llmsite.")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)


def _sizes(writer: gguf.GGUFWriter, shape: Shape) -> None:
    writer.add_vocab_size(shape.vocabulary)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(shape.theta)
    writer.add_layer_norm_rms_eps(shape.epsilon)


def _vocabulary(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    tokens = [tokenizer.id_to_token(i) for i in range(tokenizer.get_vocab_size())]
    kinds = dict.fromkeys(CONTROL, gguf.TokenType.CONTROL) | dict.fromkeys(VISIBLE, gguf.TokenType.USER_DEFINED)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([kinds.get(token, gguf.TokenType.NORMAL) for token in tokens])
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    end, pad = tokenizer.token_to_id(END), tokenizer.token_to_id(CONTROL[0])
    writer.add_bos_token_id(pad)
    writer.add_eos_token_id(end)
    writer.add_eot_token_id(end)
    writer.add_pad_token_id(pad)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE_FILE.read_text(encoding="utf-8"))
