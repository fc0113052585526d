"""Loading models when the server starts."""

import logging

from django.db import DatabaseError

from inference.client import EngineLoadError
from inference.pool import pool
from inference.specs import model_spec
from registry.models import RegisteredModel
from registry.queries import query

logger = logging.getLogger("inference.pool")


class Preload:
    """Loads what the registrations ask for, one after the other, the pinned ones first. Failures are logged.

    waiting: the names of those that are still to be loaded; None until it is known which.
    """

    def __init__(self) -> None:
        self.waiting: list[str] | None = None

    async def run(self) -> None:
        """Load them all."""
        try:
            specs = await query(_specs)
        except DatabaseError as error:
            logger.error("the models to load at the start could not be read: %s", error)
            specs = []
        self.waiting = [spec.name for spec in specs]
        for spec in specs:
            try:
                await pool.load(spec)
            except EngineLoadError:
                pass  # the pool has logged and recorded it
            finally:
                self.waiting.remove(spec.name)


preload = Preload()


def _specs() -> list:
    models = RegisteredModel.objects.enabled().filter(preload=True).order_by("-pinned", "name")
    return [model_spec(model) for model in models.select_related("observation").prefetch_related("loras")]
