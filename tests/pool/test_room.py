"""EnginePool within a memory budget: who waits, who goes, who is refused; on engines of paper."""

import asyncio
from dataclasses import replace

import pytest

from inference.bodies.pool import pool_body
from inference.client import EngineLoadError
from inference.engine.messages import FailureCode
from inference.memory import Memory
from inference.pool import EnginePool
from inference.pool.budget import Budget
from inference.pool.contracts import PoolSettings, Recorder
from inference.pool.room import PATIENCE
from tests.pool.paper import REQUEST, Factory, outputs, spec, turns


class Clock:
    now = 0.0

    def __call__(self) -> float:
        self.now += 0.001  # so that nothing happens at the same time
        return self.now


class Notes(Recorder):
    """A recorder that remembers."""

    def __init__(self) -> None:
        self.loads, self.failures, self.sizes = [], [], []

    def loaded(self, spec) -> None:
        self.loads.append(spec.name)

    def failed(self, spec, note) -> None:
        self.failures.append((spec.name, note.message, note.log))

    def died(self, spec, note) -> None:
        self.failed(spec, note)

    def measured(self, spec, memory) -> None:
        self.sizes.append((spec.name, memory.host))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def factory():
    return Factory()


@pytest.fixture
def notes():
    return Notes()


@pytest.fixture
async def pool(factory, clock, notes):
    """A pool with room for 10 bytes."""

    async def estimate(config) -> Memory:
        return Memory(config.n_ctx)

    async def advise(config, budget) -> str:
        return f"something of {budget} bytes would fit"

    settings = PoolSettings(Budget(10), max_queue=3, step_timeout=60, load_timeout=0.05)
    pool = EnginePool(factory, estimate=estimate, advise=advise, settings=settings, recorder=notes, clock=clock)
    yield pool
    factory.gate.set()
    await pool.close()


def names(pool) -> set[str]:
    return {status.name for status in pool.status().values()}


async def test_models_stay_as_long_as_there_is_room(pool):
    for key in (1, 2, 3):
        await pool.load(spec(key, size=3))
    assert names(pool) == {"model-1", "model-2", "model-3"}
    assert pool.residents.used == Memory(9)


async def test_the_least_recently_used_makes_room(pool, factory):
    for key in (1, 2, 3):
        await pool.load(spec(key, size=3))
    await outputs(pool.generate(spec(1, size=3), REQUEST))
    await pool.load(spec(4, size=3))
    assert names(pool) == {"model-1", "model-3", "model-4"}
    assert factory.engines[1].closed


async def test_what_is_not_measured_is_estimated(pool):
    await pool.load(spec(1, n_ctx=7))
    assert pool.residents.used == Memory(7)


async def test_what_grows_is_counted(pool, factory):
    await pool.load(spec(1, size=3))
    factory.engines[0].size = 8
    assert pool.residents.used == Memory(8)


async def test_pages_of_the_mapped_file_are_available_to_others(pool, factory):
    await pool.load(spec(1, size=6))
    assert pool.residents.taken == 6
    engine = factory.engines[0]
    engine.info = replace(engine.info, mapped_bytes=4)
    assert pool.residents.taken == 2


async def test_pinned_models_stay(pool):
    await pool.load(spec(1, size=4, pinned=True))
    await pool.load(spec(2, size=4))
    await pool.load(spec(3, size=4))
    assert names(pool) == {"model-1", "model-3"}


async def test_busy_models_are_waited_for(pool, factory):
    await pool.load(spec(1, size=8))
    factory.engines[0].holds = True
    running = pool.generate(spec(1, size=8), REQUEST)
    waiting = pool.generate(spec(2, size=8), REQUEST)
    await turns()
    assert pool.status()[2].state == "waiting"
    assert waiting.describe() == "model-2 waits for memory, number 1 in the queue"
    assert not factory.engines[0].closed
    factory.engines[0].answer()
    assert (await outputs(running))[0].text == "Hello"
    assert (await outputs(waiting))[0].text == "Hello"
    assert factory.engines[0].closed


async def test_who_waits_for_long_gets_a_turn(pool, factory, clock):
    """A model that is never idle takes no new requests then; those it has are finished."""
    await pool.load(spec(1, size=8))
    factory.engines[0].holds = True
    running = pool.generate(spec(1, size=8), REQUEST)
    waiting = pool.generate(spec(2, size=8), REQUEST)
    await turns()
    clock.now += PATIENCE
    pool.changes.notify()
    await turns()
    assert 1 not in pool.status()
    late = pool.generate(spec(1, size=8), REQUEST)
    await turns()
    assert not factory.engines[0].closed
    factory.engines[0].answer()
    assert [(await outputs(each))[0].text for each in (running, waiting, late)] == ["Hello"] * 3
    assert factory.num_starts == 3


