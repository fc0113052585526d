"""GET /v1/models and /v1/models/{id}."""

import pytest
from django.test import AsyncClient, TestCase

from inference.pool import pool
from registry.models import RegisteredModel


class ModelsTest(TestCase):
    """Async tests of the database live on TestCase, which rolls back."""

    @classmethod
    def setUpTestData(cls) -> None:
        details = {"architecture": "qwen3", "parameter_count": 130, "quantization": "Q8_0", "trained_context": 40960}
        RegisteredModel.objects.create(name="org/chat-4b", path="chat.gguf", **details)
        RegisteredModel.objects.create(name="hidden", path="hidden.gguf", enabled=False)

    async def test_lists_enabled_models(self) -> None:
        response = await AsyncClient().get("/v1/models")
        assert response.json()["object"] == "list"
        [model] = response.json()["data"]
        assert model["id"] == "org/chat-4b"
        assert model["object"] == "model"
        assert model["meta"]["quantization"] == "Q8_0"

    async def test_tells_librechat_the_context_window(self) -> None:
        [model] = (await AsyncClient().get("/v1/models")).json()["data"]
        assert model["context_length"] == 8192
        assert model["pricing"] == {"prompt": "0", "completion": "0"}

    async def test_describes_one_model_with_a_slash_in_its_name(self) -> None:
        response = await AsyncClient().get("/v1/models/org/chat-4b")
        assert response.json()["id"] == "org/chat-4b"

    async def test_an_unknown_or_disabled_model_is_not_found(self) -> None:
        for name in ("nope", "hidden"):
            response = await AsyncClient().get(f"/v1/models/{name}")
            assert response.status_code == 404
            assert response.json()["error"]["code"] == "model_not_found"

    def test_takes_one_query_and_loads_nothing(self) -> None:
        for number in range(20):
            RegisteredModel.objects.create(name=f"m{number}", path="x.gguf")
        with self.assertNumQueries(1):
            assert len(self.client.get("/v1/models").json()["data"]) == 21
        assert pool.status() == {}


@pytest.mark.django_db
def test_cross_origin_requests_are_allowed_from_the_configured_origin_only(client):
    allowed = client.get("/v1/models", headers={"origin": "http://localhost:3080"})
    assert allowed["access-control-allow-origin"] == "http://localhost:3080"
    other = client.get("/v1/models", headers={"origin": "http://evil.example"})
    assert "access-control-allow-origin" not in other
