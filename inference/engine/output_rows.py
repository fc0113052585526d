"""Which architectures' logits come out in other rows than those asked for.

Only worker processes import this module.
"""

import ctypes

from inference.engine.bindings import lib

# Their graphs compute the logits of every row of a batch instead of the wanted ones (no `build_inp_out_ids` in
# src/models/), and llama.cpp takes the first rows for those asked for. If every row is asked for, all are right.
WITHOUT_CHOICE = ("cogvlm",)


def needs_every_row(model: int) -> bool:
    """Say whether logits are right only if those of every row in the batch are asked for."""
    buffer = ctypes.create_string_buffer(64)
    lib.llama_model_meta_val_str(model, b"general.architecture", buffer, len(buffer))
    return buffer.value.decode(errors="replace") in WITHOUT_CHOICE
