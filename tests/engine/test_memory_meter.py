"""What loading took of the mapped file and of GPUs, which this machine may not have."""

import pytest

from inference.engine import devices, memory_meter
from inference.engine.engine_info import system_info
from inference.engine.memory_meter import MemoryMeter
from inference.engine.messages import EngineInfo
from inference.engine.size_log import MIB
from tests.live_server import DEMO

INFO = EngineInfo(512, 1, 1, 0, "tiny", system_info(), 0.1)
LINES = (
    "load_tensors:   CPU_Mapped model buffer size =   100.00 MiB",
    "load_tensors:   CPU_REPACK model buffer size =    30.00 MiB",
    "load_tensors:        CUDA0 model buffer size =    20.00 MiB",
)


@pytest.fixture
def free(monkeypatch):
    """The free memory of two GPUs; may be changed."""
    sizes = [1000, 2000]
    monkeypatch.setattr(memory_meter, "free_gpu_memory", lambda: tuple(sizes))
    return sizes


def test_what_was_copied_into_another_form_is_not_read_from_the_file_any_more():
    meter = MemoryMeter()
    for line in LINES:
        meter.log.feed(line)
    assert meter.measured(INFO, str(DEMO)).mapped_bytes == 70 * MIB


def test_an_embedding_that_was_copied_for_the_output_is_read_all_the_same():
    meter = MemoryMeter()
    embedding = "create_tensor: loading tensor token_embd.weight"
    for line in (*LINES, embedding, "repack: repack tensor token_embd.weight with q4_0_8x8"):
        meter.log.feed(line)
    assert meter.measured(INFO, str(DEMO)).mapped_bytes == 70 * MIB
    meter.log.feed(embedding)
    assert meter.measured(INFO, str(DEMO)).mapped_bytes > 70 * MIB


def test_gpus_have_less_than_before(free):
    meter = MemoryMeter()
    free[:] = [400, 2100]
    assert meter.measured(INFO, str(DEMO)).device_bytes == (600, 0)


def test_devices_tell_what_is_free_of_them():
    device = devices.function("ggml_backend_dev_get", devices.ctypes.c_void_p, devices.ctypes.c_size_t)(0)
    assert devices._free_memory(device) > 0
    assert len(devices.free_gpu_memory()) == len(devices.gpu_ids()) == len(devices.gpu_names())
