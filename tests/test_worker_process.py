"""WorkerProcess: what a real process says, and how it ends. The process is a short script instead of an engine."""

import os
import signal
import sys
from contextvars import ContextVar

import pytest

from inference import worker_process
from inference.worker_process import WorkerProcess

SAY = """
import os, pickle, struct, sys
def say(message):
    body = pickle.dumps(message)
    os.write(1, struct.pack("<I", len(body)) + body)
"""
request = ContextVar("request", default="nobody's")


class Heard:
    """Starts a script as a worker and keeps what comes of it."""

    def __init__(self) -> None:
        self.messages, self.lines, self.ends, self.contexts = [], [], [], []

    def on_message(self, message: object) -> None:
        self.messages.append(message)
        self.contexts.append(request.get())

    def on_line(self, line: str) -> None:
        self.lines.append(line)
        self.contexts.append(request.get())

    async def start(self) -> WorkerProcess:
        return await WorkerProcess.start(self.on_message, self.on_line, self.ends.append)


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Return a function that makes the next worker run these lines."""

    def make(lines: str) -> Heard:
        python = tmp_path / "python"
        (tmp_path / "script.py").write_text(SAY + lines)
        python.write_text(f"#!/bin/sh\nexec {sys.executable} {tmp_path}/script.py\n")
        python.chmod(0o755)
        monkeypatch.setattr(worker_process.sys, "executable", str(python))
        return Heard()

    return make


async def test_messages_and_lines_come_as_they_were_said(script):
    heard = script("say('one'); say('two' * 100_000); sys.stderr.write('I a\\nE b\\n\\nno end')")
    process = await heard.start()
    assert await process.exit_code() == 0
    assert heard.messages == ["one", "two" * 100_000]
    assert heard.lines == ["I a", "E b", "", "no end"]
    assert heard.ends == [None]


async def test_what_it_says_belongs_to_no_request(script):
    token = request.set("the first one's")
    heard = script("say('one'); sys.stderr.write('line\\n')")
    process = await heard.start()
    request.reset(token)
    await process.exit_code()
    assert heard.contexts == ["nobody's"] * 2


async def test_a_line_without_an_end_comes_in_pieces(script, monkeypatch):
    monkeypatch.setattr(worker_process, "LOG_LINE_LIMIT", 10_000)
    heard = script("sys.stderr.write('x' * 300_000)")
    process = await heard.start()
    await process.exit_code()
    assert len(heard.lines) > 1
    assert "".join(heard.lines) == "x" * 300_000


async def test_nonsense_ends_it_once(script):
    heard = script("say('one'); os.write(1, b'\\xff' * 8); sys.stdin.read()")
    process = await heard.start()
    await process.close()
    assert heard.messages == ["one"]
    assert ["cannot be" in str(error) for error in heard.ends] == [True]


async def test_it_ends_with_its_standard_input(script):
    heard = script("say(sys.stdin.buffer.read()[4:])")
    process = await heard.start()
    process.send("question")
    await process.close()
    assert b"question" in heard.messages[0]


async def test_one_that_does_not_end_is_killed(script, monkeypatch):
    monkeypatch.setattr(worker_process, "CLOSE_TIMEOUT", 0.1)
    process = await script("import time; time.sleep(60)").start()
    await process.close()
    assert await process.exit_code() == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
    process.kill()
    process.send("too late")


async def test_a_signal_is_a_negative_code(script):
    process = await script("sys.stdin.read()").start()
    os.kill(process.pid, signal.SIGTERM)
    assert await process.exit_code() == -signal.SIGTERM
