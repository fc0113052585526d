"""Hours to test with."""

from datetime import datetime, timezone
from typing import Any

from access.models import APIKey
from usage.models import FIRST_TOKEN_BOUNDS, UsageHour
from usage.steps import add_to_steps, steps_of


def moment(day: int, hour: int = 12, minute: int = 0) -> datetime:
    """Return a time in May 2026."""
    return datetime(2026, 5, day, hour, minute, tzinfo=timezone.utc)


def first_tokens(upto_ms: int, count: int) -> list[int]:
    """Return the counts of an hour in which all first tokens came within one class."""
    return [count if bound == upto_ms else 0 for bound in (*FIRST_TOKEN_BOUNDS, None)]


def add_hour(at: datetime, model: str = "demo", key: APIKey | None = None, requests: int = 1, **sums: Any) -> UsageHour:
    prefix = key.prefix if key else ""
    counts = sums.pop("first_token_counts", first_tokens(100, requests))
    hour = UsageHour.objects.create(
        hour=at, model=model, key=key, key_prefix=prefix, requests=requests, first_token_counts=counts, **sums
    )
    add_to_steps(steps_of([hour]))
    return hour
