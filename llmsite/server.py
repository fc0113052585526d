"""uvicorn, with an end that clients understand."""

import asyncio
import logging
from types import FrameType
from typing import Any

import uvicorn

logger = logging.getLogger("llmsite.server")

LAST_WORDS = 5  # seconds for the errors that end open streams to reach the clients


class Server(uvicorn.Server):
    """On SIGTERM or SIGINT it takes no more requests, and gives the open ones `shutdown_timeout` seconds to finish.

    What is open then ends with an error. The exit status is 0. A second signal ends everything at once.
    """

    def __init__(self, config: uvicorn.Config, shutdown_timeout: float) -> None:
        config.timeout_graceful_shutdown = int(shutdown_timeout + LAST_WORDS)
        super().__init__(config)
        self._shutdown_timeout = shutdown_timeout

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take note of a signal. uvicorn would raise it again in the end, which is no exit status of 0."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: Any = None) -> None:
        """Stop listening, wait for the open requests, end the engines."""
        ending = asyncio.create_task(self._end_requests())
        try:
            await super().shutdown(sockets)
        finally:
            ending.cancel()

    async def _end_requests(self) -> None:
        from inference.pool import pool  # it needs Django, which the application has set up

        pool.begin_closing()
        await asyncio.sleep(self._shutdown_timeout)
        logger.warning("ending what is still open after %g s (server.shutdown_timeout)", self._shutdown_timeout)
        await pool.close()
