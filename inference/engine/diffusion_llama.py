"""llama.cpp with a diffusion model: a context without memory, which computes a whole text at once."""

import numpy as np

from inference.engine.batch import Batch
from inference.engine.bindings import lib
from inference.engine.config import EngineConfig
from inference.engine.llama import Llama, ModelLoadError
from inference.engine.loading import create_context
from inference.engine.model_facts import metadata

NO_TOKEN = -1  # LLAMA_TOKEN_NULL (include/llama.h)


class DiffusionLlama(Llama):
    """A loaded diffusion model. All rows of a batch have logits; none of them ever has the mask as its likeliest token.

    shifts_logits: whether what belongs into a place is said by the row before it, as with models that were made from
    ones that write token after token (examples/diffusion/diffusion-cli.cpp).
    """

    mask_token: int

    @property
    def shifts_logits(self) -> bool:
        return metadata(self._model, "diffusion.shift_logits") != "false"

    def decode(self, batch: Batch) -> None:
        """Compute a batch, all of whose rows have logits then. Raises DecodeError."""
        super().decode(batch)
        pointer = lib.llama_get_logits(self._context)
        rows = np.ctypeslib.as_array(pointer, (batch.num_tokens, self.vocabulary.size))
        rows[:, self.mask_token] = -np.inf

    def _create_context(self, config: EngineConfig) -> int:
        self.mask_token = lib.llama_vocab_mask(lib.llama_model_get_vocab(self._model))
        if self.mask_token == NO_TOKEN:
            raise ModelLoadError(
                "the file names no mask token (tokenizer.ggml.mask_token_id), which diffusion models need"
            )
        return create_context(self._model, config)
