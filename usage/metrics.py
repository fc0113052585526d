"""What requests have come to, for Prometheus. docs/operating.md lists all metrics.

The names are those of vLLM's metrics where it has the same, with `llmsite_` in the place of `vllm:` (a colon is for
recording rules, https://prometheus.io/docs/concepts/data_model/). Names that clients make up never become labels.
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics

from usage.record import RequestRecord

disable_created_metrics()  # a third more lines, that no query here needs
REGISTRY = CollectorRegistry()

FIRST_TOKEN_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300)
GAP_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 10)
TOTAL_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1800)
MODEL = ("model_name",)

REQUESTS = Counter(
    "llmsite_requests", "Requests to the API, ended", ("endpoint", "model_name", "status"), registry=REGISTRY
)
ENDS = Counter(
    "llmsite_request_success", "Answers, by how they ended", ("model_name", "finished_reason"), registry=REGISTRY
)
FIRST_TOKEN = Histogram(
    *("llmsite_time_to_first_token_seconds", "From a request's arrival to its first token", MODEL),
    buckets=FIRST_TOKEN_SECONDS,
    registry=REGISTRY,
)
GAP = Histogram(
    *("llmsite_inter_token_latency_seconds", "From one output of an answer to the next", MODEL),
    buckets=GAP_SECONDS,
    registry=REGISTRY,
)
TOTAL = Histogram(
    *("llmsite_e2e_request_latency_seconds", "From a request's arrival to the end of its answer", MODEL),
    buckets=TOTAL_SECONDS,
    registry=REGISTRY,
)
QUEUE = Histogram(
    *("llmsite_request_queue_time_seconds", "From a request's arrival to its place in the engine", MODEL),
    buckets=FIRST_TOKEN_SECONDS,
    registry=REGISTRY,
)
PROMPT_TOKENS = Counter("llmsite_prompt_tokens", "Tokens of prompts", MODEL, registry=REGISTRY)
CACHED_TOKENS = Counter(
    "llmsite_prompt_tokens_cached", "Tokens of prompts that were not computed again", MODEL, registry=REGISTRY
)
GENERATION_TOKENS = Counter("llmsite_generation_tokens", "Tokens generated", MODEL, registry=REGISTRY)
TURNED_AWAY = Counter(
    "llmsite_requests_turned_away", "Requests refused for their key or a limit", ("reason",), registry=REGISTRY
)
ROWS_DROPPED = Counter(
    "llmsite_log_rows_dropped", "Requests missing in the request log: the database was too slow", registry=REGISTRY
)
ProcessCollector(registry=REGISTRY)


def observe(record: RequestRecord) -> None:
    """Count a request that has ended."""
    model = record.model if record.has_model else ""
    REQUESTS.labels(record.endpoint, model, record.status).inc()
    if record.is_turned_away:
        TURNED_AWAY.labels(record.error_code).inc()
    if not record.has_model:
        return
    if record.finish_reason:
        ENDS.labels(model, record.finish_reason).inc()
    TOTAL.labels(model).observe(record.total_seconds)
    if record.first_token is not None:
        FIRST_TOKEN.labels(model).observe(record.first_token_seconds)
    if record.queue_seconds is not None:
        QUEUE.labels(model).observe(record.queue_seconds)
    PROMPT_TOKENS.labels(model).inc(record.prompt_tokens)
    CACHED_TOKENS.labels(model).inc(record.cached_tokens)
    GENERATION_TOKENS.labels(model).inc(record.completion_tokens)


def observe_gaps(model: str, gaps: Iterable[float]) -> None:
    """Count the times in seconds between the outputs of one answer."""
    histogram = GAP.labels(model)
    for seconds in gaps:
        histogram.observe(seconds)
