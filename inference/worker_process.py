"""A worker process and its pipes: what it says is handed on the moment it comes, without a task that waits for it."""

import asyncio
import sys
from collections.abc import Callable
from contextvars import Context
from typing import Any

from inference.engine import framing
from inference.engine.framing import FrameReader, FramingError
from inference.worker_environment import worker_environment

STDIN, STDOUT, STDERR = range(3)
LOG_LINE_LIMIT = 1 << 20  # bytes; what is longer comes in pieces
CLOSE_TIMEOUT = 5.0  # seconds until a worker that does not exit is killed


class WorkerProcess(asyncio.SubprocessProtocol):
    """Use `await WorkerProcess.start(...)`; all methods belong to the event loop's thread.

    on_message: gets every message. on_line: gets every line of the log. on_end: is called once, when no more messages
    can come; its argument is None, or what is wrong with the bytes that came last.
    """

    def __init__(
        self,
        on_message: Callable[[Any], None],
        on_line: Callable[[str], None],
        on_end: Callable[[FramingError | None], None],
    ) -> None:
        self._on_message = on_message
        self._on_line = on_line
        self._on_end = on_end
        self._frames = FrameReader()
        self._line = bytearray()
        self._open = {STDOUT, STDERR}
        self._log_ended = asyncio.Event()
        self._exited = asyncio.Event()
        self._transport: asyncio.SubprocessTransport | None = None
        self.pid = 0

    @classmethod
    async def start(
        cls,
        on_message: Callable[[Any], None],
        on_line: Callable[[str], None],
        on_end: Callable[[FramingError | None], None],
    ) -> "WorkerProcess":
        """Start a worker. Nobody's request is the context of what it says later, whoever has brought it."""
        loop = asyncio.get_running_loop()
        command = (sys.executable, "-m", "inference.engine.worker")
        starting = loop.subprocess_exec(lambda: cls(on_message, on_line, on_end), *command, env=worker_environment())
        _, process = await Context().run(asyncio.ensure_future, starting)
        return process

    def send(self, message: Any) -> None:
        """Send a message; a worker that is gone or going gets none, which whoever reads from it finds out."""
        stdin = self._transport.get_pipe_transport(STDIN)
        if not stdin.is_closing():
            stdin.write(framing.pack(message))

    def kill(self) -> None:
        """End it at once; it may have ended already."""
        if not self._exited.is_set():
            self._transport.kill()

    async def close(self) -> None:
        """End its standard input, which ends the worker; return when it is gone."""
        self._transport.get_pipe_transport(STDIN).close()
        await self.exit_code()

    async def exit_code(self) -> int:
        """Wait for its end, some seconds at most, then kill it; its log is read then. A signal's number is negative."""
        try:
            await asyncio.wait_for(self._exited.wait(), CLOSE_TIMEOUT)
        except asyncio.TimeoutError:
            self.kill()
            await self._exited.wait()
        await self._log_ended.wait()
        return self._transport.get_returncode()

    def connection_made(self, transport: asyncio.SubprocessTransport) -> None:
        self._transport = transport
        self.pid = transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == STDERR:
            self._read_log(data)
            return
        try:
            for message in self._frames.feed(data):
                self._on_message(message)
        except FramingError as error:
            self._end(error)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == STDOUT:
            self._end(None)
        if fd == STDERR:
            self._read_log(b"\n" if self._line else b"")
            self._log_ended.set()
        self._open.discard(fd)
        self._close_transport()

    def process_exited(self) -> None:
        self._exited.set()
        self._close_transport()

    def _end(self, error: FramingError | None) -> None:
        on_end, self._on_end = self._on_end, lambda error: None
        on_end(error)

    def _read_log(self, data: bytes) -> None:
        self._line += data
        *lines, rest = self._line.split(b"\n")
        if len(rest) > LOG_LINE_LIMIT:
            lines, rest = [*lines, rest], bytearray()
        self._line = rest
        for line in lines:
            self._on_line(line.decode(errors="replace"))

    def _close_transport(self) -> None:
        if not self._open and self._exited.is_set():
            self._transport.close()
