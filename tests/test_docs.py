"""The generated documentation: /docs, /redoc and /openapi.json."""

import re

import pytest

from inference.serializers.chat import ChatCompletionRequestSerializer
from inference.serializers.completions import CompletionRequestSerializer
from inference.serializers.responses import ResponseRequestSerializer


@pytest.fixture
def schema(client) -> dict:
    return client.get("/openapi.json").json()


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_pages_use_local_assets_only(client, path):
    page = client.get(path).content.decode()
    assets = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert any(asset.startswith("/static/drf_spectacular_sidecar/") for asset in assets)
    assert not any(asset.startswith(("http", "//")) for asset in assets)


def test_their_assets_are_there(server):
    import httpx

    for path in ("/docs", "/redoc", "/admin/login/"):
        page = httpx.get(server.url + path, timeout=60).text
        for asset in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
            assert httpx.get(server.url + asset, timeout=60).status_code == 200, asset


def test_every_endpoint_is_described(schema):
    assert set(schema["paths"]) == {
        "/v1/chat/completions",
        "/v1/chat/completions/input_tokens",
        "/v1/completions",
        "/v1/tokenize",
        "/v1/detokenize",
        "/v1/models",
        "/v1/models/{name}",
        "/v1/health",
        "/v1/responses",
        "/v1/responses/input_tokens",
        "/v1/responses/{response_id}",
        "/v1/responses/{response_id}/input_items",
        "/v1/embeddings",
        "/v1/rerank",
        "/v1/pool",
        "/v1/pool/events",
        "/v1/models/{name}/load",
        "/v1/models/{name}/unload",
        "/v1/models/{name}/test",
    }
    for operations in schema["paths"].values():
        for operation in operations.values():
            assert operation["description"]
            content = operation["responses"]["200"]["content"]
            answer = content.get("application/json") or content["text/event-stream"]
            assert answer["schema"]
            assert answer["examples"]


def test_every_parameter_of_a_chat_request_is_described(schema):
    properties = schema["components"]["schemas"]["ChatCompletionRequest"]["properties"]
    assert set(properties) == set(ChatCompletionRequestSerializer().fields)
    assert properties["temperature"]["maximum"] == 2
    assert "oneOf" in schema["components"]["schemas"]["Message"]["properties"]["content"]


def test_every_parameter_of_a_text_completion_is_described(schema):
    properties = schema["components"]["schemas"]["CompletionRequest"]["properties"]
    assert set(properties) == set(CompletionRequestSerializer().fields)
    assert len(properties["prompt"]["oneOf"]) == 4


def test_every_parameter_of_a_response_request_is_described(schema):
    properties = schema["components"]["schemas"]["ResponseRequest"]["properties"]
    assert set(properties) == set(ResponseRequestSerializer().fields)
    assert {"input", "text", "top_k"} <= set(properties)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/responses"])
def test_the_streamed_form_is_described(schema, path):
    answers = schema["paths"][path]["post"]["responses"]
    assert "text/event-stream" in answers["200"]["content"]
    assert {"400", "404", "503"} <= set(answers)


def test_every_endpoint_but_health_takes_a_key(schema):
    assert schema["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    assert schema["security"] == [{}, {"apiKey": []}]
    operations = {path: operation for path, each in schema["paths"].items() for operation in each.values()}
    assert operations.pop("/v1/health")["security"] == []
    for path, operation in operations.items():
        assert "security" not in operation
        example = operation["responses"]["401"]["content"]["application/json"]["examples"]["invalid_api_key"]
        assert example["value"]["error"]["code"] == "invalid_api_key", path


def test_what_limits_and_rights_answer_is_described_where_it_occurs(schema):
    operations = {(path, method): each for path, both in schema["paths"].items() for method, each in both.items()}
    limited = {path for (path, _), each in operations.items() if "429" in each["responses"]}
    managing = {path for (path, _), each in operations.items() if "403" in each["responses"]}
    assert {"/v1/chat/completions", "/v1/embeddings", "/v1/tokenize"} <= limited
    of_models = {f"/v1/models/{{name}}/{action}" for action in ("load", "unload", "test")}
    assert managing == {"/v1/pool", "/v1/pool/events", *of_models}
    assert not limited & (managing | {"/v1/models", "/v1/health"})


def test_the_schema_says_where_a_key_is_required(client, settings):
    settings.AUTH_REQUIRED = True
    assert client.get("/openapi.json").json()["security"] == [{"apiKey": []}]
