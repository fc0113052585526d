"""In which parts a long prompt is computed."""

from dataclasses import dataclass

from inference.engine.config import FlashAttention

LEAST = 32  # tokens; a smaller part takes as long
TILE = 64  # Q_TILE_SZ in ggml/src/ggml-cpu/ops.cpp


@dataclass(frozen=True)
class PromptParts:
    """What llama.cpp computes well.

    least: tokens that a part has at least, unless the prompt has no more.
    tile: flash attention on a CPU computes so many tokens of a sequence at once, or fewer one by one, which takes up to
        four times as long as a whole tile; 1 without flash attention.
    """

    least: int = LEAST
    tile: int = 1

    def next_part(self, left: int, remaining: int, is_beside: bool) -> int:
        """Return how many of a prompt's remaining tokens to compute where `left` fit into a step.

        is_beside: whether others decode in the same step. llama.cpp computes the first token of the part together with
        theirs (llama_batch_allocr::split_equal in src/llama-batch.cpp), so that one more makes the tiles whole.
        """
        first = 1 if is_beside else 0
        whole = (left - first) // self.tile * self.tile
        return min(left, remaining) if remaining <= left or not whole else whole + first


PLAIN = PromptParts()


def prompt_parts(flash_attention: FlashAttention) -> PromptParts:
    """Return what suits a planned configuration."""
    return PLAIN if flash_attention == "off" else PromptParts(TILE + 1, TILE)
