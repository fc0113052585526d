"""Conversations on disk: when they are written, when they come back, and that nobody waits for ever."""

import errno
import os
from dataclasses import replace
from pathlib import Path
from threading import Semaphore

import pytest

from inference.engine.config import EngineConfig
from inference.engine.disk_store import DiskStore
from inference.engine.disk_tier import PAUSE, DiskTier, new_disk_tier
from inference.engine.prefix_index import MIN_REUSE
from tests.engine.disks import FINGERPRINT, ask
from tests.engine.executors import Manual
from tests.engine.test_kv_cache import Bench, conversation


def store_all(bench: Bench) -> None:
    while bench.cache.has_unstored:
        bench.cache.store_one()
        bench.cache.settle()


def test_idle_sequences_are_written_the_newest_first(disk):
    bench = disk.bench(slots=3)
    for number in (1, 2, 3):
        bench.run(conversation(number))
    bench.cache.store_one()
    bench.cache.settle()
    assert ask(disk.bench(), [*conversation(3), 9]) == 100
    assert ask(disk.bench(), [*conversation(2), 9]) == 0
    store_all(bench)
    assert bench.cache.num_stored == (3, sum(path.stat().st_size for path in disk.files))


def test_one_is_written_at_a_time(disk):
    bench = disk.bench(threads=Manual)
    bench.run(conversation(1))
    bench.run(conversation(2))
    bench.cache.store_one()
    assert not bench.cache.has_unstored
    assert disk.run() == 1
    bench.cache.settle()
    assert bench.cache.has_unstored


def test_a_short_sequence_is_not_written(disk):
    bench = disk.bench()
    bench.run(conversation(1, 49))
    assert not bench.cache.has_unstored


def test_what_is_on_disk_nearly_whole_is_not_written_again(disk):
    bench = disk.bench()
    bench.run(conversation(1))
    store_all(bench)
    bench.run([*conversation(1), *range(MIN_REUSE - 1)])
    assert not bench.cache.has_unstored
    bench.run([*conversation(1), *range(MIN_REUSE)])
    assert bench.cache.has_unstored


@pytest.mark.parametrize("can_rewind", [True, False])
def test_a_longer_conversation_replaces_the_shorter_file(disk, can_rewind):
    bench = disk.bench(can_rewind=can_rewind)
    tokens = conversation(1)
    for turn in range(2, 5):
        ask(bench, tokens)
        store_all(bench)
        tokens = [*tokens, *conversation(turn)]
    assert (len(disk.files), bench.cache.num_stored[0]) == (1, 1)
    assert ask(disk.bench(can_rewind=can_rewind), tokens) == 300


def test_it_does_so_after_a_restart(disk):
    for turns in (1, 2, 3):
        bench = disk.bench()
        ask(bench, [token for turn in range(1, turns + 1) for token in conversation(turn)])
        store_all(bench)
    assert len(disk.files) == 1


def test_a_turn_that_is_rendered_anew_replaces_the_one_before(disk):
    """Many templates leave out what a model thought in the turns before."""
    bench = disk.bench()
    bench.run([*conversation(1), 7, 8, 9])
    store_all(bench)
    bench.run([*conversation(1), *conversation(2)])
    store_all(bench)
    assert len(disk.files) == 1


def test_conversations_that_only_begin_alike_both_stay(disk):
    bench = disk.bench(slots=3)
    system = conversation(5, 60)
    for number in (1, 2):
        bench.run([*system, *conversation(number)])
    store_all(bench)
    bench = disk.bench(slots=3)
    assert [ask(bench, [*system, *conversation(number), 9]) for number in (1, 2)] == [160, 160]


def test_what_memory_gives_up_is_written(disk):
    bench = disk.bench(slots=1, host_bytes=1000)
    for number in range(1, 8):
        bench.run(conversation(number))
        bench.cache.settle()
        assert bench.cache.num_saved_bytes <= 1000
    assert [ask(bench, [*conversation(number), 9]) for number in (1, 3, 6)] == [100, 100, 100]
    assert bench.cache.num_saved_bytes <= 1000


def test_without_memory_everything_goes_to_disk_and_comes_back(disk):
    bench = disk.bench(slots=1, host_bytes=0)
    for number in (1, 2, 3):
        bench.run(conversation(number))
    assert [ask(bench, [*conversation(number), 9]) for number in (1, 2, 3, 1)] == [100] * 4
    assert bench.cache.num_saved_bytes == 0


