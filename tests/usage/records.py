"""Finished requests for tests."""

from datetime import datetime, timezone

from usage.record import RequestRecord

AT = datetime(2026, 5, 4, 10, 20, tzinfo=timezone.utc)


def finished(request_id: str = "r", **values: object) -> RequestRecord:
    """Return the record of a request that took 300 ms and had its first token after 40."""
    known = {"endpoint": "/v1/chat/completions", "model": "demo", "has_model": True, "status": 200}
    tokens = {"prompt_tokens": 10, "cached_tokens": 4, "completion_tokens": 5}
    times = {"at": AT, "started": 100.0, "first_token": 100.04, "ended": 100.3, "queue_seconds": 0.002}
    parts = {"is_for_model": True, "finish_reason": "stop", **known, **tokens, **times, **values}
    return RequestRecord(request_id, "POST", "/v1/chat/completions", **parts)
