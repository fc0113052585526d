"""Spans for OpenTelemetry, of finished requests and of a running server."""

from collections.abc import Iterator

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from tests import live_server
from tests.live_server import LiveServer, free_port, wait_until
from tests.otlp_collector import Collector, attributes_of, collecting
from tests.usage.records import AT, finished
from usage.record import RequestRecord
from usage.traces import Traces, parts

TRACE_ID, PARENT_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, NOT_SAMPLED = f"00-{TRACE_ID}-{PARENT_ID}-01", f"00-{TRACE_ID}-{PARENT_ID}-00"


def spans_of(record: RequestRecord) -> list[ReadableSpan]:
    """Return the request's own span and then its parts."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    traces = Traces(provider)
    traces.add(record)
    traces.close()
    return sorted(exporter.get_finished_spans(), key=lambda span: span.name in ("queue", "prefill", "decode"))


def test_a_request_is_a_span_with_what_it_took():
    span, *_ = spans_of(finished(streamed=True, reasoning_tokens=2, key_prefix="sk-1"))
    assert (span.name, span.kind.name, span.parent) == ("chat demo", "SERVER", None)
    assert dict(span.attributes) == {
        "http.request.method": "POST",
        "http.route": "/v1/chat/completions",
        "http.response.status_code": 200,
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "llmsite",
        "gen_ai.request.model": "demo",
        "gen_ai.request.stream": True,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.time_to_first_chunk": pytest.approx(0.04),
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.reasoning.output_tokens": 2,
        "llmsite.request_id": "r",
        "llmsite.key_prefix": "sk-1",
    }


def test_its_times_are_those_of_the_day():
    span, *children = spans_of(finished())
    begin = AT.timestamp()
    expected = {"chat demo": (0, 0.3), "queue": (0, 0.002), "prefill": (0.002, 0.04), "decode": (0.04, 0.3)}
    for each in (span, *children):
        times = each.start_time / 1e9 - begin, each.end_time / 1e9 - begin
        assert times == pytest.approx(expected.pop(each.name), abs=1e-5)
    assert not expected
    assert {child.parent.span_id for child in children} == {span.context.span_id}


@pytest.mark.parametrize(
    ("times", "names"),
    [
        ({"queue_seconds": None, "first_token": None}, []),
        ({"first_token": None}, ["queue", "prefill"]),
        ({}, ["queue", "prefill", "decode"]),
    ],
)
def test_it_has_the_parts_that_it_came_to(times, names):
    assert [name for name, _, _ in parts(finished(**times))] == names


def test_the_clients_trace_goes_on():
    span, *children = spans_of(finished(trace_headers={"traceparent": SAMPLED, "tracestate": "a=b"}))
    assert f"{span.parent.span_id:016x}" == PARENT_ID
    assert {f"{each.context.trace_id:032x}" for each in (span, *children)} == {TRACE_ID}
    assert span.context.trace_state.get("a") == "b"


@pytest.mark.parametrize("header", ["", "nonsense", f"00-{'0' * 32}-{PARENT_ID}-01", "ÿ" * 1000])
def test_nonsense_begins_a_trace_of_its_own(header):
    span, *_ = spans_of(finished(trace_headers={"traceparent": header}))
    assert span.parent is None


def test_what_the_client_does_not_record_is_not_recorded():
    assert spans_of(finished(trace_headers={"traceparent": NOT_SAMPLED})) == []


@pytest.mark.parametrize(
    ("status", "code", "is_error"),
    [(500, "decode_failed", True), (200, "worker_died", True), (400, "invalid_value", False), (499, "", False)],
)
def test_what_fails_says_why(status, code, is_error):
    span, *_ = spans_of(finished(status=status, error_code=code))
    assert span.attributes.get("error.type", "") == code
    assert (span.status.status_code is StatusCode.ERROR) is is_error


@pytest.mark.parametrize("values", [{"endpoint": "/v1/health"}, {"status": 401, "is_for_model": False}])
def test_probes_and_strangers_have_none(values):
    assert spans_of(finished(**values)) == []


def test_names_that_clients_make_up_are_no_names_of_spans():
    span, *_ = spans_of(finished(model="made up \ud800", has_model=False, status=404, error_code="model_not_found"))
    assert span.name == "chat"
    assert span.attributes["gen_ai.request.model"] == "made up ?"


def test_what_is_for_no_model_has_no_model():
    record = finished(endpoint="/v1/models", model="", has_model=False, is_for_model=False)
    record.method = "GET"
    span, *_ = spans_of(record)
    assert span.name == "GET /v1/models"
    assert not [name for name in span.attributes if name.startswith("gen_ai")]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


def serve(folder, endpoint: str) -> LiveServer:
    live_server.set_up(folder, telemetry={"traces_endpoint": endpoint})
    return live_server.start(folder)


def ask(server: LiveServer, **headers: str) -> httpx.Response:
    body = {"model": "demo", "messages": [{"role": "user", "content": "Count to 9."}]}
    return httpx.post(f"{server.base_url}/chat/completions", json=body, headers=headers, timeout=60)


def test_a_server_sends_them(tmp_path, collector, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=secret")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    server = serve(tmp_path, collector.url)
    try:
        usage = ask(server, traceparent=SAMPLED, **{"x-request-id": "mine"}).json()["usage"]
        wait_until(lambda: len(collector.spans) == 4)  # while it runs
        httpx.get(f"{server.base_url}/models", timeout=60)
    finally:
        assert server.stop() == 0
    spans = {span.name: span for span in collector.spans}
    assert set(spans) == {"chat demo", "queue", "prefill", "decode", "GET /v1/models"}  # the last one when it ended
    request = spans["chat demo"]
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE_ID, PARENT_ID)
    assert spans["decode"].parent_span_id == request.span_id
    attributes = attributes_of(request)
    assert attributes["llmsite.request_id"] == "mine"
    assert attributes["gen_ai.usage.input_tokens"] == usage["prompt_tokens"]
    assert attributes["gen_ai.usage.output_tokens"] == usage["completion_tokens"]
    assert attributes["gen_ai.response.finish_reasons"] == ["stop"]
    assert collector.resource["service.name"] == "llmsite"
    assert collector.resource["deployment.environment.name"] == "test"
    assert collector.headers["api-key"] == "secret"
    assert not [body for body in collector.bodies if b"Count to" in body or b"1, 2, 3" in body]


def test_a_collector_that_is_gone_hurts_nobody(tmp_path):
    server = serve(tmp_path, f"http://127.0.0.1:{free_port()}/v1/traces")
    try:
        assert [ask(server).status_code for _ in range(3)] == [200] * 3
        wait_until(lambda: "Failed to export" in server.log)
    finally:
        assert server.stop() == 0
    assert "Traceback" not in server.log
    assert server.log.count("Failed to export") == 1  # in a minute
