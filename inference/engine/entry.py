"""What is known of one computed token sequence: where it lies, and to which lengths it can be cut."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

State = np.ndarray  # bytes as llama.cpp writes them (llama_state_seq_get_data_ext), shape (size,), uint8

MAX_CHECKPOINTS = 8


class Holder(Protocol):
    """A running sequence: the first `num_computed` of its `tokens` are computed, its prompt of `num_prompt` will be.

    `cuts` are lengths at which a checkpoint is wanted.
    """

    tokens: list[int]
    num_prompt: int
    num_computed: int
    cuts: set[int]


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The part of a sequence's memory that cannot be cut back, as it was after `length` tokens.

    state: None if it lies on disk only.
    """

    length: int
    state: State | None

    @property
    def num_bytes(self) -> int:
        """What it takes of the memory."""
        return 0 if self.state is None else self.state.nbytes


@dataclass(frozen=True)
class Stored:
    """A file on disk that has a sequence's state."""

    path: Path
    num_bytes: int


@dataclass(eq=False)
class Entry:
    """Its tokens are computed; their cells lie in `slot`, or saved in `state`, or in `file`, which may be beside both.

    While a sequence runs, it is the `holder`, and its tokens are the entry's. can_rewind: cells can be cut back to any
    length; otherwise only to those of the checkpoints. `indexed` is what the radix tree knows it by. `replaces` is the
    file of the conversation's turn before, of which nobody has need once this one is on disk.
    """

    tokens: list[int]
    slot: int | None = None
    state: State | None = None
    file: Stored | None = None
    replaces: Stored | None = None
    holder: Holder | None = None
    can_rewind: bool = True
    checkpoints: list[Checkpoint] = field(default_factory=list)
    indexed: list[int] = field(default_factory=list)
    num_uses: int = 0
    last_used: int = 0
    priority: int = 0

    @property
    def length(self) -> int:
        """Tokens that are computed."""
        return self.holder.num_computed if self.holder else len(self.tokens)

    @property
    def is_idle(self) -> bool:
        """Whether it lies in a slot that nobody works in."""
        return self.slot is not None and self.holder is None

    @property
    def is_in_memory(self) -> bool:
        """Whether it can be had at once."""
        return self.slot is not None or self.state is not None

    @property
    def has_file(self) -> bool:
        return self.file is not None

    @property
    def is_on_disk_only(self) -> bool:
        return self.has_file and not self.is_in_memory

    @property
    def num_bytes(self) -> int:
        """What it takes of the memory beside the KV cache."""
        return num_bytes_of(self.checkpoints) + (0 if self.state is None else self.state.nbytes)

    def usable(self, limit: int) -> int:
        """Return the greatest length up to `limit` to which this can be cut."""
        if self.can_rewind or self.length <= limit:
            return min(self.length, limit)
        return max((each.length for each in self.checkpoints if each.length <= limit), default=0)

    def is_continued(self, length: int) -> bool:
        """Say whether a prompt that takes `length` tokens goes on with this, rather than sharing only its beginning.

        Taking the slot of a conversation that only shares a system prompt would destroy the rest of it.
        """
        return length * 2 >= self.length > 0

    def checkpoint_at(self, length: int) -> Checkpoint | None:
        """Return what is needed to cut back to `length`; None if nothing is."""
        if self.can_rewind or length == self.length:
            return None
        return next(each for each in self.checkpoints if each.length == length)

    def leave_memory(self) -> None:
        """Keep nothing beside the slot and the file, except to which lengths it can be cut."""
        self.state = None
        self.checkpoints = [Checkpoint(each.length, None) for each in self.checkpoints]

    def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint; of too many, the one whose neighbours are closest goes."""
        kept = [each for each in self.checkpoints if each.length != checkpoint.length]
        self.checkpoints = sorted([*kept, checkpoint], key=lambda each: each.length)
        if len(self.checkpoints) > MAX_CHECKPOINTS:
            lengths = [0, *(each.length for each in self.checkpoints)]
            gaps = [lengths[index + 2] - lengths[index] for index in range(len(self.checkpoints) - 1)]
            del self.checkpoints[gaps.index(min(gaps))]


def num_bytes_of(checkpoints: list[Checkpoint]) -> int:
    """Return the memory that checkpoints take."""
    return sum(each.num_bytes for each in checkpoints)
