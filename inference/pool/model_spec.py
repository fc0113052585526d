"""What the pool knows of a registration, and what it tells of an engine."""

from dataclasses import dataclass, field
from typing import Literal

from inference.engine.config import EngineConfig
from inference.engine.messages import EngineInfo, EngineStats
from inference.memory import NOTHING, Memory
from inference.token_counts import TokenCounts

State = Literal["waiting", "loading", "ready", "leaving"]


@dataclass(frozen=True)
class ModelSpec:
    """A model and how it is to be kept. `key` stays the same when it is renamed.

    pinned: never unloaded to make room or for being idle. idle_seconds: unloaded when nobody has asked for so long,
    None: never. measured: what it took of the memory when it last ran with this configuration, None: not known.
    """

    key: int
    name: str
    config: EngineConfig
    pinned: bool = False
    idle_seconds: float | None = None
    measured: Memory | None = None


@dataclass(frozen=True)
class EngineStatus:
    """A snapshot of one engine.

    state: `waiting` for memory, `loading`, `ready`, or `leaving` when it only finishes its open requests.
    progress: of the loading, 0 to 1. info and pid: None until it is ready. num_queued: requests that wait for the
    load. idle_since, unload_at: seconds since the epoch, None if it works or stays.
    """

    name: str
    state: State
    info: EngineInfo | None
    stats: EngineStats
    pid: int | None
    progress: float = 0.0
    memory: Memory = NOTHING
    num_queued: int = 0
    pinned: bool = False
    idle_since: float | None = None
    unload_at: float | None = None
    token_counts: TokenCounts = field(default_factory=TokenCounts)
