"""What the engine needs of llama.cpp; `inference.engine.llama.Llama` is the real one."""

from concurrent.futures import Future
from typing import Protocol

from inference.engine.batch import Batch
from inference.engine.entry import State
from inference.engine.guide import Matcher
from inference.engine.messages import Constraint, GenerateRequest, TokenLogprob
from inference.engine.sequence import Sampler
from inference.engine.token_requests import VocabularyBackend


class DecodeError(Exception):
    """llama.cpp refused a batch or failed while computing it."""


class OutOfCells(DecodeError):
    """There are not enough free KV cells for a batch; nothing of it was computed."""


class KVBackend(Protocol):
    """What the cache needs. States are those of one slot; `partial` those parts that cannot be cut."""

    can_rewind: bool
    is_partitioned: bool

    def truncate(self, slot: int, length: int) -> bool: ...

    def copy(self, source: int, target: int) -> bool: ...

    def state_size(self, slot: int, partial: bool = False) -> int: ...

    def save(self, slot: int, partial: bool = False) -> State: ...

    def load(self, slot: int, state: State, partial: bool = False) -> bool: ...


class LlamaBackend(KVBackend, Protocol):
    """What the core needs."""

    vocabulary: VocabularyBackend
    num_slots: int
    mixes_lengths: bool

    def compile(self, constraint: Constraint) -> "Future[Matcher]": ...

    def new_sampler(self, request: GenerateRequest, prompt: list[int], grammar: Matcher | None) -> Sampler: ...

    def decode(self, batch: Batch) -> None: ...

    def logprob(self, row: int, token: int, num_alternatives: int) -> TokenLogprob: ...
