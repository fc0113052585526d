"""Rows of the request log to test with."""

from typing import Any

from django.utils import timezone

from usage.models import CapturedExchange, RequestLog


def row(**values: Any) -> RequestLog:
    """Return an unsaved row of a request that went well just now."""
    usual = {"at": timezone.now(), "request_id": "r", "endpoint": "/v1/chat/completions", "model": "demo"}
    return RequestLog(**{**usual, "status": 200, "total_ms": 1500, **values})


def add_row(**values: Any) -> RequestLog:
    added = row(**values)
    added.save()
    return added


def add_exchange(of: RequestLog, **values: Any) -> CapturedExchange:
    usual = {
        "request_body": '{"model": "demo"}',
        "response_body": "data: x",
        "expires_at": timezone.now().replace(year=2999),
    }
    return CapturedExchange.objects.create(request_id=of.request_id, at=of.at, model=of.model, **{**usual, **values})
