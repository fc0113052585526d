"""How much memory the GPUs have left: asked in a process of its own."""

import sys

import pytest

from inference.gpus import free_gpu_memory


async def test_the_installed_build_answers():
    assert isinstance(await free_gpu_memory(), tuple)


def program(code: str) -> tuple[str, ...]:
    return sys.executable, "-c", code


async def test_the_answer_is_a_list_of_bytes():
    assert await free_gpu_memory(program("print('[5, 6]')")) == (5, 6)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise SystemExit('no driver')", "could not be read: no driver"),
        ("import os; os.abort()", "could not be read: exit status -6"),
        ("import time; time.sleep(60)", "could not be read within 0.5 s"),
    ],
)
async def test_what_goes_wrong_stands_in_the_log(code, reason, caplog):
    assert await free_gpu_memory(program(code), time_limit=0.5) is None
    assert reason in caplog.text
