"""Speculative decoding: guesses join the batch, and those that the model would have chosen anyway save a step."""

from dataclasses import replace
from typing import TYPE_CHECKING

from inference.engine.drafts import Drafts
from inference.engine.scheduler import Chunk
from inference.engine.sequence import Sequence
from inference.engine.speculation import SpeculationPolicy

if TYPE_CHECKING:
    from inference.engine.config import EngineConfig
    from inference.engine.llama import Llama


class Speculator:
    """Adds drafts to the chunks of decoding sequences, as long as the policy finds that they pay.

    draft_max: the longest draft. n_batch: the tokens that fit into a step.
    """

    def __init__(self, drafts: Drafts, draft_max: int, n_batch: int) -> None:
        self._drafts = drafts
        self._policy = SpeculationPolicy(draft_max)
        self._n_batch = n_batch
        self._was_asked = False
        self._num_drafted = self._num_accepted = 0

    @property
    def counts(self) -> tuple[int, int]:
        """How many tokens were guessed so far, and how many of them were right."""
        return self._num_drafted, self._num_accepted

    def extend(self, chunks: list[Chunk]) -> list[Chunk]:
        """Add drafts to the chunks of a step that computes no prompt."""
        budget = min(self._policy.budget(len(chunks)), self._n_batch // len(chunks) - 1)
        sequences = [chunk.sequence for chunk in chunks]
        mosts = [max(min(budget, sequence.max_draft), 0) for sequence in sequences]
        self._was_asked = any(mosts)
        drafts = self._policy.fit(self._drafts.propose(sequences, mosts))
        return [replace(chunk, draft=tuple(draft)) for chunk, draft in zip(chunks, drafts, strict=True)]

    def observe(self, chunks: list[Chunk], seconds: float) -> None:
        """Learn from such a step, drafting included."""
        was_asked = self._drafts.is_costly and self._was_asked
        drafts = [(len(chunk.draft), chunk.num_accepted) for chunk in chunks if chunk.draft or was_asked]
        self._policy.observe(len(chunks), seconds, drafts)
        self._num_drafted += sum(drafted for drafted, _ in drafts)
        self._num_accepted += sum(accepted for _, accepted in drafts)

    def forget(self, sequence: Sequence) -> None:
        self._drafts.forget(sequence)


def new_speculator(config: "EngineConfig", llama: "Llama") -> Speculator | None:
    """Return what a planned configuration asks for. Raises ModelLoadError for a draft model that cannot be used."""
    from inference.engine.draft_model import DraftModel
    from inference.engine.drafts import LookupDrafts, ModelDrafts

    if config.speculation == "off":
        return None
    if config.speculation == "lookup":
        return Speculator(LookupDrafts(), config.draft_max, config.n_batch)
    model = DraftModel.load(config.draft_model_path, config, llama.vocabulary)
    return Speculator(ModelDrafts(model, config.n_seq_max), config.draft_max, config.n_batch)
