"""Finished requests as traces for OpenTelemetry: a span for each, with children for waiting, the prompt and the answer.

Attributes are those of its semantic conventions for generative AI
(https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/) and HTTP, with `llmsite.*` where they have none.
Nothing of what was said is in them. Imports OpenTelemetry, which is optional; so this is imported only where it is on.
"""

from collections.abc import Iterator
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from usage.access_log import QUIET
from usage.record import UNAUTHORIZED, RequestRecord
from usage.rows import storable

OPERATIONS = {
    "/v1/chat/completions": "chat",
    "/v1/responses": "chat",
    "/v1/completions": "text_completion",
    "/v1/embeddings": "embeddings",
    "/v1/rerank": "rerank",
}
PROVIDER = "llmsite"
CLIENT_ERRORS = range(400, 500)  # no errors of a server, in the sense of the conventions

Part = tuple[str, float, float]


class Traces:
    """`add` makes the spans of a finished request; the provider sends them later, and drops what is too much."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("llmsite")
        self._propagator = TraceContextTextMapPropagator()

    def add(self, record: RequestRecord) -> None:
        """Take a finished request. Probes have no spans; nor have strangers, whose traces we do not go on with."""
        if record.endpoint in QUIET or record.status == UNAUTHORIZED:
            return
        span = self._tracer.start_span(
            _name(record),
            context=self._propagator.extract(record.trace_headers, Context()),
            kind=SpanKind.SERVER,
            attributes=_attributes(record),
            start_time=_unix_ns(record, record.started),
        )
        if span.is_recording():
            self._add_parts(record, span)
        if record.is_error and record.status not in CLIENT_ERRORS:
            span.set_status(Status(StatusCode.ERROR, record.error_code))
        span.end(_unix_ns(record, record.ended))

    def close(self) -> None:
        """Send what waits, and end the thread that sends it."""
        self._provider.shutdown()

    def _add_parts(self, record: RequestRecord, span: trace.Span) -> None:
        context = trace.set_span_in_context(span, Context())
        for name, start, end in parts(record):
            part = self._tracer.start_span(name, context, start_time=_unix_ns(record, start))
            part.end(_unix_ns(record, end))


def parts(record: RequestRecord) -> Iterator[Part]:
    """Yield what the time went by with, with its begin and end on the record's clock, as far as it came to that."""
    if record.queue_seconds is None:
        return
    placed = record.started + record.queue_seconds
    first = record.ended if record.first_token is None else record.first_token
    yield "queue", record.started, placed
    yield "prefill", placed, max(placed, first)
    if record.first_token is not None:
        yield "decode", record.first_token, record.ended


def _name(record: RequestRecord) -> str:
    """Return the span's name, of which there are few: names that clients make up are none of them."""
    operation = OPERATIONS.get(record.endpoint)
    if operation and record.has_model:
        return f"{operation} {record.model}"
    return operation or f"{record.method} {record.endpoint}"


def _attributes(record: RequestRecord) -> dict[str, Any]:
    known = {
        "http.request.method": record.method,
        "http.route": record.endpoint,
        "http.response.status_code": record.status,
        "llmsite.request_id": record.request_id,
        "llmsite.key_prefix": record.key_prefix,
        "error.type": record.error_code if record.is_error else "",
    }
    if record.is_for_model:
        known |= _model_attributes(record)
    return {name: value for name, value in known.items() if value not in ("", None, [])}


def _model_attributes(record: RequestRecord) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": OPERATIONS.get(record.endpoint),
        "gen_ai.provider.name": PROVIDER,
        "gen_ai.request.model": storable(record.model),
        "gen_ai.request.stream": record.streamed,
        "gen_ai.response.finish_reasons": [record.finish_reason] if record.finish_reason else None,
        "gen_ai.response.time_to_first_chunk": record.first_token_seconds,
        "gen_ai.usage.input_tokens": record.prompt_tokens,
        "gen_ai.usage.cache_read.input_tokens": record.cached_tokens,
        "gen_ai.usage.output_tokens": record.completion_tokens,
        "gen_ai.usage.reasoning.output_tokens": record.reasoning_tokens,
    }


def _unix_ns(record: RequestRecord, at: float) -> int:
    """Return a moment of the record's clock as nanoseconds since 1970."""
    return int((record.at.timestamp() + at - record.started) * 1e9)
