"""The ASGI application: Django, and the lifespan events that Django does not know."""

import asyncio
import gc
import logging
import os
from importlib import import_module
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llmsite.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from django.conf import settings  # noqa: E402 - Django's apps must be ready first
from django.db import DatabaseError, connections  # noqa: E402

from inference.departures import unload_departed  # noqa: E402
from inference.pool import pool  # noqa: E402
from inference.preload import preload  # noqa: E402
from llmsite.exposure import uvicorn_host, warn_if_open  # noqa: E402
from llmsite.middleware import API_PATH, PLAYGROUND_PATH  # noqa: E402
from llmsite.telemetry import begin_traces  # noqa: E402
from registry.download_runner import runner  # noqa: E402
from usage import capture, metrics  # noqa: E402
from usage.access_log import log_request  # noqa: E402
from usage.retention import Retention  # noqa: E402
from usage.tracking import Tracked  # noqa: E402
from usage.writer import LogWriter  # noqa: E402

logger = logging.getLogger("llmsite.server")

request_log = LogWriter(settings.CONFIG.usage.log)
retention = Retention()
TRACKED_PATHS = (API_PATH, PLAYGROUND_PATH)
traces = begin_traces(settings.CONFIG.telemetry.traces_endpoint)
observers = [log_request, metrics.observe, request_log.add, *([traces.add] if traces else [])]
api = Tracked(django_application, observers)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve HTTP through Django; when the server stops, end the engines."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    if scope["type"] != "http" or not scope["path"].startswith(TRACKED_PATHS):
        await django_application(scope, receive, send)
        return
    await api(scope, receive, send)


async def _lifespan(receive: Any, send: Any) -> None:
    """Answer the server's start and stop (https://asgi.readthedocs.io/en/latest/specs/lifespan.html)."""
    await receive()
    warn_if_open(uvicorn_host())
    pool.bind()
    await asyncio.to_thread(_begin_to_keep)
    _settle()
    tasks = [asyncio.create_task(work) for work in (preload.run(), unload_departed(), runner.run())]
    await send({"type": "lifespan.startup.complete"})
    await receive()
    for task in tasks:
        task.cancel()
    await pool.close()
    await asyncio.wait(tasks)
    await asyncio.to_thread(_stop_keeping)
    await send({"type": "lifespan.shutdown.complete"})


def _settle() -> None:
    """Load the views and take all that is loaded out of garbage collection.

    To look through its 150,000 objects halts every stream for 0.1 s, and nothing of it is ever garbage.
    """
    import_module(settings.ROOT_URLCONF)
    gc.freeze()


def _begin_to_keep() -> None:
    """Start what keeps requests for later, and what deletes them again."""
    try:
        capture.load()
    except DatabaseError as error:
        logger.error("whether bodies are to be captured could not be read: %s", error)
    finally:
        connections.close_all()
    request_log.start()
    retention.start()


def _stop_keeping() -> None:
    """Write what is still to be written, and send what is still to be sent."""
    retention.stop()
    request_log.stop()
    if traces:
        traces.close()
