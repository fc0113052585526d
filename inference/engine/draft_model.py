"""Drafts from a second, small model with the same vocabulary.

Only worker processes import this module.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from inference.engine.backend import DecodeError
from inference.engine.batch import Batch
from inference.engine.bindings import lib
from inference.engine.config import EngineConfig
from inference.engine.context_plan import ContextPlan
from inference.engine.llama import Llama, ModelLoadError
from inference.engine.radix_tree import common_prefix
from inference.engine.vocabulary import Vocabulary

# llama.cpp's own default is to verify every draft (p_min, common/common.h); a token that its model gives less than this
# is refused so often that the rows after it are better saved.
LEAST_CHANCE = 0.4
PREFILL_BUDGET = 256  # tokens of prompts in one call, so that a long one does not stall the step
MOST_SIZE_DIFFERENCE = 128  # tokens; files of one family are padded to different sizes (common/speculative.cpp)
FIRST_COMPARED = 5  # before it stand tokens such as `<unk>`, which files of one family name differently


@dataclass
class _Draft:
    """A sequence that is drafted for; `row` has the logits of its next token, once it is in step."""

    slot: int
    tokens: list[int]
    most: int
    num_missing: int = 0
    row: int | None = None
    drafted: list[int] = field(default_factory=list)


class DraftModel:
    """A model with a KV cache that follows the sequences of another one, slot by slot.

    num_tokens: the size of the other model's vocabulary. n_ctx and n_seq_max are those of the config with which `llama`
    was loaded. Owns `llama`.
    """

    def __init__(
        self,
        llama: Llama,
        config: EngineConfig,
        num_tokens: int,
        least_chance: float = LEAST_CHANCE,
        prefill_budget: int = PREFILL_BUDGET,
    ) -> None:
        self._llama = llama
        self._n_ctx = config.n_ctx
        self._num_tokens = num_tokens
        self._least_chance = least_chance
        self._held: list[list[int]] = [[] for _ in range(config.n_seq_max)]  # tokens in the KV cache, by slot
        self._room = max(prefill_budget, config.n_seq_max)  # tokens
        self._batch = Batch(self._room)

    @classmethod
    def load(
        cls,
        path: str,
        config: EngineConfig,
        target: Vocabulary,
        new_llama: Callable[[EngineConfig], Llama] = Llama,
    ) -> "DraftModel":
        """Load a model that drafts for one with this config and vocabulary. Raises ModelLoadError."""
        config = EngineConfig(
            path,
            n_ctx=config.n_ctx,
            n_seq_max=config.n_seq_max,
            n_gpu_layers=config.n_gpu_layers,
            n_threads=config.n_threads,
            n_threads_batch=config.n_threads_batch,
            n_batch=max(PREFILL_BUDGET, config.n_seq_max),
            kv_unified=False,
            swa_full=True,  # refused tokens have to be taken back
            main_gpu=config.main_gpu,
        )
        llama = new_llama(config)
        try:
            if not llama.can_rewind:
                raise ModelLoadError(
                    f"{path} cannot be a draft model: its layers are recurrent, so that tokens which were refused "
                    "cannot be taken back"
                )
            check_vocabulary(target, llama.vocabulary)
        except ModelLoadError:
            llama.close()
            raise
        return cls(llama, config, target.size)

    @property
    def plan(self) -> ContextPlan:
        return self._llama.plan

    def held(self, slot: int) -> list[int]:
        """Return the tokens that a slot has computed."""
        return self._held[slot]

    def propose_many(self, items: Sequence[tuple[int, list[int], int]]) -> list[list[int]]:
        """Return a draft for each (slot, tokens of its sequence, most tokens to draft), empty where there is none.

        A slot's tokens may be others than in the last call; what is new is computed first, in this call as much as the
        budget allows. With `most` 0 only that is done.
        """
        drafts = [self._start(*item) for item in sorted(items, key=lambda item: item[0])]
        try:
            self._catch_up(drafts)
            active = [draft for draft in drafts if draft.row is not None and draft.most > 0]
            while active:
                active = self._extend(active)
        except DecodeError:
            for draft in drafts:
                self._forget(draft.slot)
            return [[] for _ in items]
        by_slot = {draft.slot: draft.drafted for draft in drafts}
        return [by_slot[slot] for slot, _, _ in items]

    def close(self) -> None:
        self._llama.close()

    def _start(self, slot: int, tokens: list[int], most: int) -> _Draft:
        """Cut off what a slot holds beyond its sequence; at least the last token is computed, for its logits."""
        held = self._held[slot]
        length = common_prefix(held, tokens[:-1])
        if length < len(held):
            del held[length:]
            if not self._llama.truncate(slot, length):  # a sliding window has lost what stood before
                self._forget(slot)
        return _Draft(slot, tokens, min(most, self._n_ctx - len(tokens)), len(tokens) - len(held))

    def _catch_up(self, drafts: list[_Draft]) -> None:
        """Compute the tokens that are missing, those of the sequences that lack fewest first."""
        counts, budget = {}, self._room
        for draft in sorted(drafts, key=lambda draft: draft.num_missing):
            counts[draft.slot] = min(draft.num_missing, budget)
            budget -= counts[draft.slot]
        self._batch.clear()
        for draft in drafts:
            if count := counts[draft.slot]:
                start = len(draft.tokens) - draft.num_missing
                row = self._add(draft.slot, draft.tokens[start : start + count], count == draft.num_missing)
                draft.row = row if count == draft.num_missing else None
        self._decode()

    def _extend(self, drafts: list[_Draft]) -> list[_Draft]:
        """Add a token to each draft, and compute it for those that go on; return these."""
        going_on = [draft for draft in drafts if self._choose(draft)]
        self._batch.clear()
        for draft in going_on:
            draft.row = self._add(draft.slot, draft.drafted[-1:], want_logits=True)
        self._decode()
        return going_on

    def _choose(self, draft: _Draft) -> bool:
        """Add the likeliest token to a draft, if it is likely enough; say whether another may follow."""
        logits = self._llama.logits(draft.row)
        token = int(logits.argmax())
        chance = 1 / np.exp(logits - logits[token]).sum()
        if chance < self._least_chance or token >= self._num_tokens:
            return False
        draft.drafted.append(token)
        return len(draft.drafted) < draft.most and not self._llama.vocabulary.is_end(token)

    def _add(self, slot: int, tokens: list[int], want_logits: bool) -> int:
        held = self._held[slot]
        row = self._batch.add(tokens, len(held), slot, want_logits)
        held += tokens
        return row

    def _decode(self) -> None:
        if self._batch.num_tokens:
            self._llama.decode(self._batch)

    def _forget(self, slot: int) -> None:
        self._llama.truncate(slot, 0)
        self._held[slot].clear()


def check_vocabulary(target: Vocabulary, draft: Vocabulary) -> None:
    """Raise ModelLoadError unless the tokens of two models mean the same (as common/speculative.cpp has it)."""
    if difference := _difference(target, draft):
        raise ModelLoadError(f"the draft model does not fit this model: {difference}")


def _difference(target: Vocabulary, draft: Vocabulary) -> str | None:
    if lib.llama_vocab_type(target.pointer) != lib.llama_vocab_type(draft.pointer):
        return "their tokenizers are of different types"
    for name in ("bos", "eos"):
        ours, theirs = _added(name, target), _added(name, draft)
        if ours != theirs:
            return f"its tokenizer adds {_said(theirs)} as {name.upper()}, this model's {_said(ours)}"
    if abs(target.size - draft.size) > MOST_SIZE_DIFFERENCE:
        return (
            f"its vocabulary has {draft.size} tokens, this model's {target.size} "
            f"(they may differ by {MOST_SIZE_DIFFERENCE})"
        )
    for token in range(FIRST_COMPARED, min(target.size, draft.size)):
        ours, theirs = _text(target, token), _text(draft, token)
        if ours != theirs:
            return f"token {token} is {_quoted(theirs)}, this model's is {_quoted(ours)}"
    return None


def _added(name: str, vocabulary: Vocabulary) -> int | None:
    """Return the id of the `bos` or `eos` token, None if it is not added to texts."""
    is_added = getattr(lib, f"llama_vocab_get_add_{name}")(vocabulary.pointer)
    return getattr(lib, f"llama_vocab_{name}")(vocabulary.pointer) if is_added else None


def _said(token: int | None) -> str:
    return "nothing" if token is None else f"token {token}"


def _text(vocabulary: Vocabulary, token: int) -> bytes:
    return lib.llama_vocab_get_text(vocabulary.pointer, token)


def _quoted(text: bytes) -> str:
    return f'"{text.decode(errors="replace")}"'
