"""Sequences that wait for a conversation on disk: others go on, aborts work, nobody waits for ever."""

import pytest

from inference.engine.core import IDLE_SECONDS
from tests.engine.disks import Disk, ask
from tests.engine.executors import Manual, SameThread
from tests.engine.fake_llama import new_core, request, run, text


def started(disk: Disk, *prompts: str, threads: type[Manual] = Manual, **settings: int):
    """Return a core with nothing in memory, over a disk that has these prompts."""
    core, _ = new_core(disk=disk.tier(), n_ctx=1000)
    for prompt in prompts:
        core.add_request(request(prompt))
        run(core)
    core.close(seconds=1)
    return new_core(disk=disk.tier(threads=threads), n_ctx=1000, clock=lambda: disk.now, **settings)


def test_a_sequence_waits_for_the_disk_and_does_not_spin(disk):
    core, _ = started(disk, "x" * 100 + "c")
    core.add_request(request("x" * 100 + "cdeyd"))
    assert core.has_work
    assert core.step() == []
    assert not core.has_work, "nothing can be done until the file is read"
    assert core.stats.waiting == 1
    disk.run()
    assert core.has_work
    outputs = run(core)
    assert text(outputs) == "e"
    assert outputs[-1].usage.cached_tokens == 103


def test_others_go_on_meanwhile(disk):
    core, _ = started(disk, "x" * 100 + "c")
    core.add_request(request("x" * 100 + "cd", "waits"))
    core.add_request(request("a", "passes"))
    assert text(run(core), "passes") == "bcde"
    disk.run()
    assert text(run(core), "waits") == "e"


def test_two_that_wait_for_the_same_read_it_once(disk):
    core, _ = started(disk, "x" * 100 + "c")
    core.add_request(request("x" * 100 + "cd", "p"))
    core.add_request(request("x" * 100 + "cd", "q"))
    core.step()
    assert disk.run() == 1
    outputs = run(core)
    assert (text(outputs, "p"), text(outputs, "q")) == ("e", "e")
    assert [output.usage.cached_tokens > 90 for output in outputs if output.finished] == [True, True]


def test_what_is_read_one_after_the_other_comes_back_without_memory(disk):
    core, _ = started(disk, "x" * 100 + "c", "y" * 100 + "c", host_cache_bytes=0)
    core.add_request(request("x" * 100 + "cd", "p"))
    core.add_request(request("y" * 100 + "cd", "q"))
    outputs = core.step()
    while disk.run():
        outputs += run(core)
    assert (text(outputs, "p"), text(outputs, "q")) == ("e", "e")
    assert [output.usage.cached_tokens > 90 for output in outputs if output.finished] == [True, True]


def test_however_quick_the_disk_is_nobody_takes_what_another_one_waits_for(disk):
    """With room for one of them only, they must not push each other out for ever."""
    core, _ = started(disk, "x" * 100 + "c", "y" * 100 + "c", threads=SameThread, host_cache_bytes=0)
    for name, letter in {"p": "x", "q": "y", "r": "x", "s": "y"}.items():
        core.add_request(request(letter * 100 + "cd", name))
    outputs = []
    for _ in range(50):
        outputs += core.step()
    assert not core.has_work
    assert [output.usage.cached_tokens > 90 for output in outputs if output.finished] == [True] * 4


@pytest.mark.parametrize("is_read", [False, True])
def test_abort_frees_a_sequence_that_waits_for_the_disk(disk, is_read):
    core, llama = started(disk, "x" * 100 + "c", host_cache_bytes=0)
    core.add_request(request("x" * 100 + "cd"))
    core.step()
    if is_read:
        disk.run()
        core._cache.settle()
    assert core.abort_request("r").finish_reason == "abort"
    assert not core.has_work
    assert llama.open_samplers == 0
    disk.run()
    core.rest()
    assert core._cache.num_saved_bytes == 0
    core.add_request(request("x" * 100 + "cd"))
    core.step()
    disk.run()
    assert run(core)[-1].usage.cached_tokens > 90


def test_one_that_waits_for_its_turn_can_go_without_harm_to_the_other(disk):
    core, _ = started(disk, "x" * 100 + "c", "y" * 100 + "c")
    core.add_request(request("x" * 100 + "cd", "p"))
    core.add_request(request("y" * 100 + "cd", "q"))
    core.step()
    core.abort_request("q")
    disk.run()
    assert run(core)[-1].usage.cached_tokens > 90


def test_an_idle_engine_writes_after_a_while(disk):
    core, _ = new_core(disk=disk.tier(), clock=lambda: disk.now, n_ctx=1000)
    assert core.rest_seconds is None
    core.add_request(request("x" * 100 + "d"))
    run(core)
    assert core.rest_seconds == IDLE_SECONDS
    core.rest()
    assert disk.files == []
    disk.now += IDLE_SECONDS
    assert core.rest_seconds == 0
    core.rest()
    core.rest()
    assert (core.rest_seconds, core.stats.stored, len(disk.files)) == (None, 1, 1)


def test_a_core_that_closes_keeps_what_was_running(disk):
    core, llama = new_core(disk=disk.tier(), n_ctx=1000)
    core.add_request(request("x" * 200 + "a"))
    core.step()
    core.close(seconds=1)
    assert llama.open_samplers == 0
    assert ask(disk.bench(), [ord("x")] * 200) == 199


def test_a_core_without_a_disk_has_nothing_to_rest_for():
    core, _ = new_core()
    core.add_request(request("x" * 90))
    run(core)
    core.rest()
    assert core.rest_seconds is None
    core.close(seconds=0)
