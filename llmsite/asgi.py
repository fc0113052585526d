"""The ASGI application: Django, and the lifespan events that Django does not know."""

import asyncio
import os
import secrets
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llmsite.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from inference.pool import pool  # noqa: E402 - Django's apps must be ready first
from inference.preload import preload  # noqa: E402
from llmsite.exposure import uvicorn_host, warn_if_open  # noqa: E402
from llmsite.middleware import API_PATH  # noqa: E402
from usage.record import RequestRecord, recorded  # noqa: E402


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve HTTP through Django; when the server stops, end the engines."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    if scope["type"] != "http" or not scope["path"].startswith(API_PATH):
        await django_application(scope, receive, send)
        return
    with recorded(RequestRecord(secrets.token_hex(16), scope["method"], scope["path"])):
        await django_application(scope, receive, send)


async def _lifespan(receive: Any, send: Any) -> None:
    """Answer the server's start and stop (https://asgi.readthedocs.io/en/latest/specs/lifespan.html)."""
    await receive()
    warn_if_open(uvicorn_host())
    pool.bind()
    loading = asyncio.create_task(preload())
    await send({"type": "lifespan.startup.complete"})
    await receive()
    loading.cancel()
    await pool.close()
    await send({"type": "lifespan.shutdown.complete"})
