"""Tiny language models with random weights, one for each way in which llama.cpp remembers what it has computed.

They have the demo model's tokenizer and chat template, but what they write means nothing: what counts is that it
depends on every token before. The names of tensors and keys are llama.cpp's (src/llama-arch.cpp), the shapes those of
`load_arch_tensors` in src/models/.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from gguf import GGUFReader, GGUFWriter

from tests.gguf_files import RandomWeights, close_gguf, copy_fields
from tests.live_server import DEMO

Kind = Literal["attention", "window", "recurrent", "hybrid", "moe", "every-row", "diffusion"]
KINDS: tuple[Kind, ...] = get_args(Kind)[:-1]  # those that write token after token

WINDOW = 16  # tokens that the first layer of the "window" model sees
EXPERTS_USED = 2
MASK = 1023  # the token of the "diffusion" model for what is masked: the demo model's last one
CONV = 4  # of the state space layers


@dataclass(frozen=True)
class Sizes:
    """How large a model is; state, rank and ssm_heads are those of the state space layers.

    Layers come in pairs, since models of two kinds of layers have one of each in turn.
    """

    context: int = 2048
    width: int = 32
    layers: int = 2
    heads: int = 2
    hidden: int = 64
    window: int = WINDOW
    experts: int = 4
    state: int = 16
    rank: int = 2
    ssm_heads: int = 4

    @property
    def inner(self) -> int:
        return 2 * self.width


TINY = Sizes()


def write_tiny_model(path: Path, kind: Kind, sizes: Sizes = TINY) -> Path:
    """Write a model, of about 300 KB unless `sizes` say otherwise: always the same one for a kind.

    attention: Qwen3, whose KV cache keeps every token. window: Gemma 3, whose first layer sees only the last tokens.
    recurrent: Mamba, one state for all tokens. hybrid: Granite 4, a recurrent layer and one with a KV cache.
    moe: Qwen3-MoE, with experts. every-row: CogVLM, whose graph computes the logits of every row of a batch.
    diffusion: LLaDA, which fills in masked places.
    """
    architecture, add = _KINDS[kind]
    writer = GGUFWriter(path, architecture)
    source = GGUFReader(DEMO)
    copy_fields(source, writer, prefixes=("tokenizer.",))
    _add_shape(writer, sizes)
    weights = RandomWeights(writer)
    num_tokens = len(source.fields["tokenizer.ggml.tokens"].data)
    weights.add("token_embd.weight", num_tokens, sizes.width)
    weights.add("output.weight", num_tokens, sizes.width, scale=1)
    _add_norm(weights, "output_norm", sizes.width)
    add(writer, weights, sizes)
    return close_gguf(writer, path)


def _add_shape(writer: GGUFWriter, sizes: Sizes) -> None:
    writer.add_context_length(sizes.context)
    writer.add_embedding_length(sizes.width)
    writer.add_block_count(sizes.layers)
    writer.add_head_count(sizes.heads)
    writer.add_feed_forward_length(sizes.hidden)
    writer.add_layer_norm_rms_eps(1e-6)


def _add_qwen(writer: GGUFWriter, weights: RandomWeights, sizes: Sizes) -> None:
    writer.add_head_count_kv(sizes.heads)
    for layer in range(sizes.layers):
        _add_attention(weights, f"blk.{layer}", sizes, with_norms=True)
        _add_feed_forward(weights, f"blk.{layer}", sizes)


def _add_gemma(writer: GGUFWriter, weights: RandomWeights, sizes: Sizes) -> None:
    writer.add_head_count_kv(sizes.heads)
    writer.add_sliding_window(sizes.window)
    writer.add_sliding_window_pattern([True, False] * (sizes.layers // 2))
    for layer in range(sizes.layers):
        name = f"blk.{layer}"
        _add_attention(weights, name, sizes, with_norms=True)
        _add_norm(weights, f"{name}.post_attention_norm", sizes.width)
        _add_feed_forward(weights, name, sizes)
        _add_norm(weights, f"{name}.post_ffw_norm", sizes.width)


def _add_mamba(writer: GGUFWriter, weights: RandomWeights, sizes: Sizes) -> None:
    _add_state_sizes(writer, sizes, sizes.rank)
    for layer in range(sizes.layers):
        name = f"blk.{layer}"
        _add_norm(weights, f"{name}.attn_norm", sizes.width)
        weights.add(f"{name}.ssm_in.weight", 2 * sizes.inner, sizes.width)
        weights.add(f"{name}.ssm_x.weight", sizes.rank + 2 * sizes.state, sizes.inner)
        weights.add(f"{name}.ssm_dt.weight", sizes.inner, sizes.rank)
        weights.add_decay(f"{name}.ssm_a", sizes.inner, sizes.state)
        weights.add(f"{name}.ssm_d", sizes.inner)
        _add_state_ends(weights, name, sizes, channels=sizes.inner, steps=sizes.inner)


def _add_granite(writer: GGUFWriter, weights: RandomWeights, sizes: Sizes) -> None:
    writer.add_head_count_kv([0, sizes.heads] * (sizes.layers // 2))  # 0 makes a layer recurrent
    _add_state_sizes(writer, sizes, sizes.ssm_heads)
    writer.add_ssm_group_count(1)
    for layer in range(0, sizes.layers, 2):
        _add_mamba_2(weights, f"blk.{layer}", sizes)
        _add_attention(weights, f"blk.{layer + 1}", sizes, with_norms=False)
    for layer in range(sizes.layers):
        _add_feed_forward(weights, f"blk.{layer}", sizes)


def _add_mamba_2(weights: RandomWeights, name: str, sizes: Sizes) -> None:
    _add_norm(weights, f"{name}.attn_norm", sizes.width)
    weights.add(f"{name}.ssm_in.weight", 2 * sizes.inner + 2 * sizes.state + sizes.ssm_heads, sizes.width)
    weights.add_decay(f"{name}.ssm_a", sizes.ssm_heads, 1)
    weights.add(f"{name}.ssm_d", sizes.ssm_heads, 1)
    _add_norm(weights, f"{name}.ssm_norm", 1, sizes.inner)
    _add_state_ends(weights, name, sizes, channels=sizes.inner + 2 * sizes.state, steps=sizes.ssm_heads)


def _add_mixture(writer: GGUFWriter, weights: RandomWeights, sizes: Sizes) -> None:
    writer.add_head_count_kv(sizes.heads)
    writer.add_expert_count(sizes.experts)
    writer.add_expert_used_count(EXPERTS_USED)
    writer.add_expert_feed_forward_length(sizes.hidden)
    for layer in range(sizes.layers):
        name = f"blk.{layer}"
        _add_attention(weights, name, sizes, with_norms=True)
        _add_norm(weights, f"{name}.ffn_norm", sizes.width)
        weights.add(f"{name}.ffn_gate_inp.weight", sizes.experts, sizes.width)
        weights.add(f"{name}.ffn_gate_exps.weight", sizes.experts, sizes.hidden, sizes.width)
        weights.add(f"{name}.ffn_up_exps.weight", sizes.experts, sizes.hidden, sizes.width)
        weights.add(f"{name}.ffn_down_exps.weight", sizes.experts, sizes.width, sizes.hidden)


def _add_cog(writer: GGUFWriter, weights: RandomWeights, sizes: Sizes) -> None:
    writer.add_head_count_kv(sizes.heads)
    for layer in range(sizes.layers):
        name = f"blk.{layer}"
        _add_norm(weights, f"{name}.attn_norm", sizes.width)
        _add_feed_forward(weights, name, sizes)
        for expert in ("", "vis_"):  # the second one is for images
            weights.add(f"{name}.{expert}attn_qkv.weight", 3 * sizes.width, sizes.width)
            weights.add(f"{name}.{expert}attn_output.weight", sizes.width, sizes.width)
        weights.add(f"{name}.vis_gate.weight", sizes.hidden, sizes.width)
        weights.add(f"{name}.vis_up.weight", sizes.hidden, sizes.width)
        weights.add(f"{name}.vis_down.weight", sizes.width, sizes.hidden)


def _add_llada(writer: GGUFWriter, weights: RandomWeights, sizes: Sizes) -> None:
    writer.add_head_count_kv(sizes.heads)
    writer.add_causal_attention(False)
    writer.add_mask_token_id(MASK)
    writer.add_bool("diffusion.shift_logits", False)
    for layer in range(sizes.layers):
        _add_attention(weights, f"blk.{layer}", sizes, with_norms=False)
        _add_feed_forward(weights, f"blk.{layer}", sizes)


def _add_state_sizes(writer: GGUFWriter, sizes: Sizes, rank: int) -> None:
    writer.add_ssm_conv_kernel(CONV)
    writer.add_ssm_inner_size(sizes.inner)
    writer.add_ssm_state_size(sizes.state)
    writer.add_ssm_time_step_rank(rank)


def _add_state_ends(weights: RandomWeights, name: str, sizes: Sizes, channels: int, steps: int) -> None:
    """Add what Mamba and Mamba 2 have in common: `channels` are convolved, `steps` have a time step of their own."""
    weights.add(f"{name}.ssm_conv1d.weight", channels, CONV)
    weights.add(f"{name}.ssm_conv1d.bias", channels)
    weights.add(f"{name}.ssm_dt.bias", steps)
    weights.add(f"{name}.ssm_out.weight", sizes.width, sizes.inner)


def _add_attention(weights: RandomWeights, name: str, sizes: Sizes, with_norms: bool) -> None:
    _add_norm(weights, f"{name}.attn_norm", sizes.width)
    for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
        weights.add(f"{name}.{part}.weight", sizes.width, sizes.width)
    for part in ("attn_q_norm", "attn_k_norm") if with_norms else ():
        _add_norm(weights, f"{name}.{part}", sizes.width // sizes.heads)


def _add_feed_forward(weights: RandomWeights, name: str, sizes: Sizes) -> None:
    _add_norm(weights, f"{name}.ffn_norm", sizes.width)
    weights.add(f"{name}.ffn_gate.weight", sizes.hidden, sizes.width)
    weights.add(f"{name}.ffn_up.weight", sizes.hidden, sizes.width)
    weights.add(f"{name}.ffn_down.weight", sizes.width, sizes.hidden)


def _add_norm(weights: RandomWeights, name: str, *shape: int) -> None:
    weights.add_norm(name, shape, with_bias=False)


_KINDS: dict[Kind, tuple[str, Callable[[GGUFWriter, RandomWeights, Sizes], None]]] = {
    "attention": ("qwen3", _add_qwen),
    "window": ("gemma3", _add_gemma),
    "recurrent": ("mamba", _add_mamba),
    "hybrid": ("granitehybrid", _add_granite),
    "moe": ("qwen3moe", _add_mixture),
    "every-row": ("cogvlm", _add_cog),
    "diffusion": ("llada", _add_llada),
}
