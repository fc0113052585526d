"""What the pool is given: how engines are started, who keeps what it finds out, and its limits."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from inference.client import EngineClient
from inference.engine.config import EngineConfig
from inference.memory import Memory
from inference.pool.budget import Budget
from inference.pool.failures import FailureNote
from inference.pool.model_spec import ModelSpec

if TYPE_CHECKING:
    from inference.pool.resident import Resident

Estimate = Callable[[EngineConfig], Awaitable[Memory]]
# For others, for having been idle, for a changed configuration, because somebody wanted it or its engine died.
UnloadReason = Literal["memory", "idle", "changed", "asked", "died"]
Dismiss = Callable[["Resident", UnloadReason], object]
Advise = Callable[[EngineConfig, int], Awaitable[str]]


class StartEngine(Protocol):
    """Starts a worker; `on_progress` is called with the part that is loaded, 0 to 1. Raises EngineLoadError."""

    def __call__(
        self, name: str, config: EngineConfig, on_progress: Callable[[float], None]
    ) -> Awaitable[EngineClient]: ...


class Recorder:
    """Is told what happens to models, from the event loop; must not block. This one keeps nothing."""

    def loaded(self, spec: ModelSpec) -> None:
        """A model was loaded: what went wrong before is over."""

    def failed(self, spec: ModelSpec, note: FailureNote) -> None:
        """A model could not be loaded."""

    def died(self, spec: ModelSpec, note: FailureNote) -> None:
        """The engine of a model that had been loaded died."""

    def unloaded(self, spec: ModelSpec, reason: UnloadReason) -> None:
        """A model was taken out of service."""

    def measured(self, spec: ModelSpec, memory: Memory) -> None:
        """A loaded model takes so much at the moment; called about once a second."""


class Recorders(Recorder):
    """Several recorders as one."""

    def __init__(self, *recorders: Recorder) -> None:
        self._recorders = recorders

    def loaded(self, spec: ModelSpec) -> None:
        for recorder in self._recorders:
            recorder.loaded(spec)

    def failed(self, spec: ModelSpec, note: FailureNote) -> None:
        for recorder in self._recorders:
            recorder.failed(spec, note)

    def died(self, spec: ModelSpec, note: FailureNote) -> None:
        for recorder in self._recorders:
            recorder.died(spec, note)

    def unloaded(self, spec: ModelSpec, reason: UnloadReason) -> None:
        for recorder in self._recorders:
            recorder.unloaded(spec, reason)

    def measured(self, spec: ModelSpec, memory: Memory) -> None:
        for recorder in self._recorders:
            recorder.measured(spec, memory)


@dataclass(frozen=True)
class PoolSettings:
    """max_queue: requests that may wait for models to be loaded.

    step_timeout, load_timeout: seconds without a sign of life after which an engine with open requests, or one that is
    loading, counts as hung.
    """

    budget: Budget = field(default_factory=Budget)
    max_queue: int = 256
    step_timeout: float = 300.0
    load_timeout: float = 600.0
