"""The tokens of one `llama_decode` call, in arrays that are allocated once and filled by slices."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from inference.engine.row_padding import Spare
    from inference.engine.scheduler import Chunk


class Batch:
    """The columns of llama.cpp's `llama_batch` (include/llama.h), each of shape (capacity,).

    token, pos, seq_id: int32. logits: int8, 1 where the row's logits are wanted. `num_tokens` rows are in use.
    Every row belongs to exactly one sequence: num_seq_ids is all 1, and seq_id_pointers holds the addresses of
    seq_id's elements, since llama.cpp takes a list of sequence ids for each row.
    """

    def __init__(self, capacity: int) -> None:
        self.num_tokens = 0
        self.token = np.zeros(capacity, np.int32)
        self.pos = np.zeros(capacity, np.int32)
        self.seq_id = np.zeros(capacity, np.int32)
        self.logits = np.zeros(capacity, np.int8)
        self.num_seq_ids = np.ones(capacity, np.int32)
        self.seq_id_pointers = self.seq_id.ctypes.data + np.arange(capacity, dtype=np.uintp) * self.seq_id.itemsize

    def clear(self) -> None:
        self.num_tokens = 0

    def add(self, tokens: list[int], first_pos: int, seq_id: int, want_logits: bool, want_all: bool = False) -> int:
        """Append consecutive tokens of a sequence; return the row of the last one.

        With `want_logits` the logits of that last token are computed, with `want_all` those of every token.
        """
        start, end = self.num_tokens, self.num_tokens + len(tokens)
        self.token[start:end] = tokens
        self.pos[start:end] = np.arange(first_pos, first_pos + len(tokens), dtype=np.int32)
        self.seq_id[start:end] = seq_id
        self.logits[start:end] = want_all
        self.logits[end - 1] = want_all or want_logits
        self.num_tokens = end
        return end - 1

    def fill(self, chunks: "list[Chunk]", spare: "Spare | None" = None) -> list[int]:
        """Replace what is there by these chunks; return the row of each one's last token, without its draft.

        spare: a slot before or after all others that gets a row, too, with logits, which nobody will ask for.
        """
        self.clear()
        rows = []
        if spare and spare.slot < chunks[0].sequence.slot:
            self.add([0], spare.length, spare.slot, want_logits=True)
        for chunk in chunks:
            sequence, start = chunk.sequence, chunk.start
            tokens = [*sequence.tokens[start : start + chunk.num_tokens], *chunk.draft]
            want_all = sequence.scores_prompt or bool(chunk.draft)
            last = self.add(tokens, start, sequence.slot, chunk.is_last or chunk.wants_logits, want_all)
            rows.append(last - len(chunk.draft))
        if spare and spare.slot > chunks[-1].sequence.slot:
            self.add([0], spare.length, spare.slot, want_logits=True)
        return rows
