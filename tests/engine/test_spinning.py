"""How long OpenMP's threads spin, beside neighbours and without."""

import os
import subprocess
import sys
import time

import pytest

from inference.engine.bindings import lib
from inference.engine.spinning import (
    CALM_WINDOWS,
    LONG,
    SHORT,
    TASKS,
    WINDOW,
    Crowd,
    Spinning,
    choose_spinning,
    loaded_libgomp,
    new_spinning,
    seconds_waited,
)

needs_libgomp = pytest.mark.skipif(loaded_libgomp() is None, reason="another OpenMP computes here")

# The processor time in which one thread waits for another that sleeps for 30 ms, ten times: with and without a crowd.
WAIT = """
import ctypes, os, sys, time
from inference.engine.spinning import Crowd, choose_spinning
choose_spinning(os.environ)
library = ctypes.CDLL(sys.argv[1])

@ctypes.CFUNCTYPE(None, ctypes.c_void_p)
def work(_):
    if library.omp_get_thread_num():
        time.sleep(0.03)

def waited():
    started = time.process_time()
    for _ in range(10):
        library.GOMP_parallel(work, None, 2, 0)
    return time.process_time() - started

crowd = Crowd(sys.argv[1])
alone = waited()
crowd.gather()
time.sleep(0.2)
crowded = waited()
crowd.disperse()
time.sleep(0.2)
print(alone, crowded, waited())
"""


class Neighbourhood:
    """What a Spinning is given: a clock, the time that threads have waited, and a crowd."""

    def __init__(self) -> None:
        self.now = self.waited = 0.0
        self.is_there = False
        self.spinning = Spinning(self, lambda: self.waited, lambda: self.now)

    def gather(self) -> None:
        self.is_there = True

    def disperse(self) -> None:
        self.is_there = False

    def work(self, cores: float, windows: int = 1) -> bool:
        for _ in range(windows):
            self.now += WINDOW
            self.waited += cores * WINDOW
            self.spinning.worked()
        return self.is_there


@pytest.fixture
def neighbourhood():
    made = Neighbourhood()
    made.spinning.worked()
    return made


def test_the_crowd_comes_when_threads_wait_for_cores(neighbourhood):
    assert not neighbourhood.work(cores=0.15, windows=10)
    assert neighbourhood.work(cores=0.7)


def test_the_crowd_leaves_when_nobody_has_waited_for_a_while(neighbourhood):
    neighbourhood.work(cores=0.7)
    assert neighbourhood.work(cores=0.1, windows=CALM_WINDOWS - 1)
    assert neighbourhood.work(cores=0.3)
    assert neighbourhood.work(cores=0.1, windows=CALM_WINDOWS - 1)
    assert not neighbourhood.work(cores=0.1)


def test_what_was_waited_for_while_resting_does_not_count(neighbourhood):
    neighbourhood.spinning.rested()
    neighbourhood.now, neighbourhood.waited = 100.0, 90.0
    neighbourhood.spinning.worked()
    assert not neighbourhood.work(cores=0.1)


@needs_libgomp
@pytest.mark.skipif(not TASKS.exists(), reason="no /proc")
def test_threads_spin_less_in_a_crowd():
    environment = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    command = [sys.executable, "-c", WAIT, loaded_libgomp()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    alone, crowded, alone_again = map(float, done.stdout.split())
    assert crowded < alone / 3
    assert crowded < alone_again / 3


@needs_libgomp
def test_a_crowd_comes_and_goes_once():
    crowd = Crowd(loaded_libgomp(), cores=5)
    before = len(list(TASKS.iterdir()))
    crowd.gather()
    crowd.gather()
    _until(lambda: len(list(TASKS.iterdir())) == before + 6)
    crowd.disperse()
    crowd.disperse()
    _until(lambda: len(list(TASKS.iterdir())) == before)


def test_threads_spin_long_only_where_the_system_says_who_waits(tmp_path):
    environment: dict[str, str] = {}
    choose_spinning(environment, tmp_path)
    assert environment["GOMP_SPINCOUNT"] == SHORT
    task = tmp_path / "1"
    task.mkdir()
    (task / "schedstat").write_text("5 2000000000 1\n")
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "schedstat").write_text("\n")
    assert seconds_waited(tmp_path) == 2.0
    environment.clear()
    choose_spinning(environment, tmp_path)
    assert environment["GOMP_SPINCOUNT"] == LONG


def test_the_operator_decides():
    environment = {"GOMP_SPINCOUNT": "5"}
    choose_spinning(environment)
    assert environment == {"GOMP_SPINCOUNT": "5"}
    assert not new_spinning(environment).minds_neighbours


@needs_libgomp
def test_neighbours_are_minded_where_nobody_has_decided():
    assert lib
    assert new_spinning({"GOMP_SPINCOUNT": LONG}).minds_neighbours


def test_where_they_are_not_nobody_looks():
    spinning = Spinning(crowd=None, waited=lambda: pytest.fail("looked"))
    spinning.worked()
    spinning.rested()


@pytest.mark.parametrize(
    ("maps", "found"),
    [
        ("7f-80 r-xp 0 fe:00 1 /usr/lib/libgomp.so.1.0.0\n", "/usr/lib/libgomp.so.1.0.0"),
        ("7f-80 r-xp 0 fe:00 1 /v/llama_cpp.libs/libgomp-a34b.so.1.0\n", "/v/llama_cpp.libs/libgomp-a34b.so.1.0"),
        ("7f-80 r-xp 0 fe:00 1 /a folder/libgomp.so.1\n", "/a folder/libgomp.so.1"),
        ("7f-80 r-xp 0 fe:00 1 /usr/lib/libgomp.so.1.0.0 (deleted)\n", None),
        ("7f-80 rw-p 0 00:00 0\n7f-80 r-xp 0 fe:00 1 /usr/lib/libomp.so\n", None),
    ],
)
def test_the_libgomp_in_use_is_found(tmp_path, maps, found):
    (tmp_path / "maps").write_text(maps)
    assert loaded_libgomp(tmp_path / "maps") == found
    assert loaded_libgomp(tmp_path / "none") is None


def _until(is_so) -> None:
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)
