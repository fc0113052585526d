"""What a loaded engine runs with, as the admin shows it."""

from dataclasses import replace

from inference.engine.messages import EngineInfo, EngineStats
from inference.engine_table import engine_rows, render_engine

INFO = EngineInfo(
    n_ctx=512, n_seq_max=4, n_threads=2, n_gpu_layers=3, description="", system_info="", load_seconds=1, num_layers=9,
    n_threads_batch=8, n_batch=512, n_ubatch=256, kv_cells=2048, kv_bytes=3 * 2**20, model_bytes=2**30,
    host_cache_bytes=2**30, devices=("GPU", "CPU"), loras=(("/a.gguf", 0.5),), speculation="lookup",
    automatic=frozenset({"n_threads", "kv_unified"}),
)  # fmt: skip
STATS = EngineStats(stored=7, stored_bytes=2**30)


def values(info: EngineInfo) -> dict[str, str]:
    return {str(row.label): str(row.value) for row in engine_rows(info, STATS)}


def test_every_value_has_a_line():
    rows = values(INFO)
    assert (rows["model in memory"], rows["KV cache, about"], rows["host cache"]) == ("1.0 GiB", "3.0 MiB", "1.0 GiB")
    assert rows["map the file"] == "yes"
    assert (rows["KV layout"], rows["KV cells"], rows["KV types of K and V"]) == ("partitioned", "2048", "f16, f16")
    assert (rows["threads"], rows["prompt threads"]) == ("2", "8")
    assert (rows["layers on the GPU"], rows["devices"], rows["adapter"]) == ("3 of 10", "GPU, CPU", "/a.gguf × 0.5")


def test_what_nobody_has_set_is_marked():
    assert [str(row.label) for row in engine_rows(INFO, STATS) if row.is_automatic] == ["KV layout", "threads"]
    assert render_engine(INFO, STATS).count("automatically") == 2


def test_weights_of_its_own_are_told():
    assert values(replace(INFO, use_mmap=False))["map the file"] == "no"


def test_where_conversations_are_kept_is_told_if_they_are():
    assert "conversations on disk" not in values(INFO)
    rows = values(replace(INFO, kv_disk_directory="/kv"))
    assert rows["conversations on disk"] == "7, 1.0 GiB in /kv"


def test_the_reason_for_fewer_requests_is_told():
    assert values(replace(INFO, n_seq_max=1, sequence_limit="why"))["parallel requests"] == "1 (why)"


def test_what_is_not_known_is_left_out():
    assert "KV cache, about" not in values(replace(INFO, kv_bytes=None))


def test_a_model_that_writes_nothing_has_no_lines_about_it():
    rows = values(replace(INFO, kind="embedding"))
    assert "KV layout" not in rows
    assert "speculation" not in rows
    assert rows["threads"] == "2"


def test_a_model_that_keeps_nothing_has_no_lines_about_it():
    rows = values(replace(INFO, memory_kind="none"))
    assert rows["parallel requests"] == "4"
    assert not rows.keys() & {"KV layout", "KV cells", "KV types of K and V", "host cache", "speculation"}


def test_paths_are_escaped():
    assert "&lt;b&gt;" in render_engine(replace(INFO, loras=(("<b>", 1.0),)), STATS)
