"""From a registration to an engine's configuration."""

import pytest

from inference.engine.config import EngineConfig
from inference.specs import model_spec
from llmsite.config import PROJECT_ROOT, Config, KVDisk
from registry.models import LoraAdapter, RegisteredModel

pytestmark = pytest.mark.django_db


def config_of(**settings) -> EngineConfig:
    model = RegisteredModel.objects.create(name="m", path="/m.gguf", trained_context=512, **settings)
    return model_spec(model).config


def test_a_new_registration_leaves_the_engine_its_defaults():
    assert config_of() == EngineConfig("/m.gguf", n_ctx=512, n_batch=None, speculation="lookup")


def test_every_setting_reaches_the_engine():
    settings = {
        "parallel": 3, "kv_cells": 700, "kv_type_k": "q8_0", "kv_type_v": "q4_0", "use_mmap": False, "use_mlock": True,
        "n_batch": 256, "n_ubatch": 128, "flash_attention": "on", "step_target_ms": 100, "split_mode": "row",
        "main_gpu": 1, "cpu_moe_layers": 4, "draft_max": 5, "threads": 2, "threads_batch": 6, "gpu_layers": 7,
    }  # fmt: skip
    config = config_of(**settings, kv_layout="unified", host_cache_mb=2, tensor_split="3,1")
    expected = EngineConfig(
        "/m.gguf", n_ctx=512, n_seq_max=3, kv_cells=700, kv_type_k="q8_0", kv_type_v="q4_0", use_mmap=False,
        use_mlock=True, n_batch=256, n_ubatch=128, flash_attention="on", step_target_ms=100, split_mode="row",
        main_gpu=1, cpu_moe_layers=4, draft_max=5, n_threads=2, n_threads_batch=6, n_gpu_layers=7, kv_unified=True,
        host_cache_bytes=2 * 2**20, tensor_split=(3.0, 1.0), speculation="lookup",
    )  # fmt: skip
    assert config == expected


def test_adapters_reach_the_engine_with_absolute_paths():
    model = RegisteredModel.objects.create(name="m", path="/m.gguf")
    without = model_spec(model).config
    LoraAdapter.objects.create(model=model, path="models/b.gguf", scale=0.5, order=2)
    LoraAdapter.objects.create(model=model, path="/a.gguf", order=1)
    config = model_spec(RegisteredModel.objects.for_api("m")).config
    assert config.loras == (("/a.gguf", 1.0), (str(PROJECT_ROOT / "models" / "b.gguf"), 0.5))
    assert config != without


@pytest.mark.parametrize(
    ("settings", "speculation", "path"),
    [
        ({}, "lookup", None),
        ({"draft_model": "/d.gguf"}, "draft", "/d.gguf"),
        ({"draft_model": "/d.gguf", "speculation": "off"}, "off", None),
        ({"draft_model": "/d.gguf", "kind": "embedding"}, "off", None),
    ],
)
def test_tokens_are_guessed_by_the_draft_model_or_from_the_text(settings, speculation, path):
    config = config_of(**settings)
    assert (config.speculation, config.draft_model_path) == (speculation, path)


def test_conversations_of_chat_models_are_kept_where_the_configuration_says(settings):
    settings.CONFIG = Config(kv_disk=KVDisk("/kv", max_size=3 * 2**20))
    kept = config_of()
    assert (kept.kv_disk_directory, kept.kv_disk_bytes) == ("/kv", 3 * 2**20)


def test_embedding_models_have_none(settings):
    settings.CONFIG = Config(kv_disk=KVDisk("/kv"))
    assert config_of(kind="embedding").kv_disk_directory == ""
