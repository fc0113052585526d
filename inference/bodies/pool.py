"""What the pool tells of itself."""

from datetime import datetime, timezone
from typing import Any

from inference.memory import Limit, Memory
from inference.pool.engine_pool import EnginePool
from inference.pool.model_spec import EngineStatus


def pool_body(pool: EnginePool) -> dict[str, Any]:
    """Describe the memory and every model that takes of it or waits for it. Sizes are in bytes."""
    return {
        "object": "pool",
        "memory": {"used": _memory(pool.residents.used), "limit": _memory(pool.room.limit)},
        "queued": pool.residents.num_queued,
        "models": [_engine(resident.snapshot()) for resident in pool.residents],
    }


def _engine(status: EngineStatus) -> dict[str, Any]:
    return {
        "name": status.name,
        "state": status.state,
        "progress": round(status.progress, 3),
        "memory": _memory(status.memory),
        "pinned": status.pinned,
        "pid": status.pid,
        "queued": status.num_queued,
        "waiting": status.stats.waiting,
        "running": status.stats.running,
        "cached_tokens": status.stats.cached_tokens,
        "idle_since": _time(status.idle_since),
        "unload_at": _time(status.unload_at),
    }


def _memory(size: Memory | Limit) -> dict[str, Any]:
    return {"host": size.host, "devices": list(size.devices)}


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")
