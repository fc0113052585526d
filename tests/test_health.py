"""GET /v1/health."""

import httpx


def test_an_idle_service_is_healthy(client):
    health = client.get("/v1/health").json()
    assert health["status"] == "ok"
    assert health["version"] == "0.1.0"
    assert health["llama_cpp_python"].startswith("0.3.")
    assert (health["models"], health["waiting"], health["running"]) == ([], 0, 0)


def test_it_tells_what_is_loaded(server, openai_client):
    openai_client.chat.completions.create(model="demo", messages=[{"role": "user", "content": "Hello!"}])
    health = httpx.get(f"{server.base_url}/health", timeout=60).json()
    [demo] = [model for model in health["models"] if model["name"] == "demo"]
    assert demo["state"] == "ready"
    assert demo["cached_tokens"] > 0
