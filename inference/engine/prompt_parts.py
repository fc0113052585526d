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

    def next_part(self, left: int, remaining: int) -> int:
        """Return how many of a prompt's remaining tokens to compute where `left` fit into a step."""
        whole = left // self.tile * self.tile
        return min(left, remaining) if remaining <= left or not whole else whole


PLAIN = PromptParts()


def prompt_parts(flash_attention: FlashAttention) -> PromptParts:
    """Return what suits a planned configuration."""
    return PLAIN if flash_attention == "off" else PromptParts(TILE, TILE)
