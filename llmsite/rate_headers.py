"""The headers that tell clients how near their limits are (https://platform.openai.com/docs/guides/rate-limits)."""

from math import ceil

from access.limits import Level, Limit, LimitReached

EXPOSED = (
    *(f"x-ratelimit-{what}-{unit}" for unit in ("requests", "tokens") for what in ("limit", "remaining", "reset")),
    "retry-after",
)


def rate_headers(levels: dict[Limit, Level]) -> dict[str, str]:
    """Return the headers of an answer; those about tokens speak of the minute or, without such a limit, of the day."""
    units = {"requests": levels.get(Limit.REQUESTS), "tokens": levels.get(Limit.TOKENS) or levels.get(Limit.DAY)}
    headers = {}
    for unit, level in units.items():
        if level:
            headers[f"x-ratelimit-limit-{unit}"] = str(level.limit)
            headers[f"x-ratelimit-remaining-{unit}"] = str(level.remaining)
            headers[f"x-ratelimit-reset-{unit}"] = duration(level.reset)
    return headers


def retry_headers(reached: LimitReached) -> dict[str, str]:
    """Return what tells clients whether to try again by themselves; OpenAI's own heed `x-should-retry`, too."""
    if reached.retry_after is None:
        return {"x-should-retry": "false"}
    return {"retry-after": str(max(1, ceil(reached.retry_after)))}


def duration(seconds: float) -> str:
    """Return a time as OpenAI writes it: `20ms`, `6s`, `2m0s`, `3h0m10s`."""
    if seconds < 1:
        return f"{ceil(seconds * 1000)}ms"
    minutes, left = divmod(ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{left}s"
    return f"{minutes}m{left}s" if minutes else f"{left}s"
