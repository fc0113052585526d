"""What the worker drives."""

from typing import Any, Protocol

from inference.engine.messages import EngineStats, Output
from inference.engine.token_requests import VocabularyBackend


class Engine(Protocol):
    """EngineCore, Diffuser for diffusion models, Embedder for embedding and rerank models.

    Synchronous and single-threaded. `add_request` and `abort_request` take effect with the next `step`.
    """

    vocabulary: VocabularyBackend

    @property
    def has_work(self) -> bool: ...

    @property
    def stats(self) -> EngineStats: ...

    def add_request(self, request: Any) -> Output | None: ...

    def abort_request(self, request_id: str) -> Output | None: ...

    def step(self) -> list[Output]: ...

    @property
    def rest_seconds(self) -> float | None: ...

    def rest(self) -> None: ...

    def close(self, seconds: float) -> None: ...


class ForgetfulEngine:
    """The part of an Engine that has nothing to do without work, since it keeps nothing between requests."""

    @property
    def rest_seconds(self) -> None:
        return None

    def rest(self) -> None:
        """Do nothing."""

    def close(self, seconds: float) -> None:
        """Do nothing; the process ends."""
