"""Traces for OpenTelemetry: whether they can be made, and where they go."""

from importlib.util import find_spec
from typing import TYPE_CHECKING

from llmsite.version import __version__
from llmsite.yaml_file import ConfigError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from usage.traces import Traces

PACKAGES = {
    "opentelemetry-sdk": "opentelemetry.sdk",
    "opentelemetry-exporter-otlp-proto-http": "opentelemetry.exporter.otlp.proto.http",
}
SERVICE = "llmsite"
WAITING = 4096  # spans; what comes beyond them while the collector is slow is dropped
BATCH = 512  # spans in a request to the collector
INTERVAL = 2000  # milliseconds in which spans gather
TIMEOUT = 5.0  # seconds that the collector may take


def require_packages() -> None:
    """Raise ConfigError if a package that makes traces is missing."""
    missing = [name for name, module in PACKAGES.items() if not _is_there(module)]
    if missing:
        raise ConfigError(
            f"telemetry.traces_endpoint: traces need {' and '.join(missing)}: `pip install -r requirements-otel.txt`"
        )


def begin_traces(endpoint: str) -> "Traces | None":
    """Return what makes traces of requests, if there is an endpoint."""
    if not endpoint:
        return None
    from usage.traces import Traces

    return Traces(tracer_provider(endpoint))


def tracer_provider(endpoint: str) -> "TracerProvider":
    """Return what sends spans to a collector by OTLP over HTTP, in a thread of its own, many at a time.

    The environment may say more, as OpenTelemetry defines it: OTEL_SERVICE_NAME, OTEL_EXPORTER_OTLP_HEADERS,
    OTEL_TRACES_SAMPLER and so on.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    ours = Resource.create({"service.name": SERVICE, "service.version": __version__})
    provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint, timeout=TIMEOUT)
    provider.add_span_processor(BatchSpanProcessor(exporter, WAITING, INTERVAL, BATCH))
    return provider


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of a package around it
        return False
