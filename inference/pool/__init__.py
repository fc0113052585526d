"""Which models are in memory: `pool` is the one of this process."""

from django.conf import settings

from inference import footprints
from inference.engine.config import EngineConfig
from inference.fitting import find_misfit
from inference.gpus import free_gpu_memory
from inference.memory import Memory
from inference.pool.budget import Budget
from inference.pool.contracts import PoolSettings, Recorders
from inference.pool.engine_pool import EnginePool
from inference.pool.metrics import MetricsRecorder
from inference.pool.model_spec import EngineStatus, ModelSpec
from inference.recorder import DatabaseRecorder

__all__ = ["EnginePool", "EngineStatus", "ModelSpec", "pool"]


def _settings() -> PoolSettings:
    config = settings.CONFIG.pool
    budget = Budget(config.memory_budget, config.vram_budget, free_devices=free_gpu_memory)
    return PoolSettings(budget, config.max_queue, config.step_timeout, config.load_timeout)


async def _estimate(config: EngineConfig) -> Memory:
    return (await footprints.estimate(config)).memory


async def _advise(config: EngineConfig, budget: int) -> str:
    """Say with which settings a model would fit into the main memory that is left for it; "" if it does."""
    misfit = await find_misfit(config, budget, size=lambda footprint: footprint.host_bytes)
    return misfit.advice if misfit else ""


_recorder = Recorders(DatabaseRecorder(), MetricsRecorder())
pool = EnginePool(estimate=_estimate, advise=_advise, settings=_settings(), recorder=_recorder)
