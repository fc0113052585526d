"""Whatever happens to one model, the streams of the other are what they would have been.

Nobody's request is lost without an error, and the next one is answered without anybody's help.
"""

import ctypes
import os
import resource
import shutil
import signal
import socket
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.rig import BYSTANDER, STEP_TIMEOUT, STREAMS, VICTIM, Rig
from tests.live_server import DEMO, is_running, wait_until

PIDFD_GETFD = 438  # the number of the system call, on all processors (asm-generic/unistd.h)

pytestmark = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux")


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    rig = Rig(tmp_path_factory.mktemp("faults"))
    yield rig
    rig.server.stop()


@pytest.fixture(scope="module")
def undisturbed():
    """The answers of streams that nothing happened to, by number; filled by the first test that needs them."""
    return {}


@pytest.fixture
async def answers(rig, undisturbed):
    if not undisturbed:
        streams = await rig.under_load(lambda: None)
        assert all(stream.is_done and not stream.error for stream in streams), streams
        undisturbed.update({stream.number: stream.text for stream in streams})
        assert {stream.text for stream in streams} == set(undisturbed.values())
        assert len(undisturbed) == STREAMS
    return undisturbed


async def check(rig: Rig, answers: dict[int, str], cause: Callable[[], None]) -> list[str]:
    """Let something happen under load; return the errors of the victim's streams, all others being as they should."""
    for model in (VICTIM, BYSTANDER):
        assert not (await rig.ask(model, max_tokens=2)).error
    streams = await rig.under_load(cause)
    assert rig.server.process.poll() is None
    for stream in streams:
        assert not stream.is_lost, stream
        if stream.model == BYSTANDER:
            assert (stream.error, stream.text) == ("", answers[stream.number])
        elif not stream.error:
            assert stream.text == answers[stream.number]
    return [stream.error for stream in streams if stream.error]


async def check_recovery(rig: Rig, answers: dict[int, str]) -> None:
    again = await rig.ask(VICTIM)
    assert (again.error, again.text) == ("", answers[0])


@pytest.mark.parametrize("number", ["SIGKILL", "SIGSEGV", "SIGABRT", "SIGBUS", "SIGTERM", "SIGILL"])
async def test_a_worker_that_dies_of_a_signal(rig, answers, number):
    def cause() -> None:
        os.kill(rig.worker(VICTIM), getattr(signal, number))

    errors = await check(rig, answers, cause)
    assert errors and all(number in error for error in errors), errors
    await check_recovery(rig, answers)


async def test_a_worker_that_hangs(rig, answers):
    hung = []

    def cause() -> None:
        hung.append(rig.worker(VICTIM))
        os.kill(hung[0], signal.SIGSTOP)

    errors = await check(rig, answers, cause)
    assert errors and all("no sign of life for" in error for error in errors), errors
    assert not is_running(hung[0])
    await check_recovery(rig, answers)


async def test_a_service_that_is_paused(rig, answers):
    """As by `docker pause`: its own standstill is no engine's silence."""

    def cause() -> None:
        processes = [rig.server.process.pid, *rig.children()]
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(STEP_TIMEOUT + 1)
        for pid in processes:
            os.kill(pid, signal.SIGCONT)

    assert not await check(rig, answers, cause)


async def test_a_worker_that_gets_no_more_memory(rig, answers):
    def cause() -> None:
        pid = rig.worker(VICTIM)
        size = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
        resource.prlimit(pid, resource.RLIMIT_AS, (size, size))

    await check(rig, answers, cause)
    worker = rig.workers().get(VICTIM)
    if worker:
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: not is_running(worker))
    await check_recovery(rig, answers)


async def test_nonsense_from_a_worker(rig, answers):
    def cause() -> None:
        with _outbox(rig.worker(VICTIM)) as connection:
            connection.send(b"\xff" * 64)

    errors = await check(rig, answers, cause)
    assert any("nonsense" in error for error in errors), errors
    await check_recovery(rig, answers)


async def test_a_worker_that_cannot_be_heard_any_more(rig, answers):
    def cause() -> None:
        with _outbox(rig.worker(VICTIM)) as connection:
            connection.shutdown(socket.SHUT_WR)

    errors = await check(rig, answers, cause)
    assert errors
    await check_recovery(rig, answers)


async def test_a_worker_that_hears_nothing_any_more(rig, answers):
    def cause() -> None:
        with _stolen(rig.worker(VICTIM), 0) as connection:
            connection.shutdown(socket.SHUT_RD)

    errors = await check(rig, answers, cause)
    assert errors
    await check_recovery(rig, answers)


async def test_a_file_that_is_cut_off_under_a_running_model(rig, answers):
    def cause() -> None:
        os.truncate(rig.files[VICTIM], 100_000)

    await check(rig, answers, cause)
    worker = rig.workers().get(VICTIM)
    if worker:
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: not is_running(worker))
    broken = await rig.ask(VICTIM)
    assert "could not be loaded" in broken.error
    rig.restore_files()
    await check_recovery(rig, answers)


async def test_a_file_that_is_replaced_under_a_running_model(rig, answers):
    def cause() -> None:
        other = rig.files[VICTIM].with_suffix(".new")
        shutil.copy(DEMO, other)
        other.replace(rig.files[VICTIM])

    errors = await check(rig, answers, cause)
    assert not errors