def test_what_is_written_already_is_not_written_when_memory_gives_it_up(disk):
    bench = disk.bench(slots=1, host_bytes=1000)
    bench.run(conversation(1))
    store_all(bench)
    [path] = disk.files
    path.chmod(0o640)
    for number in range(2, 6):
        bench.run(conversation(number))
    assert path.stat().st_mode & 0o777 == 0o640, "the same file"
    assert ask(bench, [*conversation(1), 9]) == 100


@pytest.mark.parametrize("can_rewind", [True, False])
def test_checkpoints_survive(disk, can_rewind):
    bench = disk.bench(can_rewind=can_rewind)
    runner = bench.start(conversation(1))
    bench.compute(runner)
    runner.tokens += [7, 8, 9]  # the answer, which the next turn renders in another way
    bench.compute(runner)
    bench.cache.release(runner)
    bench.cache.close(seconds=1)
    assert ask(disk.bench(can_rewind=can_rewind), [*conversation(1), 50, 51]) == (100 if can_rewind else 84)


def test_a_busy_thread_takes_no_more_than_fits(disk, monkeypatch):
    monkeypatch.setattr("inference.engine.disk_tier.MAX_QUEUED", 2000)
    bench = disk.bench(slots=1, host_bytes=0, threads=Manual)
    for number in range(1, 6):
        bench.run(conversation(number))
    assert disk.run() == 2
    bench.cache.settle()
    assert bench.cache.num_stored[0] == 2


def test_closing_writes_what_is_left(disk):
    bench = disk.bench(slots=2, host_bytes=10**6)
    for number in range(1, 6):
        bench.run(conversation(number))
    bench.cache.close(seconds=1)
    assert len(disk.files) == 5


def test_closing_takes_no_longer_than_it_may(disk):
    bench = disk.bench(threads=Manual)
    bench.run(conversation(1))
    bench.cache.close(seconds=0)
    assert disk.files == []


def test_closing_ends_a_read(disk):
    bench = disk.bench()
    bench.run(conversation(1))
    bench.cache.close(seconds=1)
    bench = disk.bench(threads=Manual)
    promise = bench.cache.promise(conversation(1))
    bench.cache.close(seconds=0)
    assert not promise.is_open


def test_reading_must_be_quicker_than_computing(disk):
    bench = disk.bench()
    bench.run(conversation(1))
    bench.cache.close(seconds=1)
    assert ask(disk.bench(prefill_seconds=lambda num_tokens: 0.0), conversation(1)) == 0
    assert ask(disk.bench(prefill_seconds=lambda num_tokens: 1e-3 * num_tokens), conversation(1)) == 99


def test_how_quick_that_is_is_measured(disk):
    bench = disk.bench()
    bench.run(conversation(1))
    bench.cache.close(seconds=1)
    tier = disk.tier(threads=Manual)
    [entry] = tier.find((), can_rewind=True)
    before = tier.seconds(entry)
    tier.read(entry)
    clock = iter((0.0, 1.0))
    tier._clock = lambda: next(clock)
    disk.run()
    tier.take_recalled()
    assert tier.seconds(entry) > before


def test_sequences_that_do_not_fit_the_context_are_left_where_they_are(disk):
    bench = disk.bench()
    bench.run(conversation(1))
    bench.cache.close(seconds=1)
    assert ask(disk.bench(max_tokens=99), conversation(1)) == 0
    assert len(disk.files) == 1


def test_a_file_that_was_damaged_since_is_not_used_and_goes(disk):
    bench = disk.bench()
    bench.run(conversation(1))
    bench.cache.close(seconds=1)
    bench = disk.bench()
    [path] = disk.files
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert ask(bench, [*conversation(1), 9]) == 0
    assert disk.files == []
    assert len(disk.log) == 1
    assert bench.cache.num_stored == (0, 0)


def test_a_file_that_vanished_is_not_used(disk):
    bench = disk.bench()
    bench.run(conversation(1))
    bench.cache.close(seconds=1)
    bench = disk.bench()
    disk.files[0].unlink()
    assert ask(bench, [*conversation(1), 9]) == 0
    assert len(disk.log) == 1


