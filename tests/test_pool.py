"""EnginePool: single-flight loading, retiring, unloading; on engines of paper."""

import asyncio

import pytest

from inference.client import EngineLoadError
from inference.engine.config import EngineConfig
from inference.engine.messages import (
    EngineInfo,
    EngineStats,
    Failure,
    FailureCode,
    GenerateRequest,
    Output,
    SamplingParams,
    Usage,
)
from inference.pool import EnginePool, ModelSpec

REQUEST = GenerateRequest("r", "Hi", SamplingParams())


class PaperEngine:
    """Answers every request at once, unless told to hold on to them."""

    def __init__(self, name: str, config: EngineConfig) -> None:
        self.config = config
        self.info = EngineInfo(config.n_ctx, 1, 1, 0, name, "", 0.1)
        self.stats = EngineStats()
        self.pid = 1
        self.failure = None
        self.closed = False
        self.held = []
        self.holds = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def is_alive(self) -> bool:
        return self.failure is None

    def submit(self, request, generation) -> None:
        if self.failure:
            generation.put(Output(request.id, failure=self.failure))
            return
        self.held.append((request, generation))
        self._idle.clear()
        if not self.holds:
            self.answer()

    def answer(self) -> None:
        for request, generation in self.held:
            generation.put(Output(request.id, "Hello", "stop", usage=Usage(1, 1, 0)))
        self.held.clear()
        self._idle.set()

    async def drained(self) -> None:
        await self._idle.wait()

    async def close(self) -> None:
        self.closed = True
        self.failure = Failure(FailureCode.UNLOADED, "closed")


class Factory:
    """Starts paper engines; `gate` holds them back, `error` makes them fail."""

    def __init__(self) -> None:
        self.engines: list[PaperEngine] = []
        self.num_starts = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: str | None = None

    async def __call__(self, name: str, config: EngineConfig) -> PaperEngine:
        self.num_starts += 1
        await self.gate.wait()
        if self.error:
            raise EngineLoadError(self.error)
        self.engines.append(PaperEngine(name, config))
        return self.engines[-1]


@pytest.fixture
async def factory():
    return Factory()


@pytest.fixture
async def pool(factory):
    pool = EnginePool(start_engine=factory)
    yield pool
    factory.gate.set()
    await pool.close()


def spec(key: int = 1, **settings: object) -> ModelSpec:
    return ModelSpec(key, f"model-{key}", EngineConfig("m.gguf", **{"n_ctx": 100, **settings}))


async def outputs(generation) -> list[Output]:
    return [output async for output in generation if output]


async def test_a_request_loads_the_model_and_is_answered(pool, factory):
    [output] = await outputs(pool.generate(spec(), REQUEST))
    assert output.text == "Hello"
    assert pool.status()[1].state == "ready"


async def test_a_loaded_model_is_used_again(pool, factory):
    for _ in range(3):
        await outputs(pool.generate(spec(), REQUEST))
    assert factory.num_starts == 1


async def test_requests_that_arrive_while_it_loads_share_one_load(pool, factory):
    factory.gate.clear()
    generations = [pool.generate(spec(), REQUEST) for _ in range(5)]
    await asyncio.sleep(0)
    assert pool.status()[1].state == "loading"
    factory.gate.set()
    assert all([await outputs(generation) for generation in generations])
    assert factory.num_starts == 1


async def test_a_request_that_leaves_does_not_cancel_the_load_of_others(pool, factory):
    factory.gate.clear()
    leaving, staying = pool.generate(spec(), REQUEST), pool.generate(spec(), REQUEST)
    await asyncio.sleep(0)
    leaving.close()
    await asyncio.sleep(0)
    factory.gate.set()
    assert await outputs(staying)
    assert factory.num_starts == 1


async def test_a_failed_load_ends_its_requests_and_is_remembered(pool, factory):
    factory.error = "the file is gone"
    [output] = await outputs(pool.generate(spec(), REQUEST))
    assert output.failure.code is FailureCode.LOAD_FAILED
    assert "the file is gone" in output.failure.message
    assert pool.last_error(1) == "the file is gone"
    assert pool.status() == {}


async def test_the_next_request_tries_again_after_a_failed_load(pool, factory):
    factory.error = "no memory"
    await outputs(pool.generate(spec(), REQUEST))
    factory.error = None
    assert (await outputs(pool.generate(spec(), REQUEST)))[0].text == "Hello"
    assert pool.last_error(1) == ""


async def test_a_dead_engine_is_replaced(pool, factory):
    await outputs(pool.generate(spec(), REQUEST))
    factory.engines[0].failure = Failure(FailureCode.WORKER_DIED, "killed")
    assert pool.status() == {}
    assert pool.last_error(1) == "killed"
    assert (await outputs(pool.generate(spec(), REQUEST)))[0].text == "Hello"
    assert factory.num_starts == 2


async def test_changed_settings_retire_the_engine_once_it_is_idle(pool, factory):
    await pool.load(spec())
    old = factory.engines[0]
    old.holds = True
    open_request = pool.generate(spec(), REQUEST)
    await outputs(pool.generate(spec(n_ctx=200), REQUEST))
    assert not old.closed
    old.answer()
    assert await outputs(open_request)
    await asyncio.sleep(0)
    assert old.closed
    assert factory.engines[1].config.n_ctx == 200


async def test_settings_that_change_while_it_loads_start_it_again(pool, factory):
    factory.gate.clear()
    first = pool.generate(spec(), REQUEST)
    await asyncio.sleep(0)
    second = pool.generate(spec(n_ctx=200), REQUEST)
    factory.gate.set()
    assert [output.text for output in await outputs(first) + await outputs(second)] == ["Hello", "Hello"]
    assert factory.num_starts == 2


async def test_a_retired_engine_that_fails_to_load_leaves_the_new_one_alone(pool, factory):
    factory.gate.clear()
    factory.error = "old settings"
    first = pool.generate(spec(), REQUEST)
    await asyncio.sleep(0)
    second = pool.generate(spec(n_ctx=200), REQUEST)
    await asyncio.sleep(0)
    factory.gate.set()
    assert (await outputs(first))[0].failure
    assert (await outputs(second))[0].failure
    factory.error = None
    assert (await outputs(pool.generate(spec(n_ctx=200), REQUEST)))[0].text == "Hello"


async def test_models_have_engines_of_their_own(pool, factory):
    for key in (1, 2):
        await outputs(pool.generate(spec(key), REQUEST))
    assert factory.num_starts == 2
    assert {status.name for status in pool.status().values()} == {"model-1", "model-2"}


async def test_unload_closes_the_engine(pool, factory):
    await pool.load(spec())
    assert await pool.unload(1)
    assert factory.engines[0].closed
    assert not await pool.unload(1)


async def test_unload_while_loading_ends_the_waiting_requests(pool, factory):
    factory.gate.clear()
    generation = pool.generate(spec(), REQUEST)
    await asyncio.sleep(0)
    assert await pool.unload(1)
    [output] = await outputs(generation)
    assert output.failure.code is FailureCode.UNLOADED
    assert pool.status() == {}


async def test_close_ends_all_engines(pool, factory):
    for key in (1, 2):
        await pool.load(spec(key))
    await pool.close()
    assert all(engine.closed for engine in factory.engines)


async def test_other_threads_reach_the_pool_through_run(pool, factory):
    assert not pool.is_running
    pool.bind()
    assert pool.is_running
    await asyncio.to_thread(lambda: pool.run(pool.load(spec())).result())
    assert pool.status()[1].state == "ready"
