"""What happens to models and what they are doing, for Prometheus. docs/operating.md lists all metrics."""

from collections.abc import Iterable, Iterator

from prometheus_client import Counter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from inference.memory import Limit, Memory
from inference.pool.contracts import Recorder, UnloadReason
from inference.pool.failures import FailureNote
from inference.pool.model_spec import EngineStatus, ModelSpec
from inference.pool.residents import Residents
from usage.metrics import MODEL, REGISTRY

LOADS = Counter(
    *("llmsite_model_loads", "Loads of models", ("model_name", "outcome")),
    registry=REGISTRY,
)
UNLOADS = Counter(
    *("llmsite_model_unloads", "Models taken out of memory; the reason memory: for others", ("model_name", "reason")),
    registry=REGISTRY,
)
DEATHS = Counter("llmsite_engine_deaths", "Engine processes that died", MODEL, registry=REGISTRY)
RESTARTS = Counter("llmsite_engine_restarts", "Loads after the engine had died", MODEL, registry=REGISTRY)


class MetricsRecorder(Recorder):
    """Counts what the pool reports."""

    def __init__(self) -> None:
        self._dead: set[int] = set()

    def loaded(self, spec: ModelSpec) -> None:
        LOADS.labels(spec.name, "loaded").inc()
        if spec.key in self._dead:
            self._dead.remove(spec.key)
            RESTARTS.labels(spec.name).inc()

    def failed(self, spec: ModelSpec, note: FailureNote) -> None:
        LOADS.labels(spec.name, "failed").inc()

    def died(self, spec: ModelSpec, note: FailureNote) -> None:
        self._dead.add(spec.key)
        DEATHS.labels(spec.name).inc()

    def unloaded(self, spec: ModelSpec, reason: UnloadReason) -> None:
        UNLOADS.labels(spec.name, reason).inc()


def pool_metrics(residents: Residents, limit: Limit) -> list[Metric]:
    """Return what the pool is like now. Belongs to the event loop's thread."""
    statuses = [resident.snapshot() for resident in residents]
    return [*_queues(statuses), *_caches(statuses), *_drafts(statuses), *_memory(statuses, residents.used, limit)]


def _queues(statuses: list[EngineStatus]) -> Iterator[Metric]:
    running = {each.name: each.stats.running for each in statuses}
    waiting = {each.name: each.stats.waiting + each.num_queued for each in statuses}
    yield _gauge("llmsite_num_requests_running", "Generations that have their place in the engine", running)
    yield _gauge("llmsite_num_requests_waiting", "Generations that wait for one, or for the model", waiting)


def _caches(statuses: list[EngineStatus]) -> Iterator[Metric]:
    loaded = [each for each in statuses if each.info and each.info.kv_cells]
    cells = {each.name: each.info.kv_cells for each in loaded}
    used = {each.name: each.stats.cached_tokens for each in loaded}
    shares = {name: used[name] / cells[name] for name in cells}
    yield _gauge("llmsite_kv_cells", "Tokens that the KV cache has room for", cells)
    yield _gauge("llmsite_kv_cells_used", "Tokens in the KV cache, those of idle conversations included", used)
    yield _gauge("llmsite_kv_cache_usage_perc", "The same as a share of the room, 0 to 1", shares)


def _drafts(statuses: list[EngineStatus]) -> Iterator[Metric]:
    drafted = {each.name: each.stats.drafted for each in statuses if each.info}
    accepted = {each.name: each.stats.accepted for each in statuses if each.info}
    yield _counter("llmsite_spec_decode_num_draft_tokens", "Tokens guessed since the model was loaded", drafted)
    yield _counter("llmsite_spec_decode_num_accepted_tokens", "Those of them that were right", accepted)


def _memory(statuses: list[EngineStatus], used: Memory, limit: Limit) -> Iterator[Metric]:
    models = GaugeMetricFamily(
        *("llmsite_model_memory_bytes", "Memory that a model takes, or that is set aside for it"),
        labels=("model_name", "device"),
    )
    for status in statuses:
        for device, size in _devices(status.memory.host, status.memory.devices):
            models.add_metric((status.name, device), size)
    yield models
    for name, size, text in (("used", used, "that all models take"), ("budget", limit, "that they may take")):
        total = GaugeMetricFamily(f"llmsite_memory_{name}_bytes", f"Memory {text}", labels=("device",))
        for device, number in _devices(size.host, size.devices):
            total.add_metric((device,), number)
        yield total


def _devices(host: int | None, devices: Iterable[int]) -> list[tuple[str, int]]:
    main = [] if host is None else [("host", host)]
    return main + [(f"gpu{number}", size) for number, size in enumerate(devices)]


def _gauge(name: str, text: str, values: dict[str, float]) -> Metric:
    return _filled(GaugeMetricFamily(name, text, labels=MODEL), values)


def _counter(name: str, text: str, values: dict[str, float]) -> Metric:
    return _filled(CounterMetricFamily(name, text, labels=MODEL), values)


def _filled(family: Metric, values: dict[str, float]) -> Metric:
    for model, value in values.items():
        family.add_metric((model,), value)
    return family
