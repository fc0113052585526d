"""EnginePool: single-flight loading, retiring, unloading; on engines of paper."""

import asyncio

import pytest

from inference.engine.messages import FailureCode
from inference.pool import EnginePool
from tests.pool.paper import REQUEST, Factory, outputs, spec, turns


@pytest.fixture
async def factory():
    return Factory()


@pytest.fixture
async def pool(factory):
    pool = EnginePool(start_engine=factory)
    yield pool
    factory.gate.set()
    await pool.close()


async def test_a_request_loads_the_model_and_is_answered(pool, factory):
    [output] = await outputs(pool.generate(spec(), REQUEST))
    assert output.text == "Hello"
    assert pool.status()[1].state == "ready"


def test_a_pool_whose_event_loop_has_ended_does_not_run(pool):
    async def serve() -> None:
        pool.bind()

    asyncio.run(serve())
    assert not pool.is_running


async def test_a_loaded_model_is_used_again(pool, factory):
    for _ in range(3):
        await outputs(pool.generate(spec(), REQUEST))
    assert factory.num_starts == 1


async def test_requests_that_arrive_while_it_loads_share_one_load(pool, factory):
    factory.gate.clear()
    generations = [pool.generate(spec(), REQUEST) for _ in range(5)]
    await turns()
    assert pool.status()[1].state == "loading"
    factory.gate.set()
    assert all([await outputs(generation) for generation in generations])
    assert factory.num_starts == 1


async def test_a_request_that_leaves_does_not_cancel_the_load_of_others(pool, factory):
    factory.gate.clear()
    leaving, staying = pool.generate(spec(), REQUEST), pool.generate(spec(), REQUEST)
    await turns()
    leaving.close()
    await turns()
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


async def test_a_failed_load_is_not_tried_again_at_once(pool, factory):
    factory.error = "no memory"
    await outputs(pool.generate(spec(), REQUEST))
    factory.error = None
    [output] = await outputs(pool.generate(spec(), REQUEST))
    assert "no memory (it will be tried again in" in output.failure.message
    assert factory.num_starts == 1


async def test_an_operator_may_insist(pool, factory):
    factory.error = "no memory"
    await outputs(pool.generate(spec(), REQUEST))
    factory.error = None
    await pool.load(spec(), insist=True)
    assert (await outputs(pool.generate(spec(), REQUEST)))[0].text == "Hello"
    assert pool.last_error(1) == ""


async def test_changed_settings_are_worth_another_try(pool, factory):
    factory.error = "no memory"
    await outputs(pool.generate(spec(), REQUEST))
    factory.error = None
    assert (await outputs(pool.generate(spec(n_ctx=50), REQUEST)))[0].text == "Hello"


async def test_a_dead_engine_is_replaced(pool, factory):
    await outputs(pool.generate(spec(), REQUEST))
    factory.engines[0].die("killed")
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
    await turns()
    assert old.closed
    assert factory.engines[1].config.n_ctx == 200


async def test_settings_that_change_while_it_loads_start_it_again(pool, factory):
    factory.gate.clear()
    first = pool.generate(spec(), REQUEST)
    await turns()
    second = pool.generate(spec(n_ctx=200), REQUEST)
    factory.gate.set()
    assert [output.text for output in await outputs(first) + await outputs(second)] == ["Hello", "Hello"]
    assert factory.num_starts == 2


async def test_a_retired_engine_that_fails_to_load_leaves_the_new_one_alone(pool, factory):
    factory.gate.clear()
    factory.error = "old settings"
    first = pool.generate(spec(), REQUEST)
    await turns()
    second = pool.generate(spec(n_ctx=200), REQUEST)
    await turns()
    factory.gate.set()
    assert (await outputs(first))[0].failure
    assert (await outputs(second))[0].failure
    factory.error = None
    await pool.load(spec(n_ctx=200), insist=True)
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
    await turns()
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
