"""EngineClient: a real worker process with the demo model."""

import asyncio
import os
import signal
from dataclasses import replace

import pytest
from gguf import GGUFValueType as T

from inference.client import EngineClient, EngineLoadError
from inference.engine.config import EngineConfig
from inference.engine.messages import FailureCode, GenerateRequest, SamplingParams
from inference.generation import Generation
from inference.worker_environment import worker_environment
from tests.gguf_files import write_gguf
from tests.live_server import DEMO
from tests.mutations.layout import Layout, number

PROMPT = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n"


@pytest.fixture
async def engine():
    engine = await EngineClient.start("demo", EngineConfig(str(DEMO), n_ctx=512, n_seq_max=2))
    yield engine
    if engine.is_alive:
        await engine.close()


def submit(engine: EngineClient, name: str = "r", **sampling: object) -> Generation:
    generation = Generation(name)
    engine.submit(GenerateRequest(name, PROMPT, SamplingParams(temperature=0, **sampling)), generation)
    return generation


async def outputs(generation: Generation) -> list:
    return [output async for output in generation if output]


async def test_it_answers(engine):
    result = await outputs(submit(engine))
    assert "Paris" in "".join(output.text for output in result)
    assert result[-1].finish_reason == "stop"
    assert engine.num_open == 0
    assert engine.stats.running == 0


async def test_it_counts_tokens(engine):
    result = await outputs(submit(engine))
    usage = result[-1].usage
    counts = engine.token_counts
    assert (counts.generated, counts.prompt, counts.cached) == (usage.completion_tokens, usage.prompt_tokens, 0)
    again = (await outputs(submit(engine)))[-1].usage
    assert again.cached_tokens > 0
    assert engine.token_counts.cached == again.cached_tokens
    assert engine.token_counts.prompt == 2 * usage.prompt_tokens


async def test_it_tells_what_it_loaded(engine):
    assert engine.info.n_ctx == 512
    assert engine.info.n_seq_max == 2
    assert engine.info.n_threads >= 1
    assert "llama" in engine.info.description
    assert "CPU" in engine.info.system_info


async def test_loading_tells_how_far_it_is():
    fractions = []
    engine = await EngineClient.start("demo", EngineConfig(str(DEMO), n_ctx=512), fractions.append)
    assert fractions == sorted(fractions)
    assert all(0 < fraction <= 1 for fraction in fractions)
    assert fractions
    await engine.close()


async def test_close_of_a_request_aborts_it(engine):
    generation = submit(engine, ignore_eos=True)
    await anext(generation)
    generation.close()
    await asyncio.sleep(0)
    assert engine.num_open == 0
    await outputs(submit(engine, "next"))
    assert engine.stats.running == 0


async def test_drained_waits_for_open_requests(engine):
    generation = submit(engine, max_tokens=5, ignore_eos=True)
    await engine.drained()
    assert (await outputs(generation))[-1].finish_reason == "length"


async def test_a_killed_worker_fails_its_requests_and_later_ones(engine):
    generation = submit(engine, ignore_eos=True)
    await anext(generation)
    os.kill(engine.pid, signal.SIGKILL)
    assert (await outputs(generation))[-1].failure.code is FailureCode.WORKER_DIED
    assert not engine.is_alive
    assert (await outputs(submit(engine, "late")))[-1].failure.code is FailureCode.WORKER_DIED


async def test_a_crash_in_amx_kernels_says_what_to_do(engine):
    engine.info = replace(engine.info, system_info="CPU : AVX512 = 1 | AMX_INT8 = 1")
    generation = submit(engine, ignore_eos=True)
    await anext(generation)
    os.kill(engine.pid, signal.SIGSEGV)
    message = (await outputs(generation))[-1].failure.message
    assert "SIGSEGV" in message
    assert "-mno-amx-int8" in message


async def test_close_fails_open_requests(engine):
    generation = submit(engine, ignore_eos=True)
    await engine.close()
    assert (await outputs(generation))[-1].failure.code is FailureCode.UNLOADED


async def test_a_worker_that_does_not_exit_is_killed(engine, monkeypatch):
    monkeypatch.setattr("inference.worker_process.CLOSE_TIMEOUT", 0.1)
    os.kill(engine.pid, signal.SIGSTOP)
    await engine.close()
    with pytest.raises(ProcessLookupError):
        os.kill(engine.pid, 0)


async def test_a_load_error_says_what_llama_cpp_missed(tmp_path):
    path = write_gguf(tmp_path / "half.gguf")
    with pytest.raises(EngineLoadError, match="key not found in model: llama"):
        await EngineClient.start("half", EngineConfig(str(path), n_ctx=512))


async def test_a_file_that_is_no_model_is_a_load_error_with_llama_cpps_reason(tmp_path):
    path = tmp_path / "bad.gguf"
    path.write_bytes(b"GGUF nonsense")
    with pytest.raises(EngineLoadError, match=r"could not load .*bad\.gguf.*: .+"):
        await EngineClient.start("bad", EngineConfig(str(path), n_ctx=512))


async def test_an_abort_while_loading_is_a_load_error_with_its_assertion(tmp_path):
    layout = Layout.of(DEMO)
    path = tmp_path / "layers.gguf"
    path.write_bytes(layout.with_field("llama.block_count", T.UINT32, number(T.UINT32, 600)).pack())
    expected = (
        r"^the engine process was killed by SIGABRT while loading: llama-model\.cpp:\d+: GGML_ASSERT\(.+\) failed$"
    )
    with pytest.raises(EngineLoadError, match=expected):
        await EngineClient.start("layers", EngineConfig(str(path), n_ctx=512))


def test_an_abort_starts_no_debugger():
    assert worker_environment()["GGML_NO_BACKTRACE"]


async def test_a_context_that_needs_too_much_memory_is_a_load_error():
    with pytest.raises(EngineLoadError, match="can address"):
        await EngineClient.start("huge", EngineConfig(str(DEMO), n_ctx=2**30, n_seq_max=64))


async def test_a_worker_that_dies_while_loading_is_a_load_error(monkeypatch):
    monkeypatch.setattr("inference.worker_process.sys.executable", "/bin/false")
    with pytest.raises(EngineLoadError, match="exited with code 1 while loading"):
        await EngineClient.start("false", EngineConfig(str(DEMO), n_ctx=512))


async def test_cancelling_the_start_leaves_no_process():
    task = asyncio.create_task(EngineClient.start("demo", EngineConfig(str(DEMO), n_ctx=512)))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
