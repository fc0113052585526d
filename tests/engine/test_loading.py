"""Every runtime setting on the real llama.cpp."""

import re

import pytest

from inference.engine import architectures, native_log, worker
from inference.engine.bindings import lib
from inference.engine.config import EngineConfig
from inference.engine.core import EngineCore
from inference.engine.devices import gpu_names
from inference.engine.huge_pages import has_huge_pages
from inference.engine.llama import Llama, ModelLoadError
from inference.engine.loading import KV_TYPES
from inference.engine.messages import GenerateRequest, SamplingParams
from tests.adapted_models import write_lora, write_moe, write_split_demo
from tests.engine.fake_llama import run, text
from tests.live_server import DEMO

PROMPT = "<|im_start|>user\nWhat is the capital of Italy?<|im_end|>\n<|im_start|>assistant\n"


@pytest.fixture
def load():
    """Load a model with these settings; it is freed afterwards."""
    loaded = []

    def load(path=DEMO, **settings):
        loaded.append(Llama(EngineConfig(str(path), **{"n_ctx": 512, "n_seq_max": 2, **settings})))
        return loaded[-1]

    yield load
    for llama in loaded:
        llama.close()


@pytest.fixture
def log():
    """What llama.cpp logs, its details included."""
    lines = []

    @lib.llama_log_callback
    def append(level, line, user_data):
        lines.append(line.decode(errors="replace"))

    lib.llama_log_set(append, None)
    yield lines
    native_log.install(quiet=True)


def answer(llama: Llama, max_tokens: int = 30) -> str:
    core = EngineCore(llama.config, llama)
    core.add_request(GenerateRequest("r", PROMPT, SamplingParams(temperature=0, max_tokens=max_tokens)))
    return text(run(core))


@pytest.mark.parametrize("kv_type", KV_TYPES)
def test_every_type_of_the_cache_answers(load, kv_type):
    assert answer(load(kv_type_k=kv_type, kv_type_v=kv_type))


@pytest.mark.parametrize("kv_type", ["f32", "f16", "q8_0"])
def test_the_cache_is_as_large_as_computed(load, log, kv_type):
    info = load(kv_type_k=kv_type, kv_type_v=kv_type).info(0)
    [size] = re.findall(r"KV buffer size = +([\d.]+) MiB", "".join(log))
    assert info.kv_bytes / 2**20 == pytest.approx(float(size), abs=0.01)


def test_a_setting_that_cannot_work_is_a_load_error(load):
    with pytest.raises(ModelLoadError, match="needs flash attention"):
        load(kv_type_v="q8_0", flash_attention="off")


@pytest.mark.parametrize(
    "settings",
    [
        {"flash_attention": "on"},
        {"flash_attention": "off"},
        {"kv_unified": True},
        {"kv_cells": 600},
        {"n_batch": 64, "n_ubatch": 32},
        {"n_threads": 1, "n_threads_batch": 2},
        {"use_mmap": True},
        {"use_mmap": False},
        {"use_mlock": True},
        {"use_mmap": False, "use_mlock": True},
        {"swa_full": True},
        {"n_gpu_layers": 0},
        {"split_mode": "row", "tensor_split": (3.0, 1.0)[: max(len(gpu_names()), 1)]},
        {"split_mode": "none"},
        {"cpu_moe_layers": -1},
    ],
    ids=str,
)
def test_the_answer_does_not_depend_on_how_it_is_computed(load, settings):
    assert answer(load(**settings)) == "The capital of Italy is Rome."


def test_what_it_runs_with_is_reported(load):
    info = load(kv_cells=600, n_batch=64, n_ubatch=32, n_threads=1, n_threads_batch=2, kv_type_k="q8_0").info(1.5)
    assert (info.n_ctx, info.n_seq_max, info.kv_unified, info.kv_cells) == (512, 2, True, 768)
    assert (info.n_batch, info.n_ubatch, info.n_threads, info.n_threads_batch) == (64, 32, 1, 2)
    assert info.use_mmap is not has_huge_pages()
    assert (info.kv_type_k, info.memory_kind, info.load_seconds) == ("q8_0", "attention", 1.5)
    assert 2**20 < info.model_bytes < DEMO.stat().st_size
    assert "llama" in info.description
    assert "kv_unified" in info.automatic
    assert "kv_cells" not in info.automatic


def test_without_gpus_nothing_is_offloaded(load):
    info = load().info(0)
    assert info.devices == (*gpu_names(), "CPU")
    assert info.n_gpu_layers == (info.num_layers + 1 if gpu_names() else 0)


def test_experts_stay_in_main_memory(load, log, tmp_path):
    path = write_moe(tmp_path / "moe.gguf")
    plain = answer(load(path))
    assert "overridden" not in "".join(log)
    layers = load(path).info(0).num_layers
    for count, expected in ((1, 1), (2, 2), (-1, layers)):
        log.clear()
        assert answer(load(path, cpu_moe_layers=count)) == plain
        names = re.findall(r"tensor (\S+) .*overridden", "".join(log))
        assert {name.split(".")[1] for name in names} == {str(layer) for layer in range(expected)}
        assert {name.split(".")[2] for name in names} == {"ffn_up_exps", "ffn_gate_exps", "ffn_down_exps"}


def test_an_adapter_changes_the_answer_by_its_scale(load, tmp_path):
    path = str(write_lora(tmp_path / "lora.gguf"))
    plain = answer(load())
    assert answer(load(loras=((path, 0.0),))) == plain
    once = answer(load(loras=((path, 2.0),)))
    assert once != plain
    assert answer(load(loras=((path, 1.0), (path, 1.0)))) == once
    assert answer(load(loras=((path, 2.0), (path, -2.0)))) == plain


def test_an_adapter_that_does_not_fit_is_a_load_error(load, tmp_path):
    path = str(write_lora(tmp_path / "lora.gguf", "qwen3"))
    with pytest.raises(ModelLoadError, match=r"could not load the adapter .*lora\.gguf"):
        load(loras=((path, 1.0),))


def test_a_model_in_parts_is_loaded_whole(load, tmp_path):
    paths = write_split_demo(tmp_path)
    assert answer(load(paths[0])) == answer(load())
    paths[1].unlink()
    with pytest.raises(ModelLoadError, match="could not load"):
        load(paths[0])


def test_an_architecture_that_mixes_up_sequences_runs_with_one_and_the_log_says_so(monkeypatch, capfd):
    monkeypatch.setitem(architectures.ONE_SEQUENCE, "llama", "it mixes them up")
    core, info = worker._load(EngineConfig(str(DEMO), n_ctx=512, n_seq_max=3), wake=lambda: None)
    native_log.install(quiet=True)
    assert (info.n_seq_max, info.sequence_limit) == (1, "it mixes them up")
    assert "W one sequence at a time instead of 3: it mixes them up" in capfd.readouterr().err
    assert not core.has_work