@pytest.mark.parametrize("tail", [[9], conversation(7, 200)], ids=["continued", "copied"])
def test_a_state_that_llama_refuses_is_computed_and_its_file_goes(disk, tail):
    bench = disk.bench()
    bench.run(conversation(1, 300))
    bench.cache.close(seconds=1)
    bench = disk.bench()
    bench.llama.load = lambda slot, state, partial=False: False
    length = 300 if len(tail) == 1 else 120
    assert ask(bench, [*conversation(1, 300)[:length], *tail]) == 0
    assert disk.files == []
    assert "refused" in disk.log[0]
    assert bench.cache.num_saved_bytes == 0


def test_a_state_that_finds_no_cells_stays_on_disk(disk):
    """Where all slots share them, and running sequences have the rest."""
    bench = disk.bench()
    bench.run(conversation(1))
    bench.cache.close(seconds=1)
    bench = disk.bench()
    bench.llama.is_partitioned = False
    running = bench.start(conversation(2))
    load, bench.llama.load = bench.llama.load, lambda slot, state, partial=False: False
    assert ask(bench, [*conversation(1), 9]) == 0
    bench.llama.load = load
    bench.cache.release(running)
    assert len(disk.files) == 1
    assert ask(disk.bench(), [*conversation(1), 9]) == 100


def test_threads_write_read_and_say_so(disk):
    woken = Semaphore(0)
    store = DiskStore(disk.directory, FINGERPRINT, 10**9, disk.log.append)
    tier = DiskTier(store, 1000, wake=woken.release)
    bench = Bench(2, disk=tier)
    bench.run(conversation(1, 300))
    bench.cache.store_one()
    assert woken.acquire(timeout=60)
    assert bench.cache.num_stored[0] == 0
    bench.cache.settle()
    assert bench.cache.num_stored[0] == 1
    tier = DiskTier(DiskStore(disk.directory, FINGERPRINT, 10**9, disk.log.append), 1000, wake=woken.release)
    bench = Bench(2, disk=tier)
    assert bench.cache.promise(conversation(1, 300))
    assert woken.acquire(timeout=60)
    assert ask(bench, conversation(1, 300)) == 299
    bench.cache.close(seconds=60)
    assert disk.log == []


def test_a_model_that_cannot_be_read_again_has_no_disk(disk):
    def fail() -> bytes:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "m.gguf")

    config = EngineConfig("m.gguf", n_ctx=100, kv_disk_directory=str(disk.directory), kv_disk_bytes=10**9)
    assert new_disk_tier(config, fail, disk.log.append, lambda: None) is None
    assert "m.gguf" in disk.log[0]
    assert new_disk_tier(config, lambda: FINGERPRINT, disk.log.append, lambda: None)
    assert new_disk_tier(replace(config, kv_disk_directory=""), fail, disk.log.append, lambda: None) is None


def test_the_limit_takes_the_oldest_which_is_forgotten(disk):
    clock = iter(range(1, 100))
    bench = disk.bench(slots=1, host_bytes=0, max_bytes=2500, clock=lambda: float(next(clock)))
    for number in range(1, 6):
        bench.run(conversation(number))
        bench.cache.settle()
        assert sum(path.stat().st_size for path in disk.files) <= 2500
    assert bench.cache.num_stored[0] == len(disk.files) == 2
    assert ask(bench, [*conversation(1), 9]) == 0
    assert disk.log == []


def test_what_is_larger_than_the_limit_is_not_written(disk):
    bench = disk.bench(max_bytes=300)
    bench.run(conversation(1))
    assert not bench.cache.has_unstored


def test_a_full_disk_is_reported_and_left_in_peace_for_a_while(disk):
    def create(path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    bench = disk.bench(create=create)
    bench.run(conversation(1))
    store_all(bench)
    assert len(disk.log) == 1
    assert "No space left" in disk.log[0]
    assert bench.run([*conversation(1), 9]) == 100
    disk.now += PAUSE
    assert bench.cache.has_unstored


def test_two_workers_share_a_directory(disk):
    first, second = disk.bench(), disk.bench()
    for bench in (first, second):
        bench.run(conversation(1))
        store_all(bench)
    assert len(disk.files) == 1
    second.run([*conversation(1), *conversation(2)])
    store_all(second)
    assert len(disk.files) == 1, "the second one's has taken the place of both"
    for number in (3, 4, 5):
        first.run(conversation(number))
    assert ask(first, [*conversation(1), 9]) == 100


def test_what_another_worker_writes_is_found(disk):
    """As the engine of the old settings does when it ends, while that of the new ones runs already."""
    old, new = disk.bench(), disk.bench()
    old.run(conversation(1))
    old.cache.close(seconds=1)
    assert ask(new, [*conversation(1), 9]) == 100
