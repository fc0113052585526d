"""Keeping what is said in requests and answers, for a limited time and only where an operator has asked for it.

    capture.start(15)                      # everything for a quarter of an hour
    capture.start(15, model="demo")        # what this name in the API is asked
    capture.start(15, key=api_key)         # what comes with this key
    capture.stop()                         # now rather than later
    capture.active()                       # the running Capture, or None

What was captured is in `CapturedExchange`. Each of its rows is deleted `usage.capture_hours` after its request,
bodies are cut at `exchange.LIMIT` bytes, and `capture.forget` deletes all of them at once.

Whether a capture runs is known to this process alone, since every request asks: call these functions in the process
that serves, as the admin does.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from access.models import APIKey
from usage.models import Capture, CapturedExchange
from usage.record import RequestRecord
from usage.rows import storable

logger = logging.getLogger(__name__)

MOST_MINUTES = 24 * 60

_running: Capture | None = None


def start(minutes: int, model: str | None = None, key: APIKey | None = None) -> Capture:
    """Capture from now on for so many minutes, 1 to MOST_MINUTES, in the place of what may be running.

    model: only requests that name it; key: only requests that come with it. Raises ValueError for other minutes.
    """
    if not 1 <= minutes <= MOST_MINUTES:
        raise ValueError(f"minutes: found {minutes}; expected 1 to {MOST_MINUTES}")
    stop()
    until = timezone.now() + timedelta(minutes=minutes)
    capture = Capture.objects.create(until=until, model=model or "", key=key)
    _set(capture)
    whose = f"model {model or 'any'}, key {key.prefix if key else 'any'}"
    logger.warning("bodies of requests and answers are captured until %s (%s)", until.isoformat("T", "seconds"), whose)
    return capture


def stop() -> None:
    """End what is running; what it has captured stays until it expires."""
    now = timezone.now()
    _set(None)
    if Capture.objects.running(now).update(until=now):
        logger.warning("bodies of requests and answers are not captured any more")


def active() -> Capture | None:
    """Return the capture that is running, as the database knows it."""
    return Capture.objects.running(timezone.now()).select_related("key").first()


def forget() -> int:
    """Delete all that was captured; return how many requests that were."""
    return CapturedExchange.objects.all().delete()[0]


def load() -> None:
    """Go on with what was running when the server stopped."""
    _set(active())


def is_on() -> bool:
    """Whether bodies may have to be kept. Costs nothing; for every request."""
    return _running is not None and timezone.now() < _running.until


def row_of(record: RequestRecord) -> CapturedExchange | None:
    """Return what is to be kept of a finished request, unsaved; None for nothing."""
    capture, exchange = _running, record.exchange
    if exchange is None or capture is None or not _wants(capture, record):
        return None
    return CapturedExchange(
        request_id=record.request_id,
        at=record.at,
        model=storable(record.model),
        key_prefix=record.key_prefix,
        request_body=storable(exchange.request.text),
        request_is_cut=exchange.request.is_cut,
        response_body=storable(exchange.response.text),
        response_is_cut=exchange.response.is_cut,
        expires_at=_expiry(record.at),
    )


def _wants(capture: Capture, record: RequestRecord) -> bool:
    is_model = not capture.model or capture.model == record.model
    is_key = capture.key_id is None or capture.key_id == record.key_id
    return is_model and is_key and record.at < capture.until


def _expiry(at: datetime) -> datetime:
    return at + timedelta(hours=settings.CONFIG.usage.capture_hours)


def _set(capture: Capture | None) -> None:
    global _running  # noqa: PLW0603 - asked by every request, set by the admin
    _running = capture