async def test_a_large_model_is_not_passed_by_small_ones(pool, factory):
    await pool.load(spec(1, size=5))
    factory.engines[0].holds = True
    running = pool.generate(spec(1, size=5), REQUEST)
    large, small = pool.generate(spec(2, size=8), REQUEST), pool.generate(spec(3, size=1), REQUEST)
    await turns()
    assert {status.state for key, status in pool.status().items() if key > 1} == {"waiting"}
    assert small.describe() == "model-3 waits for memory, number 2 in the queue"
    factory.engines[0].answer()
    for each in (running, large, small):
        assert (await outputs(each))[0].text == "Hello"


async def test_what_can_never_fit_is_refused_at_once(pool, factory):
    [output] = await outputs(pool.generate(spec(1, size=11 * 2**30), REQUEST))
    assert output.failure.code is FailureCode.LOAD_FAILED
    assert "it needs 11.0 GiB of memory, the models may take 10 B; something of 10 bytes" in output.failure.message
    assert factory.num_starts == 0


async def test_what_cannot_fit_beside_pinned_models_is_refused(pool):
    await pool.load(spec(1, size=6, pinned=True))
    with pytest.raises(EngineLoadError, match=r"of which the pinned models \(model-1\) keep 6 B; something of 4 "):
        await pool.load(spec(2, size=6))


async def test_what_loading_would_unload_can_be_asked(pool, factory):
    await pool.load(spec(1, size=6))
    assert await pool.victims_of(spec(1, size=6)) == []
    assert await pool.victims_of(spec(2, size=3)) == []
    assert await pool.victims_of(spec(2, size=6)) == ["model-1"]
    assert await pool.victims_of(spec(2, n_ctx=7)) == ["model-1"]
    factory.engines[0].holds = True
    running = pool.generate(spec(1, size=6), REQUEST)
    assert await pool.victims_of(spec(2, size=6)) is None
    running.close()


async def test_the_queue_has_an_end(pool, factory):
    factory.gate.clear()
    waiting = []
    for _ in range(3):
        waiting.append(pool.generate(spec(1, size=1), REQUEST))
        await turns()
    [output] = await outputs(pool.generate(spec(2, size=1), REQUEST))
    assert output.failure.code is FailureCode.QUEUE_FULL
    assert "3 requests wait" in output.failure.message
    factory.gate.set()
    assert [(await outputs(each))[0].text for each in waiting] == ["Hello"] * 3


async def test_idle_models_go_after_their_time(pool, factory, clock):
    await pool.load(spec(1, size=1, idle_seconds=30.0))
    assert pool.status()[1].unload_at is not None
    clock.now += 29
    pool._upkeep.look()
    assert names(pool) == {"model-1"}
    clock.now += 1
    pool._upkeep.look()
    await turns()
    assert factory.engines[0].closed


async def test_the_last_request_says_how_long_a_model_stays(pool, factory):
    await outputs(pool.generate(spec(1, size=1, idle_seconds=float("inf")), REQUEST))
    assert pool.status()[1].unload_at is None
    await outputs(pool.generate(spec(1, size=1, idle_seconds=0.0), REQUEST))
    await turns()
    assert factory.engines[0].closed


async def test_pinned_models_do_not_go_for_being_idle(pool, clock):
    await pool.load(spec(1, size=1, idle_seconds=1.0, pinned=True))
    clock.now += 9
    pool._upkeep.look()
    assert names(pool) == {"model-1"}


async def test_a_pin_holds_at_once(pool):
    await pool.load(spec(1, size=1))
    pool.refresh(spec(1, size=1, pinned=True))
    assert pool.status()[1].pinned
    pool.refresh(spec(1, n_ctx=50))
    assert pool.status()[1].pinned
    pool.refresh(spec(7))


async def test_models_that_outgrow_the_budget_go(pool, factory):
    for key in (1, 2):
        await pool.load(spec(key, size=4))
    factory.engines[1].size = 8
    pool._upkeep.look()
    await turns()
    assert names(pool) == {"model-2"}


