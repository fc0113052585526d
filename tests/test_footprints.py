"""Estimates and measurements as the web process has them, with real processes."""

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from inference.client import EngineClient, EngineLoadError
from inference.engine.config import EngineConfig
from inference.footprints import estimate
from tests.footprint_cases import compare, written_model
from tests.gguf_files import write_gguf
from tests.live_server import DEMO

CONFIG = EngineConfig(str(DEMO), n_ctx=512, n_seq_max=2, host_cache_bytes=0)
TOLERANCE = 0.15


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("attention", {"n_ctx": 2048, "n_seq_max": 1}),
        ("window", {"n_ctx": 512, "n_seq_max": 8, "kv_type_k": "q8_0", "kv_type_v": "q8_0", "use_mmap": True}),
        ("recurrent", {"n_ctx": 512, "n_seq_max": 4, "use_mmap": False}),
        ("diffusion", {"n_ctx": 2048, "n_seq_max": 2}),
    ],
)
async def test_the_estimate_is_near_what_is_measured(tmp_path, kind, settings):
    with written_model(kind, tmp_path) as path:
        result = await compare(EngineConfig(str(path), host_cache_bytes=0, **settings))
    assert result.ratio == pytest.approx(1, abs=TOLERANCE), result


async def test_a_model_that_cannot_be_loaded_says_why(tmp_path):
    path = write_gguf(tmp_path / "half.gguf")
    with pytest.raises(EngineLoadError, match=r"could not load .*half\.gguf.*key not found in model: llama"):
        await estimate(EngineConfig(str(path), n_ctx=512))
    with pytest.raises(EngineLoadError, match="can address"):
        await estimate(EngineConfig(str(DEMO), n_ctx=2**30, n_seq_max=64))


async def test_an_estimate_that_takes_too_long_is_given_up():
    with pytest.raises(EngineLoadError, match=r"demo\.gguf takes could not be estimated within 0\.01 s"):
        await estimate(CONFIG, time_limit=0.01)
    assert not children()


async def test_a_killed_estimate_says_how_it_died():
    task = asyncio.create_task(estimate(CONFIG))
    os.kill(await began(), signal.SIGKILL)
    with pytest.raises(EngineLoadError, match="the process that estimates the memory was killed by SIGKILL"):
        await task


async def test_a_process_that_cannot_start_says_its_code(monkeypatch):
    monkeypatch.setattr("inference.footprints.sys.executable", "/bin/false")
    with pytest.raises(EngineLoadError, match="exited with code 1"):
        await estimate(CONFIG)


async def test_a_cancelled_estimate_leaves_no_process():
    task = asyncio.create_task(estimate(CONFIG))
    await began()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not children()


async def test_what_is_gone_takes_no_memory():
    engine = await EngineClient.start("demo", replace(CONFIG, use_mmap=True))
    assert engine.measured_bytes() > engine.info.mapped_bytes > 0
    await engine.close()
    assert engine.measured_bytes() is None


async def began() -> int:
    """Wait until a process estimates for this one; return its id."""
    while not (pids := children()):  # noqa: ASYNC110 (no event tells of it)
        await asyncio.sleep(0)
    return pids[0]


def children() -> list[int]:
    """Return the processes that estimate for this one."""
    lists = [path.read_text().split() for path in Path("/proc/self/task").glob("*/children")]
    return [int(pid) for pids in lists for pid in pids if is_estimate(pid)]


def is_estimate(pid: str) -> bool:
    return b"inference.engine.estimate" in Path(f"/proc/{pid}/cmdline").read_bytes()
