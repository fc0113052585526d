"""Which models are in memory: `pool` is the one of this process."""

from django.conf import settings

from inference.pool.budget import Budget
from inference.pool.engine_pool import EnginePool, PoolSettings
from inference.pool.model_spec import EngineStatus, ModelSpec
from inference.recorder import DatabaseRecorder

__all__ = ["EnginePool", "EngineStatus", "ModelSpec", "pool"]


def _settings() -> PoolSettings:
    config = settings.CONFIG.pool
    return PoolSettings(
        Budget(config.memory_budget, config.vram_budget), config.max_queue, config.step_timeout, config.load_timeout
    )


pool = EnginePool(settings=_settings(), recorder=DatabaseRecorder())