async def test_an_engine_without_a_sign_of_life_is_ended(pool, factory, notes):
    await pool.load(spec(1, size=1))
    factory.engines[0].holds = True
    running = pool.generate(spec(1, size=1), REQUEST)
    factory.engines[0].silent_for = 100
    pool._upkeep.look(late=40)
    assert factory.engines[0].is_alive
    factory.engines[0].silent_for = 61
    pool._upkeep.look()
    [output] = await outputs(running)
    assert "no sign of life for 61 s (pool.step_timeout)" in output.failure.message
    assert notes.failures[0][2] == ("E a last word",)
    await turns()
    assert names(pool) == set()


async def test_a_load_without_progress_is_given_up(pool, factory):
    factory.gate.clear()
    with pytest.raises(EngineLoadError, match=r"no progress for 0 s \(pool.load_timeout\)"):
        await pool.load(spec(1, size=1))
    assert pool.residents.used == Memory()


async def test_a_load_with_progress_is_not(pool, factory):
    factory.gate.clear()
    loading = asyncio.create_task(pool.load(spec(1, size=1)))
    for fraction in (0.2, 0.4, 0.6):
        await asyncio.sleep(0.03)
        factory.on_progress(fraction)
    assert pool.status()[1].progress == 0.6
    assert pool._describe(spec(1)) == "loading model-1, 60%"
    factory.gate.set()
    await loading


async def test_memory_that_is_set_aside_is_given_back_by_a_failed_load(pool, factory):
    factory.error = "broken"
    with pytest.raises(EngineLoadError):
        await pool.load(spec(1, size=9))
    assert pool.residents.used == Memory()


async def test_what_is_found_out_is_recorded(pool, factory, notes):
    await outputs(pool.generate(spec(1, size=2), REQUEST))
    factory.engines[0].size = 3
    pool._upkeep.look()
    factory.engines[0].die("was killed by SIGKILL")
    assert notes.loads == ["model-1"]
    assert notes.sizes == [("model-1", 3)]
    assert notes.failures == [("model-1", "was killed by SIGKILL", ("E a last word",))]


async def test_a_crash_loop_is_paused(pool, factory):
    for _ in range(3):
        await pool.load(spec(1, size=1))
        factory.engines[-1].die("was killed by SIGSEGV")
        await turns()
    with pytest.raises(EngineLoadError, match=r"SIGSEGV \(it will be tried again in"):
        await pool.load(spec(1, size=1))


async def test_who_leaves_is_shown_as_long_as_it_takes_memory(pool, factory):
    await pool.load(spec(1, size=6))
    factory.engines[0].holds = True
    running = pool.generate(spec(1, size=6), REQUEST)
    pool._dismiss(pool.residents.by_key[1], "idle")
    [model] = pool_body(pool)["models"]
    assert (model["name"], model["state"]) == ("model-1", "leaving")
    factory.engines[0].answer()
    await outputs(running)
    await turns()
    assert pool_body(pool)["models"] == []


async def test_a_closing_pool_loads_nothing_more(pool, factory):
    await pool.load(spec(1, size=1))
    pool.begin_closing()
    [refused] = await outputs(pool.generate(spec(2, size=1), REQUEST))
    assert refused.failure.message == "the server is shutting down"
    assert (await outputs(pool.generate(spec(1, size=1), REQUEST)))[0].text == "Hello"


async def test_who_leaves_the_queue_makes_no_room(pool, factory):
    await pool.load(spec(1, size=8))
    factory.engines[0].holds = True
    running = pool.generate(spec(1, size=8), REQUEST)
    waiting = pool.generate(spec(2, size=8), REQUEST)
    await turns()
    assert await pool.unload(2)
    [output] = await outputs(waiting)
    assert output.failure.code is FailureCode.UNLOADED
    factory.engines[0].answer()
    await outputs(running)
    assert names(pool) == {"model-1"}


async def test_a_gpu_without_a_limit_is_not_filled_beyond_what_is_free():
    async def estimate(config) -> Memory:
        return Memory(1, (config.n_ctx,))

    async def free() -> tuple[int, ...]:
        return (100,)

    pool = EnginePool(Factory(), estimate=estimate, settings=PoolSettings(Budget(10, free_devices=free)))
    with pytest.raises(EngineLoadError, match=r"needs 1 B \+ 91 B on GPU 0 of memory, .* may take 10 B \+ 90 B"):
        await pool.load(spec(1, n_ctx=91))
    await pool.load(spec(2, n_ctx=90))
    await pool.close()
