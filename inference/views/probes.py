"""`/healthz` and `/readyz`, for whatever starts, stops and watches this process."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from inference.pool import pool
from inference.preload import preload
from registry.queries import query
from registry.setup import num_pending_migrations


class Schema:
    """Whether the tables are those that this version needs. Once they are, they stay so."""

    def __init__(self) -> None:
        self._is_current = False

    def problem(self) -> str | None:
        """Return what is wrong with the database, None if nothing is."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            count = 0 if self._is_current else num_pending_migrations()
        except DatabaseError as error:
            return f"the database does not answer: {error}"
        self._is_current = count == 0
        return f"the database is {count} migrations behind; `python manage.py setup` applies them" if count else None


schema = Schema()


async def healthz(request: HttpRequest) -> JsonResponse:
    """Say that the process is alive. Asks nobody, so that only a hanging process does not answer."""
    return JsonResponse({"status": "ok"})


async def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether requests should come here: 503 with the reasons if not."""
    reasons = [reason for reason in (_closing(), await query(schema.problem), _preloading()) if reason]
    body = {"status": "not ready" if reasons else "ready", "reasons": reasons}
    return JsonResponse(body, status=503 if reasons else 200)


def _closing() -> str | None:
    return "the server is shutting down" if pool.is_closing else None


def _preloading() -> str | None:
    if preload.waiting is None:
        return "the models to load at the start are not known yet"
    return f"models are being loaded: {', '.join(preload.waiting)}" if preload.waiting else None
