"""llama.cpp with a diffusion model: a context without memory, which computes a whole text at once."""

from functools import cached_property

import numpy as np

from inference.engine.batch import Batch
from inference.engine.bindings import lib
from inference.engine.llama import Llama
from inference.engine.model_facts import metadata
from inference.engine.vocabulary import NO_TOKEN


class DiffusionLlama(Llama):
    """A loaded diffusion model. All rows of a batch have logits; none of them has the mask as its likeliest token."""

    @cached_property
    def shifts_logits(self) -> bool:
        """Whether what belongs into a place is said by the row before it.

        That is so with models that were made from ones that write token after token, and where the file says nothing
        (examples/diffusion/diffusion-cli.cpp).
        """
        return metadata(self._model, "diffusion.shift_logits") != "false"

    @property
    def names_mask(self) -> bool:
        """Whether the file says which token stands for what is masked."""
        return lib.llama_vocab_mask(self.vocabulary.pointer) != NO_TOKEN

    @cached_property
    def mask_token(self) -> int:
        """The token for what is masked; in a file that does not say which, one of such a name, or the last of all."""
        if self.names_mask:
            return lib.llama_vocab_mask(self.vocabulary.pointer)
        named = (token for name, token in self.vocabulary.control_tokens.items() if "mask" in name.lower())
        return next(named, self.vocabulary.size - 1)

    def decode(self, batch: Batch) -> None:
        """Compute a batch, all of whose rows have logits then. Raises DecodeError."""
        super().decode(batch)
        pointer = lib.llama_get_logits(self._context)
        rows = np.ctypeslib.as_array(pointer, (batch.num_tokens, self.vocabulary.size))
        rows[:, self.mask_token] = -np.inf
