"""A tiny Mamba with random weights and the demo model's vocabulary."""

from pathlib import Path

import numpy as np
from gguf import GGUFReader, GGUFValueType, GGUFWriter

from tests.live_server import DEMO

WIDTH, INNER, STATE, RANK, KERNEL = 32, 64, 8, 4, 4
# src/models/mamba.cpp; numpy's axes come in the other order
LAYER = {
    "attn_norm.weight": (WIDTH,),
    "ssm_in.weight": (2 * INNER, WIDTH),
    "ssm_conv1d.weight": (INNER, KERNEL),
    "ssm_conv1d.bias": (INNER,),
    "ssm_x.weight": (RANK + 2 * STATE, INNER),
    "ssm_dt.weight": (INNER, RANK),
    "ssm_dt.bias": (INNER,),
    "ssm_a": (INNER, STATE),
    "ssm_d": (INNER,),
    "ssm_out.weight": (WIDTH, INNER),
}


def write_mamba(path: Path) -> Path:
    """Write a model whose state cannot be rewound."""
    writer, source = GGUFWriter(path, "mamba"), GGUFReader(DEMO)
    for name, field in source.fields.items():
        if name.startswith("tokenizer.ggml."):
            is_array = field.types[0] == GGUFValueType.ARRAY
            writer.add_key_value(name, field.contents(), field.types[0], field.types[-1] if is_array else None)
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_block_count(1)
    writer.add_ssm_conv_kernel(KERNEL)
    writer.add_ssm_inner_size(INNER)
    writer.add_ssm_state_size(STATE)
    writer.add_ssm_time_step_rank(RANK)
    writer.add_layer_norm_rms_eps(1e-5)
    _add_weights(writer, len(source.fields["tokenizer.ggml.tokens"].data))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_weights(writer: GGUFWriter, num_tokens: int) -> None:
    shapes = {"token_embd.weight": (num_tokens, WIDTH), "output_norm.weight": (WIDTH,)}
    shapes |= {f"blk.0.{name}": shape for name, shape in LAYER.items()}
    draw = np.random.default_rng(5)
    for name, shape in shapes.items():
        writer.add_tensor(name, draw.normal(0, 0.3, shape).astype(np.float32))
