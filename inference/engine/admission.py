"""From a request to a running sequence: its grammar is compiled, then it waits for a slot, or for a prefix."""

from concurrent.futures import Future
from dataclasses import dataclass

from inference.engine.disk_tier import Recall, Turn
from inference.engine.guide import Matcher
from inference.engine.kv_cache import KVCache
from inference.engine.messages import Failure, FailureCode, GenerateRequest
from inference.engine.prefix_index import Promise
from inference.engine.scheduler import Scheduler
from inference.engine.sequence import Sequence


@dataclass(frozen=True)
class Pending:
    """A request on its way to the queue; `grammar` is still being compiled."""

    request: GenerateRequest
    tokens: list[int]
    grammar: "Future[Matcher] | None"

    @property
    def is_ready(self) -> bool:
        return self.grammar is None or self.grammar.done()


class PendingRequests:
    """The requests that cannot be queued yet."""

    def __init__(self) -> None:
        self._requests: dict[str, Pending] = {}

    @property
    def has_ready(self) -> bool:
        return any(pending.is_ready for pending in self._requests.values())

    def add(self, pending: Pending) -> None:
        self._requests[pending.request.id] = pending

    def take(self, request_id: str) -> Pending | None:
        """Take a request out; None if it is not here."""
        return self._requests.pop(request_id, None)

    def take_ready(self) -> list[Pending]:
        """Take out those whose grammars have become ready."""
        ready = [pending for pending in self._requests.values() if pending.is_ready]
        return [self._requests.pop(pending.request.id) for pending in ready]


class Admission:
    """Gives waiting sequences their slots, with the KV cells of what is computed of their prompts.

    A sequence lets others pass while its prefix is computed by a running one, or read from disk.
    """

    def __init__(self, scheduler: Scheduler, cache: KVCache) -> None:
        self._scheduler = scheduler
        self._cache = cache
        self._promises: dict[str, Promise | Recall | Turn] = {}

    @property
    def has_work(self) -> bool:
        """Whether a waiting sequence may be able to start."""
        return not all(map(self._is_held, self._scheduler.waiting))

    def admit(self) -> None:
        """Start as many sequences as there is room for."""
        while self._cache.has_idle_slot and (sequence := self._scheduler.next_waiting(self._is_ready)):
            sequence.num_computed = self._cache.acquire(sequence)
            self.forget(sequence)
            if not sequence.num_generated:
                sequence.num_cached = sequence.num_computed
            self._scheduler.start(sequence)

    def forget(self, sequence: Sequence) -> None:
        """Drop what a sequence waits for: it starts, ends, or waits for something else."""
        if promise := self._promises.pop(sequence.id, None):
            self._cache.stop_waiting(promise)

    def _is_held(self, sequence: Sequence) -> bool:
        promise = self._promises.get(sequence.id)
        return promise is not None and promise.is_open

    def _is_ready(self, sequence: Sequence) -> bool:
        """Say whether a sequence should start now, rather than wait for what others are about to have."""
        if self._is_held(sequence):
            return False
        promise = self._cache.promise(sequence.prefix)
        if promise is None:
            return True
        if promise is not self._promises.get(sequence.id):
            self.forget(sequence)
            self._promises[sequence.id] = promise
        return False


def refusal(num_tokens: int, n_ctx: int) -> Failure | None:
    """Return why a prompt of so many tokens cannot be served; None if it can."""
    if num_tokens == 0:
        return Failure(FailureCode.EMPTY_PROMPT, "the prompt is empty")
    if num_tokens >= n_ctx:
        return Failure(
            FailureCode.CONTEXT_LENGTH_EXCEEDED,
            f"the prompt has {num_tokens} tokens, the context {n_ctx}",
            context_length=n_ctx,
            prompt_tokens=num_tokens,
        )
    return None
