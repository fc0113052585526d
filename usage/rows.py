"""From the records of requests to what the database keeps of them."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any

from access.models import APIKey
from llmsite.config_models import MODEL_NAME_MAX_LENGTH
from usage.models import FIRST_TOKEN_BOUNDS, RequestLog, Totals, UsageHour
from usage.record import RequestRecord

SUMMED = ("requests", "errors", "prompt_tokens", "cached_tokens", "completion_tokens", "total_ms")
COPIED = (
    *("at", "request_id", "endpoint", "key_prefix", "status", "error_code", "streamed", "finish_reason"),
    *("prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens"),
)

MAX_ERROR = RequestLog._meta.get_field("error").max_length
HourKey = tuple[Any, str, str]


def log_row(record: RequestRecord, known_keys: set[int]) -> RequestLog:
    """Return the row of a finished request, unsaved. A key that was deleted meanwhile leaves its prefix."""
    return RequestLog(
        model=storable(record.model)[:MODEL_NAME_MAX_LENGTH],
        error=storable(record.error)[:MAX_ERROR],
        key_id=record.key_id if record.key_id in known_keys else None,
        queue_ms=_ms(record.queue_seconds),
        first_token_ms=_ms(record.first_token_seconds),
        total_ms=_ms(record.total_seconds),
        **{name: getattr(record, name) for name in COPIED},
    )


def existing_keys(records: Iterable[RequestRecord]) -> set[int]:
    """Return those of the records' keys that are still there, and keep them there until the transaction ends."""
    ids = {record.key_id for record in records} - {None}
    keys = APIKey.objects.select_for_update(no_key=True).filter(pk__in=ids)
    return set(keys.values_list("pk", flat=True)) if ids else set()


def hours_of(records: Iterable[RequestRecord], known_keys: set[int]) -> list[UsageHour]:
    """Return the sums of some requests, unsaved. Names that no model has are summed up under the empty one."""
    hours: dict[HourKey, UsageHour] = {}
    for record in records:
        hour = record.at.replace(minute=0, second=0, microsecond=0)
        key = hour, record.model if record.has_model else "", record.key_prefix
        if key not in hours:
            key_id = record.key_id if record.key_id in known_keys else None
            hours[key] = UsageHour(
                hour=hour, model=key[1], key_prefix=key[2], key_id=key_id, first_token_counts=_no_counts()
            )
        _add_record(hours[key], record)
    return list(hours.values())


def add_to_hours(sums: list[UsageHour]) -> None:
    """Add sums to those in the database; inside a transaction."""
    empty = [UsageHour(hour=each.hour, model=each.model, key_prefix=each.key_prefix) for each in sums]
    UsageHour.objects.bulk_create(empty, ignore_conflicts=True)
    hours, models = {each.hour for each in sums}, {each.model for each in sums}
    # Locked in one order, so that two writers never wait for each other.
    stored = UsageHour.objects.select_for_update().filter(hour__in=hours, model__in=models).order_by("pk")
    found = {_key(row): row for row in stored}
    for each in sums:
        _add(found[_key(each)], each)
    write_over([found[_key(each)] for each in sums], "key")


def write_over(rows: Sequence[Totals], *more: str) -> None:
    """Write the totals of rows that the database has, and their fields `more`.

    As an insertion that conflicts: Django's `bulk_update` takes a WHEN for each row and field, and ten times as long.
    """
    if rows:
        fields = [*SUMMED, "first_token_counts", *more]
        type(rows[0]).objects.bulk_create(rows, update_conflicts=True, unique_fields=["id"], update_fields=fields)


def _key(row: UsageHour) -> HourKey:
    return row.hour, row.model, row.key_prefix


def _no_counts() -> list[int]:
    return [0] * (len(FIRST_TOKEN_BOUNDS) + 1)


def _add_record(row: UsageHour, record: RequestRecord) -> None:
    row.requests += 1
    row.errors += record.is_error
    row.prompt_tokens += record.prompt_tokens
    row.cached_tokens += record.cached_tokens
    row.completion_tokens += record.completion_tokens
    row.total_ms += _ms(record.total_seconds)
    first = _ms(record.first_token_seconds)
    if first is not None:
        row.first_token_counts[bisect_left(FIRST_TOKEN_BOUNDS, first)] += 1


def _add(row: UsageHour, more: UsageHour) -> None:
    add_totals(row, more)
    row.key_id = row.key_id or more.key_id


def add_totals(row: Totals, more: Totals) -> None:
    """Add what more requests took."""
    for name in SUMMED:
        setattr(row, name, getattr(row, name) + getattr(more, name))
    counts = row.first_token_counts or _no_counts()
    row.first_token_counts = [old + new for old, new in zip(counts, more.first_token_counts, strict=True)]


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def storable(text: str) -> str:
    """Return what a client may have written as every database takes it: no NUL, no halves of surrogate pairs."""
    return text.replace("\0", "").encode(errors="replace").decode()
