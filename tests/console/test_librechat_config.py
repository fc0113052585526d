"""The librechat.yaml that llmsite writes."""

from io import StringIO

import jsonschema
import pytest
import yaml
from django.core.management import CommandError, call_command

from console.base_url import is_url
from console.librechat import config_text, override_text
from llmsite.config import PROJECT_ROOT
from registry.models import Preset, RegisteredModel
from registry.served_model import served_models
from tests.librechat_schema import LIBRECHAT

BASE_URL = "http://host.docker.internal:8000/v1"
pytestmark = pytest.mark.django_db


def register(name: str, **fields: object) -> RegisteredModel:
    return RegisteredModel.objects.create(name=name, path=f"{name}.gguf", **fields)


def written(*, base_url: str = BASE_URL, needs_key: bool = False) -> dict:
    config = yaml.safe_load(config_text(served_models(), base_url, needs_key))
    jsonschema.validate(config, LIBRECHAT)
    return config


def endpoint(**options: object) -> dict:
    return written(**options)["endpoints"]["custom"][0]


def test_models_and_presets_have_their_real_context():
    big = register("qwen:big/4.0", ctx_size=16384)
    Preset.objects.create(name="careful", model=big)
    register("small", trained_context=2048)
    register("hidden", enabled=False)
    register("embedder", kind="embedding")
    found = endpoint()
    assert found["models"]["default"] == ["careful", "qwen:big/4.0", "small"]
    contexts = {name: tokens["context"] for name, tokens in found["tokenConfig"].items()}
    assert contexts == {"careful": 16384, "qwen:big/4.0": 16384, "small": 2048}


@pytest.mark.parametrize("name", ["on", "1.0", "null", "2026-01-01", "0x10"])
def test_names_that_yaml_would_read_otherwise_stay_names(name):
    register(name)
    assert endpoint()["models"]["default"] == [name]


def test_without_models_the_file_is_valid_all_the_same():
    assert "tokenConfig" not in endpoint()


def test_the_key_comes_from_the_environment_if_one_is_needed():
    register("m")
    assert endpoint(needs_key=True)["apiKey"] == "${LLM_API_KEY}"
    assert endpoint()["apiKey"] == "any-text"


def test_the_override_mounts_the_file_and_names_an_embedding_model():
    register("m")
    override = yaml.safe_load(override_text(served_models(), BASE_URL, False))
    assert override["services"]["api"]["volumes"][0]["target"] == "/app/librechat.yaml"
    register("embedder", kind="embedding")
    services = yaml.safe_load(override_text(served_models(), BASE_URL, True))["services"]
    variables = services["rag_api"]["environment"]
    assert variables["EMBEDDINGS_MODEL"] == "embedder"
    assert variables["RAG_OPENAI_BASEURL"] == BASE_URL
    assert variables["RAG_CHECK_EMBEDDING_CTX_LENGTH"] == "False"


def run(*options: str) -> str:
    out = StringIO()
    call_command("librechat_config", *options, stdout=out)
    return out.getvalue()


def test_the_command_prints_the_file_of_the_repository_for_the_demo():
    demo = RegisteredModel(name="demo", path="demo/demo.gguf")
    demo.full_clean()
    demo.save()
    text = run("--base-url", "http://llm:8000/v1", "--with-key")
    assert text == (PROJECT_ROOT / "config" / "librechat.yaml").read_text()


def test_the_command_prints_the_override():
    assert "docker-compose.override.yml" in run("--override")


def test_the_command_refuses_what_is_no_url():
    with pytest.raises(CommandError, match="found 'llm:8000'; expected one like"):
        run("--base-url", "llm:8000")


@pytest.mark.parametrize("text", ["ftp://x/v1", "http:///v1", "http://x:99999/v1", "x", ""])
def test_texts_that_are_no_base_url(text):
    assert not is_url(text)


def test_the_schema_of_these_tests_refuses_ignored_fields():
    register("m")
    config = written()
    config["endpoints"]["custom"][0]["forcePrompt"] = False
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(config, LIBRECHAT)
