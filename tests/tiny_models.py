"""Tiny language models with random weights, one for each way in which llama.cpp remembers what it has computed.

They have the demo model's tokenizer and chat template, but what they write means nothing: what counts is that it
depends on every token before. The names of tensors and keys are llama.cpp's (src/llama-arch.cpp), the shapes those of
`load_arch_tensors` in src/models/.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

from gguf import GGUFReader, GGUFWriter

from tests.gguf_files import RandomWeights, close_gguf, copy_fields
from tests.live_server import DEMO

Kind = Literal["attention", "window", "recurrent", "hybrid", "moe", "every-row"]
KINDS: tuple[Kind, ...] = get_args(Kind)

CONTEXT, WIDTH, LAYERS, HEADS, HIDDEN = 2048, 32, 2, 2, 64
WINDOW = 16  # tokens that the first layer of the "window" model sees
EXPERTS, EXPERTS_USED = 4, 2
# of the state space layers
CONV, INNER, STATE, RANK, SSM_HEADS = 4, 2 * WIDTH, 16, 2, 4


def write_tiny_model(path: Path, kind: Kind) -> Path:
    """Write a model of about 300 KB: always the same one for a kind.

    attention: Qwen3, whose KV cache keeps every token. window: Gemma 3, whose first layer sees only the last tokens.
    recurrent: Mamba, one state for all tokens. hybrid: Granite 4, a recurrent layer and one with a KV cache.
    moe: Qwen3-MoE, with experts. every-row: CogVLM, whose graph computes the logits of every row of a batch.
    """
    architecture, add = _KINDS[kind]
    writer = GGUFWriter(path, architecture)
    source = GGUFReader(DEMO)
    copy_fields(source, writer, prefixes=("tokenizer.",))
    _add_shape(writer)
    weights = RandomWeights(writer)
    num_tokens = len(source.fields["tokenizer.ggml.tokens"].data)
    weights.add("token_embd.weight", num_tokens, WIDTH)
    weights.add("output.weight", num_tokens, WIDTH, scale=1)
    _add_norm(weights, "output_norm")
    add(writer, weights)
    return close_gguf(writer, path)


def _add_shape(writer: GGUFWriter) -> None:
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_layer_norm_rms_eps(1e-6)


def _add_qwen(writer: GGUFWriter, weights: RandomWeights) -> None:
    writer.add_head_count_kv(HEADS)
    for layer in range(LAYERS):
        _add_attention(weights, f"blk.{layer}", with_norms=True)
        _add_feed_forward(weights, f"blk.{layer}")


def _add_gemma(writer: GGUFWriter, weights: RandomWeights) -> None:
    writer.add_head_count_kv(HEADS)
    writer.add_sliding_window(WINDOW)
    writer.add_sliding_window_pattern([True, False])
    for layer in range(LAYERS):
        name = f"blk.{layer}"
        _add_attention(weights, name, with_norms=True)
        _add_norm(weights, f"{name}.post_attention_norm")
        _add_feed_forward(weights, name)
        _add_norm(weights, f"{name}.post_ffw_norm")


def _add_mamba(writer: GGUFWriter, weights: RandomWeights) -> None:
    _add_state_sizes(writer, RANK)
    for layer in range(LAYERS):
        name = f"blk.{layer}"
        _add_norm(weights, f"{name}.attn_norm")
        weights.add(f"{name}.ssm_in.weight", 2 * INNER, WIDTH)
        weights.add(f"{name}.ssm_x.weight", RANK + 2 * STATE, INNER)
        weights.add(f"{name}.ssm_dt.weight", INNER, RANK)
        weights.add_decay(f"{name}.ssm_a", INNER, STATE)
        weights.add(f"{name}.ssm_d", INNER)
        _add_state_ends(weights, name, channels=INNER, steps=INNER)


def _add_granite(writer: GGUFWriter, weights: RandomWeights) -> None:
    writer.add_head_count_kv([0, HEADS])  # 0 makes a layer recurrent
    _add_state_sizes(writer, SSM_HEADS)
    writer.add_ssm_group_count(1)
    _add_norm(weights, "blk.0.attn_norm")
    weights.add("blk.0.ssm_in.weight", 2 * INNER + 2 * STATE + SSM_HEADS, WIDTH)
    weights.add_decay("blk.0.ssm_a", SSM_HEADS, 1)
    weights.add("blk.0.ssm_d", SSM_HEADS, 1)
    _add_norm(weights, "blk.0.ssm_norm", 1, INNER)
    _add_state_ends(weights, "blk.0", channels=INNER + 2 * STATE, steps=SSM_HEADS)
    _add_attention(weights, "blk.1", with_norms=False)
    for layer in range(LAYERS):
        _add_feed_forward(weights, f"blk.{layer}")


def _add_mixture(writer: GGUFWriter, weights: RandomWeights) -> None:
    writer.add_head_count_kv(HEADS)
    writer.add_expert_count(EXPERTS)
    writer.add_expert_used_count(EXPERTS_USED)
    writer.add_expert_feed_forward_length(HIDDEN)
    for layer in range(LAYERS):
        name = f"blk.{layer}"
        _add_attention(weights, name, with_norms=True)
        _add_norm(weights, f"{name}.ffn_norm")
        weights.add(f"{name}.ffn_gate_inp.weight", EXPERTS, WIDTH)
        weights.add(f"{name}.ffn_gate_exps.weight", EXPERTS, HIDDEN, WIDTH)
        weights.add(f"{name}.ffn_up_exps.weight", EXPERTS, HIDDEN, WIDTH)
        weights.add(f"{name}.ffn_down_exps.weight", EXPERTS, WIDTH, HIDDEN)


def _add_cog(writer: GGUFWriter, weights: RandomWeights) -> None:
    writer.add_head_count_kv(HEADS)
    for layer in range(LAYERS):
        name = f"blk.{layer}"
        _add_norm(weights, f"{name}.attn_norm")
        _add_feed_forward(weights, name)
        for expert in ("", "vis_"):  # the second one is for images
            weights.add(f"{name}.{expert}attn_qkv.weight", 3 * WIDTH, WIDTH)
            weights.add(f"{name}.{expert}attn_output.weight", WIDTH, WIDTH)
        weights.add(f"{name}.vis_gate.weight", HIDDEN, WIDTH)
        weights.add(f"{name}.vis_up.weight", HIDDEN, WIDTH)
        weights.add(f"{name}.vis_down.weight", WIDTH, HIDDEN)


def _add_state_sizes(writer: GGUFWriter, rank: int) -> None:
    writer.add_ssm_conv_kernel(CONV)
    writer.add_ssm_inner_size(INNER)
    writer.add_ssm_state_size(STATE)
    writer.add_ssm_time_step_rank(rank)


def _add_state_ends(weights: RandomWeights, name: str, channels: int, steps: int) -> None:
    """Add what Mamba and Mamba 2 have in common: `channels` are convolved, `steps` have a time step of their own."""
    weights.add(f"{name}.ssm_conv1d.weight", channels, CONV)
    weights.add(f"{name}.ssm_conv1d.bias", channels)
    weights.add(f"{name}.ssm_dt.bias", steps)
    weights.add(f"{name}.ssm_out.weight", WIDTH, INNER)


def _add_attention(weights: RandomWeights, name: str, with_norms: bool) -> None:
    _add_norm(weights, f"{name}.attn_norm")
    for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
        weights.add(f"{name}.{part}.weight", WIDTH, WIDTH)
    for part in ("attn_q_norm", "attn_k_norm") if with_norms else ():
        _add_norm(weights, f"{name}.{part}", WIDTH // HEADS)


def _add_feed_forward(weights: RandomWeights, name: str) -> None:
    _add_norm(weights, f"{name}.ffn_norm")
    weights.add(f"{name}.ffn_gate.weight", HIDDEN, WIDTH)
    weights.add(f"{name}.ffn_up.weight", HIDDEN, WIDTH)
    weights.add(f"{name}.ffn_down.weight", WIDTH, HIDDEN)


def _add_norm(weights: RandomWeights, name: str, *shape: int) -> None:
    weights.add_norm(name, shape or WIDTH, with_bias=False)


_KINDS: dict[Kind, tuple[str, Callable[[GGUFWriter, RandomWeights], None]]] = {
    "attention": ("qwen3", _add_qwen),
    "window": ("gemma3", _add_gemma),
    "recurrent": ("mamba", _add_mamba),
    "hybrid": ("granitehybrid", _add_granite),
    "moe": ("qwen3moe", _add_mixture),
    "every-row": ("cogvlm", _add_cog),
}
