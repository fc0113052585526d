"""GET /v1/models and /v1/models/{id}."""

import pytest
from django.test import AsyncClient, TestCase

from inference.pool import pool
from registry.models import Preset, RegisteredModel


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

    async def test_presets_stand_among_the_models_with_their_parents(self) -> None:
        parent = await RegisteredModel.objects.aget(name="org/chat-4b")
        await Preset.objects.acreate(name="a-preset", model=parent)
        preset, model = (await AsyncClient().get("/v1/models")).json()["data"]
        assert (preset["id"], preset["parent"], preset["context_length"]) == ("a-preset", "org/chat-4b", 8192)
        assert (model["id"], model["parent"]) == ("org/chat-4b", None)
        assert (await AsyncClient().get("/v1/models/a-preset")).json() == preset

    async def test_disabled_presets_and_those_of_disabled_models_are_not_listed(self) -> None:
        parent = await RegisteredModel.objects.aget(name="org/chat-4b")
        await Preset.objects.acreate(name="off", model=parent, enabled=False)
        await Preset.objects.acreate(name="orphan", model=await RegisteredModel.objects.aget(name="hidden"))
        assert [each["id"] for each in (await AsyncClient().get("/v1/models")).json()["data"]] == ["org/chat-4b"]
        for name in ("off", "orphan"):
            assert (await AsyncClient().get(f"/v1/models/{name}")).status_code == 404

    async def test_describes_one_model_with_a_slash_in_its_name(self) -> None:
        response = await AsyncClient().get("/v1/models/org/chat-4b")
        assert response.json()["id"] == "org/chat-4b"

    async def test_an_unknown_or_disabled_model_is_not_found(self) -> None:
        for name in ("nope", "hidden"):
            response = await AsyncClient().get(f"/v1/models/{name}")
            assert response.status_code == 404
            assert response.json()["error"]["code"] == "model_not_found"

    def test_takes_two_queries_and_loads_nothing(self) -> None:
        for number in range(20):
            model = RegisteredModel.objects.create(name=f"m{number}", path="x.gguf")
            Preset.objects.create(name=f"p{number}", model=model)
        with self.assertNumQueries(2):
            assert len(self.client.get("/v1/models").json()["data"]) == 41
        assert pool.status() == {}


@pytest.mark.django_db
def test_cross_origin_requests_are_allowed_from_the_configured_origin_only(client):
    allowed = client.get("/v1/models", headers={"origin": "http://localhost:3080"})
    assert allowed["access-control-allow-origin"] == "http://localhost:3080"
    other = client.get("/v1/models", headers={"origin": "http://evil.example"})
    assert "access-control-allow-origin" not in other
