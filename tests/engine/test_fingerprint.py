"""Fingerprints: equal where states can be exchanged, different wherever they or their meaning differ."""

from pathlib import Path

import pytest

from inference.engine import fingerprint as module
from inference.engine.bindings import lib
from inference.engine.config import EngineConfig
from inference.engine.context_plan import MachineFacts, ModelFacts, plan_context
from inference.engine.fingerprint import file_identity, fingerprint, model_files
from inference.engine.loading import load_model
from inference.engine.model_facts import original_context
from tests.adapted_models import write_lora, write_split_demo
from tests.live_server import DEMO

MODEL = ModelFacts("llama", num_layers=10, kv_layers=10, kv_heads=2, head_size_k=64, head_size_v=64)
CPU = MachineFacts(cores=4)
GPU = MachineFacts(cores=4, gpus=("first",))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(bytes(range(256)) * 400)
    return path


def made(path: Path, machine: MachineFacts = CPU, is_long: bool = False, **settings: object) -> bytes:
    config = EngineConfig(str(path), **{"n_ctx": 1024, "flash_attention": "on", **settings})
    return fingerprint(plan_context(config, MODEL, machine), is_long)


@pytest.mark.parametrize(
    "settings",
    [
        {"n_ctx": 2048}, {"n_threads": 1}, {"n_batch": 64}, {"host_cache_bytes": 0}, {"use_mmap": False},
        {"machine": GPU}, {"n_gpu_layers": 0}, {"speculation": "lookup"}, {"kv_disk_bytes": 5},
    ],
)  # fmt: skip
def test_what_makes_no_difference(path, settings):
    assert made(path, **settings) == made(path)


@pytest.mark.parametrize(
    "settings",
    [
        {"n_seq_max": 2}, {"kv_unified": True}, {"kv_type_k": "f32"}, {"kv_type_v": "q8_0"}, {"swa_full": True},
        {"flash_attention": "off"}, {"flash_attention": "auto", "kv_type_v": "q8_0"}, {"is_long": True},
    ],
)  # fmt: skip
def test_what_makes_a_difference(path, settings):
    assert made(path, **settings) != made(path)


def test_sequence_ids_make_none_where_all_share_the_cells(path):
    assert made(path, kv_unified=True) == made(path, kv_unified=True, n_seq_max=2) == made(path, n_seq_max=1)


def test_what_llama_decides_by_the_devices_depends_on_them(path):
    assert made(path, GPU, flash_attention="auto") != made(path, GPU, flash_attention="auto", n_gpu_layers=3)


def test_another_version_makes_a_difference(path, monkeypatch):
    before = made(path)
    monkeypatch.setattr(module, "version", lambda name: "9.9")
    assert made(path) != before


def test_adapters_count_with_their_scales(path, tmp_path):
    lora = str(write_lora(tmp_path / "lora.gguf"))
    fingerprints = {made(path), *(made(path, loras=((lora, scale),)) for scale in (0.5, 1.0))}
    assert len(fingerprints) == 3


def test_a_model_may_be_moved_and_renamed(path):
    before = made(path)
    folder = path.parent / "other"
    folder.mkdir()
    assert made(path.rename(folder / "name.gguf")) == before


def test_a_model_that_was_replaced_is_another_one(path):
    before = made(path)
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    assert made(path) != before


def test_all_parts_of_a_split_model_count(tmp_path):
    paths = write_split_demo(tmp_path)
    assert model_files(paths[0]) == paths
    before = made(paths[0])
    with paths[2].open("r+b") as file:
        file.seek(-5, 2)
        file.write(b"12345")
    assert made(paths[0]) != before


def test_large_files_are_sampled_everywhere(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "HEADER_BYTES", 1000)
    monkeypatch.setattr(module, "SAMPLE_BYTES", 50)
    monkeypatch.setattr(module, "NUM_SAMPLES", 8)
    path = tmp_path / "large.gguf"
    content = bytes(20_000)
    path.write_bytes(content)
    before = file_identity(path)
    for start in range(0, len(content), 5000):
        path.write_bytes(content[:start] + b"1" * 5000 + content[start + 5000 :])
        assert file_identity(path) != before
    path.write_bytes(content + b"0")
    assert file_identity(path) != before


def test_a_missing_part_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        made(tmp_path / "m-00001-of-00002.gguf")


def test_the_context_that_rope_was_made_for_is_read_from_the_model():
    model = load_model(EngineConfig(str(DEMO), n_ctx=512))
    assert original_context(model) == lib.llama_model_n_ctx_train(model)
    lib.llama_model_free(model)
