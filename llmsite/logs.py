"""How log lines look and which are shown."""

import json
import logging
import re
from datetime import datetime, timezone
from typing import Any

from usage.record import current_record
from usage.samples import Samples

# What must stay secret: API keys but for their prefix, tokens of the Hugging Face hub, whatever follows "Bearer".
SECRET = re.compile(r"\b(sk-[\w-]{8})[\w-]{8,}|\bhf_\w{16,}|((?i:bearer) )[\w.~+/=:-]{8,}")


def logging_config(level: str, format: str = "text") -> dict:  # noqa: A002 - the key's name
    """Return Django's LOGGING for `server.log_level` and `server.log_format`."""
    quiet = {"level": "WARNING"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {"()": TextFormatter, "format": "{asctime} {levelname:<7} {name}: {message}", "style": "{"},
            "json": {"()": JSONFormatter},
        },
        "filters": {"request": {"()": RequestFilter}, "pages": {"()": PagesFilter}, "few": {"()": FewFilter}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": format, "filters": ["request"]}},
        "root": {"handlers": ["console"], "level": level.upper()},
        "loggers": {
            # Every 4xx answer already explains itself to the client.
            "django.request": {"level": "ERROR"},
            # A traceback for every stray Host header; the answer names the setting.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            # They write down the headers of requests, tokens included.
            "httpx": quiet,
            "httpx2": quiet,
            "httpcore": quiet,
            # Requests to the API have their line of llmsite.access.
            "uvicorn.access": {"filters": ["pages"]},
            # A collector that is gone is worth a line, but not several for each try.
            "opentelemetry.exporter.otlp.proto.http.trace_exporter": {"filters": ["few"]},
        },
    }


class RequestFilter(logging.Filter):
    """Marks lines that belong to a request with its id; drops none."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = current_record.get()
        is_open = request is not None and request.ended is None  # a task that goes on after it works for others
        record.request_id = request.request_id if is_open else None
        return True


class PagesFilter(logging.Filter):
    """Drops uvicorn's lines about requests to the API."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (isinstance(record.args, tuple) and str(record.args[2]).startswith("/v1/"))


class FewFilter(logging.Filter):
    """Lets one line of each wording pass in a minute."""

    def __init__(self) -> None:
        super().__init__()
        self._lines = Samples(1, 60.0)

    def filter(self, record: logging.LogRecord) -> bool:
        return self._lines.number(record.msg) > 0


class TextFormatter(logging.Formatter):
    """Lines for people: the model that a line is about in front, the request's id at the end."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        model = getattr(record, "model", None)
        if model:
            record.message = f"[{model}] {record.message}"
        request_id = getattr(record, "request_id", None)
        return super().formatMessage(record) + (f" [{request_id}]" if request_id else "")

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class JSONFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger and message, and where they are known model, request_id, exception.

    What a line gives as `extra={"fields": {...}}` stands beside them.
    """

    def format(self, record: logging.LogRecord) -> str:
        values = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "model": getattr(record, "model", None),
            "request_id": getattr(record, "request_id", None),
            "exception": self._exception(record),
            **getattr(record, "fields", {}),
        }
        known = {name: value for name, value in values.items() if value is not None}
        return without_secrets(json.dumps(known, ensure_ascii=False, default=str))

    def _exception(self, record: logging.LogRecord) -> Any:
        return self.formatException(record.exc_info) if record.exc_info else None


def without_secrets(text: str) -> str:
    """Return a line of the log without the keys and tokens in it."""
    return SECRET.sub(lambda match: f"{match[1] or match[2] or ''}…", text)
