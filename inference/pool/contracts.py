"""What the pool is given: how engines are started, who keeps what it finds out, and its limits."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from inference.client import EngineClient
from inference.engine.config import EngineConfig
from inference.memory import Memory
from inference.pool.budget import Budget
from inference.pool.failures import FailureNote
from inference.pool.model_spec import ModelSpec

Estimate = Callable[[EngineConfig], Awaitable[Memory]]
Advise = Callable[[EngineConfig, int], Awaitable[str]]


class StartEngine(Protocol):
    """Starts a worker; `on_progress` is called with the part that is loaded, 0 to 1. Raises EngineLoadError."""

    def __call__(
        self, name: str, config: EngineConfig, on_progress: Callable[[float], None]
    ) -> Awaitable[EngineClient]: ...


class Recorder:
    """Is told what the pool finds out about a model, from the event loop; must not block. This one keeps nothing."""

    def loaded(self, spec: ModelSpec) -> None:
        """A model was loaded: what went wrong before is over."""

    def failed(self, spec: ModelSpec, note: FailureNote) -> None:
        """A model could not be loaded, or its engine died."""

    def measured(self, spec: ModelSpec, memory: Memory) -> None:
        """A loaded model takes so much at the moment; called about once a second."""


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
