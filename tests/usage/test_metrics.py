"""`/metrics`, and the dashboard made for it."""

import json
import re
from dataclasses import replace

import httpx
import pytest
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics

from inference.operators import new_token
from inference.pool.budget import Budget
from inference.pool.contracts import PoolSettings
from inference.pool.engine_pool import EnginePool
from inference.pool.metrics import MetricsRecorder, pool_metrics
from llmsite.config import PROJECT_ROOT
from tests.pool.paper import REQUEST, Factory, outputs, spec, turns
from tests.usage.records import finished
from usage.metrics import REGISTRY, observe

DASHBOARD = PROJECT_ROOT / "docs" / "grafana" / "llmsite.json"
GUIDE = PROJECT_ROOT / "docs" / "operating.md"
SUFFIXES = r"(_bucket|_sum|_count)?$"


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def read(server, accept: str = "text/plain") -> str:
    token = server.manage("pool", "token").stdout.strip()
    response = httpx.get(
        f"{server.url}/metrics", headers={"Authorization": f"Bearer {token}", "Accept": accept}, timeout=60
    )
    assert response.status_code == 200
    return response.text


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Return the value of each sample by its name and the values of its labels in order of their names."""
    families = parser.text_string_to_metric_families(text)
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.fixture(scope="module")
def text(server) -> str:
    """What is there after some traffic."""
    body = {"model": "demo", "messages": [{"role": "user", "content": "Count to 9. " * 30}]}
    for _ in range(2):
        httpx.post(f"{server.base_url}/chat/completions", json=body, timeout=60)
    httpx.post(f"{server.base_url}/chat/completions", json={**body, "model": "made-up"}, timeout=60)
    httpx.get(f"{server.base_url}/made-up", timeout=60)
    return read(server)


def test_real_traffic_is_counted(text):
    found = samples(text)
    assert found["llmsite_requests_total", "/v1/chat/completions", "demo", "200"] >= 2
    assert found["llmsite_requests_total", "/v1/chat/completions", "", "404"] >= 1
    assert found["llmsite_requests_total", "unknown", "", "404"] >= 1
    for name in ("time_to_first_token", "e2e_request_latency", "request_queue_time"):
        assert found[f"llmsite_{name}_seconds_count", "demo"] >= 2
        assert found[f"llmsite_{name}_seconds_bucket", "+Inf", "demo"] >= 2
    assert found["llmsite_inter_token_latency_seconds_count", "demo"] >= 4
    assert found["llmsite_prompt_tokens_total", "demo"] > found["llmsite_prompt_tokens_cached_total", "demo"] > 0
    assert found["llmsite_generation_tokens_total", "demo"] > 0
    assert found["llmsite_request_success_total", "stop", "demo"] >= 2
    assert found["llmsite_model_loads_total", "demo", "loaded"] >= 1
    assert 0 < found["llmsite_kv_cells_used", "demo"] <= found["llmsite_kv_cells", "demo"]
    assert 0 < found["llmsite_kv_cache_usage_perc", "demo"] <= 1
    assert found["llmsite_model_memory_bytes", "host", "demo"] <= found["llmsite_memory_used_bytes", "host"]
    assert found["llmsite_memory_budget_bytes", "host"] > 0
    assert found["llmsite_num_requests_running", "demo"] == found["llmsite_num_requests_waiting", "demo"] == 0
    drafted = found["llmsite_spec_decode_num_draft_tokens_total", "demo"]
    assert 0 <= found["llmsite_spec_decode_num_accepted_tokens_total", "demo"] <= drafted


def test_names_that_clients_make_up_are_no_labels(text):
    assert "made-up" not in text


def test_openmetrics_is_there_for_who_asks_for_it(server, text):
    body = read(server, "application/openmetrics-text; version=1.0.0")
    names = {family.name for family in openmetrics.text_string_to_metric_families(body)}
    assert "llmsite_requests" in names


def test_the_dashboard_uses_only_what_is_there(text):
    dashboard = json.loads(DASHBOARD.read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    used = {name for query in queries for name in re.findall(r"\b(?:llmsite|process)_\w+", query)}
    assert len(queries) >= 10
    assert used <= _names(text), used - _names(text)


def test_the_guide_lists_all_that_is_there(text):
    there = {re.sub(SUFFIXES, "", name) for name in _names(text) if name.startswith("llmsite_")}
    told = set(re.findall(r"^\| `(llmsite_\w+)`", GUIDE.read_text(), re.MULTILINE))
    assert there == told


def _names(text: str) -> set[str]:
    """Return the names of all samples that there are or may be: of some there is none before something goes wrong."""
    families = parser.text_string_to_metric_families(text)
    names = set()
    for family in families:
        suffixes = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",)}.get(family.type, ("",))
        names |= {family.name.removesuffix("_total") + suffix for suffix in suffixes}
    return names


@pytest.mark.parametrize("key", ["", "Bearer nonsense", pytest.param(f"Bearer {new_token(-1)}", id="expired")])
def test_they_are_not_for_everybody(client, key):
    response = client.get("/metrics", headers={"authorization": key} if key else {})
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "not_an_operator"


async def test_operators_may_read_them(async_client):
    response = await async_client.get("/metrics", headers={"authorization": f"Bearer {new_token()}"})
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=")


async def test_they_may_be_public(async_client, settings):
    settings.CONFIG = replace(settings.CONFIG, metrics=replace(settings.CONFIG.metrics, public=True))
    assert (await async_client.get("/metrics")).status_code == 200


def test_requests_without_a_model_have_no_times():
    before = value("llmsite_requests_total", endpoint="/v1/models", model_name="", status="200")
    observe(finished(endpoint="/v1/models", model="", has_model=False))
    assert value("llmsite_requests_total", endpoint="/v1/models", model_name="", status="200") == before + 1
    assert value("llmsite_e2e_request_latency_seconds_count", model_name="") == 0


def test_an_answer_counts_with_all_it_took():
    observe(finished(model="counted"))
    assert value("llmsite_prompt_tokens_total", model_name="counted") == 10
    assert value("llmsite_prompt_tokens_cached_total", model_name="counted") == 4
    assert value("llmsite_generation_tokens_total", model_name="counted") == 5
    assert value("llmsite_time_to_first_token_seconds_sum", model_name="counted") == pytest.approx(0.04)
    assert value("llmsite_request_queue_time_seconds_sum", model_name="counted") == pytest.approx(0.002)
    assert value("llmsite_e2e_request_latency_seconds_sum", model_name="counted") == pytest.approx(0.3)


async def test_what_happens_to_models_is_counted():
    factory = Factory()
    settings = PoolSettings(Budget(100, (), lambda: None))
    pool = EnginePool(factory, recorder=MetricsRecorder(), settings=settings)
    pool.bind()
    await outputs(pool.generate(spec(1, 60), REQUEST))
    factory.engines[0].die("it died")
    await turns()
    await outputs(pool.generate(spec(1, 60), REQUEST))
    await outputs(pool.generate(spec(2, 60), REQUEST))
    await pool.close()
    assert value("llmsite_model_loads_total", model_name="model-1", outcome="loaded") == 2
    assert value("llmsite_engine_deaths_total", model_name="model-1") == 1
    assert value("llmsite_engine_restarts_total", model_name="model-1") == 1
    assert value("llmsite_model_unloads_total", model_name="model-1", reason="died") == 1
    assert value("llmsite_model_unloads_total", model_name="model-1", reason="memory") == 1
    assert value("llmsite_model_unloads_total", model_name="model-2", reason="asked") == 1


async def test_a_load_that_fails_is_counted():
    factory = Factory()
    factory.error = "no such file"
    pool = EnginePool(factory, recorder=MetricsRecorder())
    await outputs(pool.generate(spec(3), REQUEST))
    assert value("llmsite_model_loads_total", model_name="model-3", outcome="failed") == 1
    await pool.close()


async def test_an_empty_pool_has_its_metrics_all_the_same():
    pool = EnginePool(Factory())
    names = {metric.name for metric in pool_metrics(pool.residents, pool.room.limit)}
    assert {"llmsite_num_requests_running", "llmsite_memory_used_bytes"} <= names
