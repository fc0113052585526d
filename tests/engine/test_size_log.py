"""What is read from llama.cpp's log: that of the real one, and of one with GPUs."""

from collections import Counter

import pytest

from inference.engine import native_log
from inference.engine.config import EngineConfig
from inference.engine.footprint import Memory
from inference.engine.llama import Llama
from inference.engine.loading import simulate_model
from inference.engine.placement import by_device, place_weights
from inference.engine.size_log import MIB, MissingSize, SizeLog
from inference.engine.tensor_sizes import tensor_sizes
from tests import tiny_models
from tests.gguf_files import write_split_gguf
from tests.live_server import DEMO

GPU_LOG = """\
load_tensors: layer   0 assigned to device CPU, is_swa = 0
load_tensors: layer   1 assigned to device CUDA0, is_swa = 0
load_tensors: layer   2 assigned to device CUDA1, is_swa = 0
create_tensor: loading tensor token_embd.weight
create_tensor: loading tensor token_embd.weight
tensor blk.1.ffn_up_exps.weight (16 MiB q8_0) buffer type overridden to CPU
llama_context: constructing llama_context
llama_context:  CUDA_Host  output buffer size =     4.00 MiB
llama_kv_cache: layer   0: dev = CPU
llama_kv_cache: layer   1: dev = CUDA0
llama_kv_cache:        CPU KV buffer size =     0.00 MiB
llama_kv_cache:      CUDA0 KV buffer size =     0.00 MiB
llama_kv_cache: size =   32.00 MiB (  8192 cells,   2 layers,  1/1 seqs), K (f16):   16.00 MiB, V (f16):   16.00 MiB
llama_memory_recurrent, layer   2: dev = CUDA1
llama_memory_recurrent:      CUDA1 RS buffer size =     3.00 MiB
llama_memory_recurrent: size =    3.00 MiB (     1 cells,   1 layers,  1 seqs  0 rs_seq), R (f32):    1.00 MiB
llama_dsv4_comp_state: layer   0: dev = CPU
llama_dsv4_comp_state:        CPU DSV4 csa state buffer size =     2.00 MiB
llama_dsv4_comp_state: csa ratio = 4, state = 8 x 128, streams = 2, rs_seq = 0, layers = 1, size =    2.00 MiB
sched_reserve:      CUDA0 compute buffer size =    10.00 MiB
sched_reserve:      CUDA1 compute buffer size =    11.00 MiB
sched_reserve:  CUDA_Host compute buffer size =    12.00 MiB
sched_reserve:      CUDA0 compute buffer size =    13.00 MiB
llama_adapter_lora_init_impl:      CUDA0 LoRA buffer size =     0.50 MiB
print_info: file size   = 131.77 MiB (8.50 BPW)
load: token to piece cache size = 0.9338 MB
"""
GPUS = ("CUDA0", "CUDA1")
SIZES = {
    "token_embd.weight": 100,
    "blk.0.attn_q.weight": 10,
    "blk.1.attn_q.weight": 20,
    "blk.1.ffn_up_exps.weight": 50,
    "output_norm.weight": 1,
}


def read(text: str) -> SizeLog:
    log = SizeLog()
    for line in text.splitlines():
        log.feed(line)
    return log


@pytest.fixture
def logged():
    """Loads a model for real, or with `simulate_model`, and returns it with what it logged."""
    loaded = []

    def logged(path, *load, **settings) -> tuple[Llama, SizeLog]:
        log = SizeLog()
        native_log.install(quiet=True, listener=log.feed)
        llama = Llama(EngineConfig(str(path), n_ctx=512, n_seq_max=2, **settings), lambda: None, *load)
        loaded.append(llama)
        return llama, log

    yield logged
    for llama in loaded:
        llama.close()
    native_log.install(quiet=True)


def test_what_is_on_which_gpu_is_read():
    log = read(GPU_LOG)
    assert by_device(log.cache_bytes(), GPUS) == Memory(18 * MIB, (16 * MIB, 3 * MIB))
    assert by_device(log.working_bytes(), GPUS) == Memory(16 * MIB, (13 * MIB, 11 * MIB))
    assert by_device(log.adapters, GPUS) == Memory(0, (MIB // 2, 0))
    assert log.allocated == 5 * MIB + MIB // 2


def test_weights_lie_where_their_layers_are_computed():
    log = read(GPU_LOG)
    # The embedding is the output, too, whose layer is on the second GPU.
    assert place_weights(SIZES, log, GPUS) == Memory(100 + 10 + 50, (20, 1 + 100))
    log.tensors["token_embd.weight"] = 1
    assert place_weights(SIZES, log, GPUS) == Memory(100 + 10 + 50, (20, 1))
    assert place_weights(SIZES, SizeLog(), ()) == Memory(sum(SIZES.values()))


def test_a_new_context_replaces_the_one_before():
    log = read(GPU_LOG + "llama_context: constructing llama_context\n")
    with pytest.raises(MissingSize, match="KV cache"):
        log.cache_bytes()
    with pytest.raises(MissingSize, match="compute buffer"):
        log.working_bytes()


@pytest.mark.parametrize("kind", ["output", "compute"])
def test_a_log_in_other_words_is_an_error(kind):
    log = read(GPU_LOG.replace(f"{kind} buffer size", f"{kind} memory"))
    with pytest.raises(MissingSize, match=f"how large the {kind} buffer is"):
        log.working_bytes()


def test_a_simulated_load_logs_the_sizes_of_a_real_one(logged, tiny_model):
    for kind in tiny_models.KINDS:
        _, simulated = logged(tiny_model(kind), simulate_model)
        _, real = logged(tiny_model(kind))
        assert simulated.cache_bytes() == real.cache_bytes(), kind
        assert simulated.working_bytes() == real.working_bytes(), kind
        assert simulated.layers == real.layers != {}, kind
        assert simulated.tensors == real.tensors != Counter(), kind


def test_what_is_mapped_is_told_from_what_is_read(logged):
    llama, mapped = logged(DEMO, use_mmap=True)
    _, copied = logged(DEMO, use_mmap=False)
    size = llama.plan.model.size_bytes
    assert mapped.mapped_bytes() - mapped.repacked_bytes() == pytest.approx(size, abs=0.02 * MIB)
    assert copied.mapped_bytes() == 0
    assert copied.model_buffers.total() == pytest.approx(size, abs=0.02 * MIB)


def test_tensors_have_the_sizes_that_llama_cpp_adds_up(logged, tiny_model):
    for path in (DEMO, tiny_model("moe")):
        llama, log = logged(path, simulate_model)
        sizes = tensor_sizes(str(path))
        assert sum(sizes.values()) == llama.plan.model.size_bytes
        assert set(log.tensors) >= set(sizes)


def test_tensors_of_all_parts_are_found(tmp_path):
    paths = write_split_gguf(tmp_path)
    assert tensor_sizes(str(paths[0])) == {"blk.1.weight": 512, "blk.2.weight": 512}


def test_a_file_that_is_none_has_no_tensors(tmp_path):
    with pytest.raises(OSError, match="cannot be read"):
        tensor_sizes(str(tmp_path / "nothing.gguf"))


def test_parts_are_added_for_each_gpu():
    assert Memory(1, (2, 3)) + Memory(10) == Memory(10, ()) + Memory(1, (2, 3)) == Memory(11, (2, 3))
