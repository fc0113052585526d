"""What models take, from loading them without their weights."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from inference.engine import estimate, framing, native_log
from inference.engine.config import EngineConfig
from inference.engine.context_plan import ContextPlan, ModelFacts
from inference.engine.footprint import Footprint, Memory
from inference.engine.loading import ModelLoadError
from inference.engine.machine import anonymous_memory
from inference.engine.messages import LoadFailed
from inference.engine.size_log import MissingSize, SizeLog
from tests import pooling_models, tiny_models
from tests.adapted_models import write_lora
from tests.live_server import DEMO, ROOT

CONFIG = EngineConfig(str(DEMO), n_ctx=512, n_seq_max=2, host_cache_bytes=0)
COMMAND = [sys.executable, "-m", "inference.engine.estimate"]


@pytest.fixture(autouse=True)
def _quiet_afterwards():
    yield
    native_log.install(quiet=True)


@pytest.mark.parametrize("kind", tiny_models.KINDS)
def test_every_kind_of_memory_has_its_parts(tiny_model, kind):
    footprint = estimate.estimate(replace(CONFIG, model_path=str(tiny_model(kind))))
    parts = (footprint.weights, footprint.kv_cache, footprint.compute)
    assert all(part.host > 0 for part in parts), parts
    assert footprint.host_bytes == footprint.process + sum(part.host for part in parts)
    assert footprint.device_bytes == ()


def test_the_cache_grows_with_context_and_sequences():
    small = estimate.estimate(CONFIG).kv_cache.host
    assert estimate.estimate(replace(CONFIG, n_ctx=2048)).kv_cache.host == 4 * small
    assert estimate.estimate(replace(CONFIG, n_seq_max=6)).kv_cache.host == 3 * small
    assert estimate.estimate(replace(CONFIG, kv_type_k="f32")).kv_cache.host == pytest.approx(1.5 * small)


def test_models_that_embed_may_have_no_cache(tmp_path):
    config = replace(CONFIG, model_path=str(pooling_models.write_bert(tmp_path / "bert.gguf")), kind="embedding")
    footprint = estimate.estimate(config)
    assert footprint.kv_cache == Memory()
    assert footprint.compute.host > 0
    causal = pooling_models.write_causal_embedder(tmp_path / "causal.gguf")
    assert estimate.estimate(replace(config, model_path=str(causal))).kv_cache.host > 0


def test_a_diffusion_model_has_logits_of_a_whole_text_and_no_cache(tiny_model):
    config = replace(CONFIG, model_path=str(tiny_model("diffusion")))
    footprint = estimate.estimate(config)
    assert footprint.kv_cache == Memory()
    added = estimate.estimate(replace(config, n_ctx=1024)).compute.host - footprint.compute.host
    assert added > 512 * 1024 * 4 * 2  # in what llama.cpp computes with, and in what it leaves


def test_a_draft_model_and_adapters_count(tmp_path):
    plain = estimate.estimate(CONFIG)
    path = str(write_lora(tmp_path / "lora.gguf"))
    more = estimate.estimate(
        replace(CONFIG, speculation="draft", draft_model_path=str(DEMO), loras=((path, 1.0), (path, 0.5)))
    )
    assert more.draft.host > plain.weights.host + plain.kv_cache.host
    assert more.adapters.host > 0
    assert (plain.draft, plain.adapters) == (Memory(), Memory())


def test_the_host_cache_is_listed_apart():
    footprint = estimate.estimate(replace(CONFIG, host_cache_bytes=1000))
    assert footprint.most_host_bytes == footprint.host_bytes + 1000
    assert estimate.estimate(replace(CONFIG, host_cache_bytes=None)).host_cache_bytes > 0


def test_logits_are_those_of_what_generates():
    planned = replace(CONFIG, num_slots=8, n_seq_max=4, draft_max=5)
    assert estimate.num_outputs(planned) == 8
    assert estimate.num_outputs(replace(planned, speculation="lookup")) == 24


def test_scores_are_converted_where_a_cpu_computes_them():
    config = replace(CONFIG, n_ubatch=256, kv_cells=1024, num_slots=2, kv_unified=False, flash_attention="off")
    plan = ContextPlan(config, ModelFacts(num_heads=4), frozenset(), "", None, 0, ())
    assert estimate.converted_scores(plan) == 256 * 512 * 4 * 2
    assert estimate.converted_scores(replace(plan, config=replace(config, kv_unified=True))) == 256 * 1024 * 4 * 2
    for changed in ({"flash_attention": "auto"}, {"kv_type_v": "f32"}, {"kind": "embedding"}):
        assert estimate.converted_scores(replace(plan, config=replace(config, **changed))) == 0
    assert estimate.converted_scores(replace(plan, model=ModelFacts(num_heads=4, memory="recurrent"))) == 0


def test_what_loading_refuses_is_refused(tmp_path):
    with pytest.raises(ModelLoadError, match="needs flash attention"):
        estimate.estimate(replace(CONFIG, kv_type_v="q8_0", flash_attention="off"))
    with pytest.raises(ModelLoadError, match="could not load"):
        estimate.estimate(replace(CONFIG, model_path=str(tmp_path / "nothing.gguf")))
    with pytest.raises(ModelLoadError, match=r"could not load the adapter"):
        estimate.estimate(replace(CONFIG, loras=((str(write_lora(tmp_path / "lora.gguf", "qwen3")), 1.0),)))


def test_a_size_that_is_not_in_the_log_is_an_error(monkeypatch):
    monkeypatch.setattr("inference.engine.estimate.SizeLog", SilentLog)
    with pytest.raises(MissingSize):
        estimate.estimate(CONFIG)


class SilentLog(SizeLog):
    """A log that a newer llama.cpp writes in another way."""

    def feed(self, text: str) -> None:
        super().feed(text.replace("size", "bytes"))


def test_the_process_answers_and_ends():
    answer = run(framing.pack(CONFIG))
    assert isinstance(answer, Footprint)
    assert 10 * 2**20 < answer.process < 200 * 2**20
    assert isinstance(run(framing.pack(replace(CONFIG, model_path="/nothing.gguf"))), LoadFailed)


def run(frame: bytes) -> object:
    with subprocess.Popen(COMMAND, cwd=ROOT, stdin=-1, stdout=-1, stderr=subprocess.DEVNULL) as process:
        process.stdin.write(frame)
        process.stdin.flush()
        return framing.read_message(process.stdout)


def test_it_ends_when_nobody_waits_any_more():
    reading, writing = os.pipe()
    with subprocess.Popen(COMMAND, cwd=ROOT, stdin=reading, stdout=-1, stderr=subprocess.DEVNULL) as process:
        os.close(reading)
        os.write(writing, framing.pack(CONFIG))
        os.close(writing)
        assert process.wait(60) in (0, 1)  # the answer may have come first


def test_the_memory_of_a_process_is_what_it_has_touched():
    before = anonymous_memory(os.getpid())
    held = bytearray(b"x" * 2**25)
    assert anonymous_memory(os.getpid()) - before > 2**24
    assert len(held) == 2**25
    assert anonymous_memory(2**22 + 1) is None


def test_where_there_is_no_proc_the_highest_mark_counts(monkeypatch):
    monkeypatch.setattr("inference.engine.estimate.anonymous_memory", lambda pid: None)
    on_linux = estimate._own_memory()
    assert on_linux > 10 * 2**20
    monkeypatch.setattr("inference.engine.estimate.sys.platform", "darwin")
    assert estimate._own_memory() < on_linux
