"""What is decided where a configuration leaves something open."""

from dataclasses import replace

import pytest

from inference.engine.config import EngineConfig
from inference.engine.context_plan import MachineFacts, ModelFacts, PlanError, plan_context

MODEL = ModelFacts("llama", num_layers=10, kv_layers=10, kv_heads=2, head_size_k=64, head_size_v=64)
MACHINE = MachineFacts(cores=16, memory_bytes=32 * 2**30)
GPUS = MachineFacts(cores=16, gpus=("first", "second"))
GIB = 2**30


def plan(model: ModelFacts = MODEL, machine: MachineFacts = MACHINE, **settings: object):
    return plan_context(EngineConfig("m.gguf", **{"n_ctx": 1024, **settings}), model, machine)


@pytest.mark.parametrize(
    ("settings", "unified", "cells"),
    [
        ({}, False, 4096),
        ({"n_ctx": 300}, False, 4 * 512),
        ({"kv_cells": 4096}, False, 4096),
        ({"kv_cells": 4000}, True, 4096),
        ({"kv_cells": 2000}, True, 2048),
        ({"kv_cells": 10}, True, 1024),
        ({"kv_cells": 9000}, False, 4096),
        ({"kv_unified": True}, True, 4096),
        ({"kv_unified": True, "kv_cells": 9000}, True, 9216),
        ({"kv_unified": False, "n_seq_max": 1}, False, 1024),
    ],
)
def test_the_cells_decide_the_layout(settings, unified, cells):
    config = plan(**settings).config
    assert (config.kv_unified, config.kv_cells) == (unified, cells)


def test_a_partition_is_never_smaller_than_the_context():
    with pytest.raises(PlanError, match="2000 KV cells are too few for a partitioned cache of 4 × 1024 tokens"):
        plan(kv_unified=False, kv_cells=2000)


@pytest.mark.parametrize("settings", [{"n_ctx": 2**30}, {"kv_unified": True, "kv_cells": 2**33}])
def test_more_cells_than_llama_cpp_can_address_are_refused(settings):
    with pytest.raises(PlanError, match=r"more than llama\.cpp can address"):
        plan(**settings)


def test_threads_are_chosen_from_the_cores():
    config = plan().config
    assert (config.n_threads, config.n_threads_batch) == (8, 16)
    config = plan(n_threads=3, n_threads_batch=5).config
    assert (config.n_threads, config.n_threads_batch) == (3, 5)


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({}, 256),
        ({"flash_attention": "on"}, 512),
        ({"n_ubatch": 64}, 64),
        ({"n_batch": 128}, 128),
        ({"n_batch": 64, "n_ubatch": 128}, 64),
    ],
)
def test_the_physical_batch_is_at_most_the_whole_one(settings, size):
    assert plan(**settings).config.n_ubatch == size


@pytest.mark.parametrize(
    ("memory", "settings", "size"),
    [
        (32 * GIB, {}, 4 * GIB),
        (256 * GIB, {}, 8 * GIB),
        (0, {}, 0),
        (32 * GIB, {"host_cache_bytes": 0}, 0),
        (GIB, {"host_cache_bytes": 5}, 5),
        (32 * GIB, {"kind": "embedding"}, 0),
    ],
)
def test_the_host_cache_is_an_eighth_of_the_memory(memory, settings, size):
    assert plan(machine=replace(MACHINE, memory_bytes=memory), **settings).config.host_cache_bytes == size


@pytest.mark.parametrize(
    ("machine", "settings", "maps"),
    [
        ({}, {}, True),
        ({"huge_pages": True}, {}, False),
        ({"huge_pages": True}, {"use_mmap": True}, True),
        ({}, {"use_mmap": False}, False),
        ({"huge_pages": True, "gpus": ("GPU",)}, {}, True),
        ({"huge_pages": True, "gpus": ("GPU",)}, {"n_gpu_layers": 0}, False),
        ({"huge_pages": True}, {"kind": "embedding"}, False),
    ],
)
def test_weights_are_copied_where_a_cpu_computes_and_huge_pages_make_it_faster(machine, settings, maps):
    assert plan(machine=replace(MACHINE, **machine), **settings).config.use_mmap is maps


def test_what_nobody_has_set_is_known():
    open_fields = {"kv_unified", "kv_cells", "n_ubatch", "n_threads", "n_threads_batch", "host_cache_bytes", "use_mmap"}
    assert plan().automatic == open_fields | {"n_gpu_layers", "flash_attention"}
    chosen = {"kv_unified": True, "kv_cells": 4096, "n_ubatch": 64, "n_threads": 1, "n_threads_batch": 1}
    others = {"host_cache_bytes": 0, "n_gpu_layers": 0, "flash_attention": "on", "use_mmap": True}
    assert not plan(**chosen, **others).automatic


def test_an_architecture_that_mixes_up_sequences_gets_one():
    planned = plan(replace(MODEL, architecture="plamo2"))
    assert (planned.config.n_seq_max, planned.config.kv_cells) == (1, 1024)
    assert "sequences" in planned.sequence_limit
    assert plan(replace(MODEL, architecture="plamo2"), n_seq_max=1).sequence_limit == ""
    assert plan(replace(MODEL, architecture="plamo2"), kind="embedding").config.n_seq_max == 4


def test_a_quantized_v_needs_flash_attention():
    with pytest.raises(PlanError, match="KV type of V q8_0 needs flash attention, which is off"):
        plan(kv_type_v="q8_0", flash_attention="off")
    assert plan(kv_type_k="q8_0", flash_attention="off").config.kv_type_k == "q8_0"
    assert plan(kv_type_v="q8_0").config.kv_type_v == "q8_0"