async def test_a_file_that_is_deleted_under_a_running_model(rig, answers):
    errors = await check(rig, answers, rig.files[VICTIM].unlink)
    assert not errors
    worker = rig.worker(VICTIM)
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: VICTIM not in rig.workers())
    gone = await rig.ask(VICTIM)
    assert "could not be loaded" in gone.error
    assert str(rig.files[VICTIM]) in gone.error
    rig.restore_files()
    await check_recovery(rig, answers)


async def test_bits_that_flip_in_the_file_of_a_running_model(rig, answers):
    def cause() -> None:
        with rig.files[VICTIM].open("r+b") as file:
            file.seek(-1000, os.SEEK_END)
            file.write(b"\x00" * 1000)

    assert not (await rig.ask(VICTIM, max_tokens=2)).error
    streams = await rig.under_load(cause)
    assert not any(stream.is_lost for stream in streams)
    assert all(stream.text == answers[stream.number] for stream in streams if stream.model == BYSTANDER)
    rig.restore_files()
    os.kill(rig.worker(VICTIM), signal.SIGKILL)
    wait_until(lambda: VICTIM not in rig.workers())
    await check_recovery(rig, answers)


async def test_settings_that_change(rig, answers):
    def cause() -> None:
        change = rig.server.manage("register_model", str(rig.files[VICTIM]), "--name", VICTIM, "--ctx-size", "900")
        assert change.returncode == 0

    errors = await check(rig, answers, cause)
    assert not errors
    await check_recovery(rig, answers)


async def test_a_locked_database(rig, answers):
    connection = sqlite3.connect(rig.server.database, check_same_thread=False)

    def cause() -> None:
        connection.execute("BEGIN EXCLUSIVE")

    try:
        errors = await check(rig, answers, cause)
        assert not errors
        await check_recovery(rig, answers)
        os.kill(rig.worker(VICTIM), signal.SIGKILL)
        await check_recovery(rig, answers)
    finally:
        connection.rollback()
        connection.close()


async def test_a_full_disk(rig, answers):
    server = rig.server.process.pid
    before = resource.prlimit(server, resource.RLIMIT_FSIZE)

    def cause() -> None:
        resource.prlimit(server, resource.RLIMIT_FSIZE, (0, before[1]))

    try:
        errors = await check(rig, answers, cause)
        assert not errors
        os.kill(rig.worker(VICTIM), signal.SIGKILL)
        await check_recovery(rig, answers)
    finally:
        resource.prlimit(server, resource.RLIMIT_FSIZE, before)


async def test_no_more_files_to_open(rig, answers):
    """A new worker cannot be started then; those that run go on, and it is said what is wrong."""
    server = rig.server.process.pid
    before = resource.prlimit(server, resource.RLIMIT_NOFILE)

    def cause() -> None:
        num_open = len(list(Path(f"/proc/{server}/fd").iterdir()))
        resource.prlimit(server, resource.RLIMIT_NOFILE, (num_open + 2, before[1]))
        os.kill(rig.worker_seen, signal.SIGKILL)

    rig.worker_seen = None
    assert not (await rig.ask(VICTIM, max_tokens=2)).error
    rig.worker_seen = rig.worker(VICTIM)
    try:
        errors = await check(rig, answers, cause)
        assert any("SIGKILL" in error for error in errors), errors
    finally:
        resource.prlimit(server, resource.RLIMIT_NOFILE, before)
    again = await rig.ask(VICTIM)
    if again.error:  # the pause after a failed start
        rig.order("load", VICTIM)
    await check_recovery(rig, answers)


async def test_a_model_that_is_disabled(rig, answers):
    code = (
        "from registry.models import RegisteredModel as M; m = M.objects.get(name='victim'); m.enabled = {}; m.save()"
    )

    def cause() -> None:
        assert rig.server.manage("shell", "-c", code.format(False)).returncode == 0

    await check(rig, answers, cause)
    assert "does not exist or is disabled" in (await rig.ask(VICTIM)).error
    assert rig.server.manage("shell", "-c", code.format(True)).returncode == 0
    await check_recovery(rig, answers)


async def test_an_unload_by_an_operator(rig, answers):
    def cause() -> None:
        rig.order("unload", VICTIM)

    errors = await check(rig, answers, cause)
    assert all("was unloaded" in error for error in errors), errors
    await check_recovery(rig, answers)


def _outbox(pid: int) -> socket.socket:
    """Return the connection that carries a worker's messages: a copy of its standard output, which was replaced."""
    links = {int(path.name): str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()}
    standard = {links[number] for number in (0, 1, 2)}
    own = {link: number for number, link in links.items() if link.startswith("socket:") and link not in standard}
    [number] = own.values()
    return _stolen(pid, number)


def _stolen(pid: int, number: int) -> socket.socket:
    """Return one of a worker's connections (pidfd_getfd, which Python does not have)."""
    libc = ctypes.CDLL(None, use_errno=True)
    process = os.pidfd_open(pid)
    try:
        taken = libc.syscall(PIDFD_GETFD, process, number, 0)
    finally:
        os.close(process)
    if taken < 0:
        pytest.skip(f"this system lets nobody take connections: {os.strerror(ctypes.get_errno())}")
    return socket.socket(fileno=taken)
