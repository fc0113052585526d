"""In which parts a long prompt is computed."""

from dataclasses import dataclass

from inference.engine.config import FlashAttention

LEAST = 32  # tokens; a smaller part takes as long
TILE = 64  # Q_TILE_SZ in ggml/src/ggml-cpu/ops.cpp


@dataclass(frozen=True)
class PromptParts:
    """What llama.cpp computes well.

    least: tokens that a part has at least, unless the prompt has no more.
    tile: flash attention on a CPU computes so many tokens of a sequence at once, and what is left of a longer part as
        slowly as a whole tile. A part that is shorter than one it computes token by token. 1 without flash attention.
    """

    least: int = LEAST
    tile: int = 1

    def next_part(self, left: int, remaining: int) -> int:
        """Return how many of a prompt's remaining tokens to compute where `left` fit into a step."""
        if remaining <= left:
            return remaining
        begun = left % self.tile
        return left if left < self.tile or begun >= self.tile / 2 else left - begun


PLAIN = PromptParts()


def prompt_parts(flash_attention: FlashAttention) -> PromptParts:
    """Return what suits a planned configuration."""
    return PLAIN if flash_attention == "off" else PromptParts(TILE, TILE)
