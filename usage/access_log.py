"""One line of the log for each request to the API; of those that are turned away, which may be any number, some."""

import logging
from typing import Any

from usage.record import RequestRecord
from usage.samples import Samples

logger = logging.getLogger("llmsite.access")

QUIET = ("/v1/health",)  # asked every few seconds by whatever watches the service
TURNED_AWAY_PER_MINUTE = 60  # lines of each reason

_turned_away = Samples(TURNED_AWAY_PER_MINUTE, 60.0)


def log_request(record: RequestRecord) -> None:
    """Write the line; the JSON format has each of its values in a field of its own."""
    if record.is_turned_away:
        _log_turned_away(record)
    else:
        _log(record, logging.DEBUG if record.endpoint in QUIET else logging.INFO)


def _log(record: RequestRecord, level: int) -> None:
    if logger.isEnabledFor(level):
        fields = fields_of(record)
        logger.log(level, _sentence(fields), extra={"fields": fields})


def _log_turned_away(record: RequestRecord) -> None:
    number = _turned_away.number(record.error_code)
    if not number:
        return
    _log(record, logging.INFO)
    if _turned_away.is_last(number):
        logger.warning(
            "%d requests were turned away within a minute (%s); until it is over, llmsite_requests_turned_away_total "
            "counts the others, and they have no lines",
            number,
            record.error_code,
        )


def fields_of(record: RequestRecord) -> dict[str, Any]:
    """Return what the line says. Times in milliseconds; None: not reached, or there is none."""
    return {
        "request_id": record.request_id,
        "method": record.method,
        "path": record.path,
        "status": record.status,
        "model": record.model or None,
        "key": record.key_prefix or None,
        "client": record.client if record.is_turned_away and record.client else None,
        "prompt_tokens": record.prompt_tokens,
        "cached_tokens": record.cached_tokens,
        "completion_tokens": record.completion_tokens,
        "queue_ms": _ms(record.queue_seconds),
        "first_token_ms": _ms(record.first_token_seconds),
        "total_ms": _ms(record.total_seconds),
        "finish_reason": record.finish_reason or None,
        "error_code": record.error_code or None,
    }


def _sentence(fields: dict[str, Any]) -> str:
    """Return the line for people; what clients have written is shown without its control characters."""
    parts = [f"{fields['method']} {_shown(fields['path'])} {fields['status']}"]
    if fields["model"]:
        parts.append(_shown(fields["model"]))
    if fields["key"]:
        parts.append(f"key {fields['key']}…")
    if fields["client"]:
        parts.append(f"from {fields['client']}")
    if fields["prompt_tokens"]:
        parts.append(
            f"{fields['prompt_tokens']} ({fields['cached_tokens']} cached) + {fields['completion_tokens']} tokens"
        )
    times = [f"{name} {fields[f'{name}_ms']:g} ms" for name in ("queue", "first_token", "total") if _has(fields, name)]
    parts.append(", ".join(times).replace("_", " "))
    parts += filter(None, [fields["finish_reason"], fields["error_code"]])
    return " | ".join(parts)


def _has(fields: dict[str, Any], name: str) -> bool:
    return fields[f"{name}_ms"] is not None


def _shown(text: str) -> str:
    return text[:200].encode("unicode_escape").decode() if not text.isprintable() else text[:200]


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
