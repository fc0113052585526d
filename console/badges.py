"""The numbers in the sidebar: what an operator should see from every page."""

from inference.pool import pool
from registry.models import RegisteredModel


def loaded_models() -> int:
    """Return how many models are in memory and answer."""
    return sum(status.state == "ready" for status in pool.status().values())


def failed_models() -> int:
    """Return how many models died or could not be loaded when they were last tried; asks the database if any."""
    keys = pool.failed_keys()
    return RegisteredModel.objects.filter(pk__in=keys).count() if keys else 0


def counts() -> dict[str, int]:
    return {"loaded": loaded_models(), "failed": failed_models()}