@pytest.mark.parametrize("name", ["k", "v"])
def test_a_block_must_fit_into_a_head(name):
    with pytest.raises(PlanError, match=f"KV type of {name.upper()} q4_0 needs heads of a multiple of 32 values"):
        plan(replace(MODEL, **{f"head_size_{name}": 80}), **{f"kv_type_{name}": "q4_0"})


def test_a_model_that_keeps_k_and_v_as_one_needs_one_type():
    shared = replace(MODEL, shares_kv=True, head_size_k=576, kv_heads=1)
    with pytest.raises(PlanError, match=r"KV types q8_0 and f16 must be equal"):
        plan(shared, kv_type_k="q8_0")
    assert plan(shared).kv_bytes == 4096 * 10 * 576 * 2


@pytest.mark.parametrize(
    ("model", "settings", "size"),
    [
        (MODEL, {}, 4096 * 10 * 2 * (64 + 64) * 2),
        (MODEL, {"kv_type_k": "q8_0", "kv_type_v": "q4_0"}, 4096 * 10 * 2 * 2 * (34 + 18)),
        (replace(MODEL, kv_layers=0), {}, 0),
        (replace(MODEL, kv_layers=None), {}, None),
        (MODEL, {"kind": "rerank"}, None),
    ],
)
def test_the_cache_is_measured(model, settings, size):
    assert plan(model, **settings).kv_bytes == size


@pytest.mark.parametrize(
    ("machine", "settings", "offloaded", "devices"),
    [
        (MACHINE, {}, 0, ("CPU",)),
        (GPUS, {}, 11, ("first", "second", "CPU")),
        (GPUS, {"n_gpu_layers": 4, "split_mode": "none", "main_gpu": 1}, 4, ("second", "CPU")),
        (GPUS, {"n_gpu_layers": 99, "tensor_split": (3, 1)}, 11, ("first", "second", "CPU")),
        (GPUS, {"n_gpu_layers": 0}, 0, ("CPU",)),
    ],
)
def test_layers_go_to_the_gpus_that_are_there(machine, settings, offloaded, devices):
    planned = plan(machine=machine, **settings)
    assert (planned.num_offloaded, planned.devices) == (offloaded, devices)


def test_gpus_that_are_not_there_are_refused_where_there_are_any():
    with pytest.raises(PlanError, match="main GPU 2 is not there: this machine's are numbered 0 to 1"):
        plan(machine=GPUS, main_gpu=2)
    with pytest.raises(PlanError, match="tensor split has 3 numbers for 2 GPUs"):
        plan(machine=GPUS, tensor_split=(1, 1, 1))
    plan(main_gpu=2, tensor_split=(1, 1, 1))


@pytest.mark.parametrize(
    ("settings", "chosen"),
    [
        ({}, "off"),
        ({"flash_attention": "on"}, "on"),
        ({"kv_type_v": "q8_0"}, "auto"),
        ({"kv_type_k": "q8_0"}, "off"),
        ({"n_ctx": 2**15}, "auto"),
        ({"kind": "embedding"}, "auto"),
    ],
)
def test_a_cpu_does_without_flash_attention_where_it_can(settings, chosen):
    model = replace(MODEL, num_heads=16)
    assert plan(model, **settings).config.flash_attention == chosen


def test_a_large_model_may_have_more_scores():
    model = replace(MODEL, num_heads=16, size_bytes=5 * GIB)
    assert plan(model, n_ctx=2**15).config.flash_attention == "off"


def test_gpus_use_flash_attention():
    assert plan(machine=GPUS).config.flash_attention == "auto"
    assert plan(machine=GPUS, n_gpu_layers=0).config.flash_attention == "off"


@pytest.mark.parametrize(
    ("memory", "expected"), [("attention", "lookup"), ("sliding window", "lookup"), ("hybrid", "off")]
)
def test_a_recurrent_state_cannot_be_taken_back(memory, expected):
    assert plan(replace(MODEL, memory=memory), speculation="lookup").config.speculation == expected


@pytest.mark.parametrize(
    ("settings", "machine", "size"), [({}, MACHINE, 1024), ({}, GPUS, 2048), ({"kind": "embedding"}, MACHINE, 512)]
)
def test_the_batch_size_is_chosen(settings, machine, size):
    assert plan(machine=machine, n_batch=None, **settings).config.n_batch == size


def test_a_batch_has_room_for_a_token_of_each_request():
    with pytest.raises(PlanError, match="batch size \\(n_batch\\) of 32 is too small for 33 parallel requests"):
        plan(n_batch=32, n_seq_max=33)
    assert plan(n_batch=32, n_seq_max=32).config.n_batch == 32


def test_a_model_that_computes_whole_texts_keeps_nothing_and_has_room_for_one():
    settings = {"n_ctx": 700, "n_batch": 64, "kv_type_v": "q8_0", "kv_disk_directory": "/kv", "speculation": "lookup"}
    result = plan(replace(MODEL, memory="none", kv_layers=0), **settings)
    config = result.config
    assert (config.n_batch, config.n_ubatch, config.kv_cells, config.n_seq_max, config.num_slots) == (
        700,
        700,
        700,
        4,
        1,
    )
    assert (config.host_cache_bytes, config.kv_disk_directory, config.speculation, result.kv_bytes) == (0, "", "off", 0)
    assert config.n_threads == 8
