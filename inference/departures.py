"""Unloading models that another process has deleted or disabled, such as a command; of our own, signals tell."""

import asyncio
import logging

from django.db import DatabaseError

from inference.pool import pool
from registry.models import RegisteredModel
from registry.queries import query

logger = logging.getLogger("inference.pool")

INTERVAL = 2.0  # seconds


async def unload_departed() -> None:
    """Look after what is in memory until cancelled. No model in memory, no query."""
    while True:
        await asyncio.sleep(INTERVAL)
        if loaded := set(pool.status()):
            try:
                departed = loaded - await query(_enabled_keys)
            except DatabaseError as error:
                logger.error("which models are still registered could not be read: %s", error)
                continue
            for key in departed:
                await pool.unload(key)


def _enabled_keys() -> set[int]:
    return set(RegisteredModel.objects.enabled().values_list("pk", flat=True))
