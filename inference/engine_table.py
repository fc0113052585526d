"""What a loaded engine runs with, as a table for the admin."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from inference.engine.messages import EngineInfo, EngineStats
from registry.formatting import human_bytes

Text = str | Promise

SPECULATION = {"off": _("off"), "lookup": _("from the text so far"), "draft": _("with the draft model")}


@dataclass(frozen=True)
class Row:
    """One line; is_automatic: nobody has set the value."""

    label: Text
    value: Text
    is_automatic: bool = False


def render_engine(info: EngineInfo, stats: EngineStats) -> str:
    """Return the table as HTML."""
    return render_to_string("inference/engine_table.html", {"rows": engine_rows(info, stats)})


def engine_rows(info: EngineInfo, stats: EngineStats) -> list[Row]:
    """Return the lines; those of the KV cache and of speculation are left out where there is none."""
    chat_rows = _chat_rows(info, stats) if info.kind == "chat" else ()
    return [*_memory_rows(info), *chat_rows, *_speed_rows(info), *_other_rows(info)]


def _memory_rows(info: EngineInfo) -> Iterator[Row]:
    yield Row(_("model in memory"), human_bytes(info.model_bytes))
    yield Row(_("map the file"), _("yes") if info.use_mmap else _("no"), "use_mmap" in info.automatic)
    yield Row(_("kind of memory"), info.memory_kind)
    if info.memory_kind != "none":
        yield Row(_("KV types of K and V"), f"{info.kv_type_k}, {info.kv_type_v}")
    yield Row(_("flash attention"), info.flash_attention, "flash_attention" in info.automatic)


def _chat_rows(info: EngineInfo, stats: EngineStats) -> Iterator[Row]:
    yield Row(_("parallel requests"), _limited(info))
    if info.memory_kind != "none":
        yield from _kv_rows(info, stats)


def _kv_rows(info: EngineInfo, stats: EngineStats) -> Iterator[Row]:
    layout = _("unified") if info.kv_unified else _("partitioned")
    yield Row(_("KV layout"), layout, "kv_unified" in info.automatic)
    yield Row(_("KV cells"), str(info.kv_cells), "kv_cells" in info.automatic)
    if info.kv_bytes is not None:
        yield Row(_("KV cache, about"), human_bytes(info.kv_bytes))
    yield Row(_("host cache"), human_bytes(info.host_cache_bytes), "host_cache_bytes" in info.automatic)
    if info.kv_disk_directory:
        kept = {"count": stats.stored, "size": human_bytes(stats.stored_bytes), "folder": info.kv_disk_directory}
        yield Row(_("conversations on disk"), _("%(count)d, %(size)s in %(folder)s") % kept)
    yield Row(_("speculation"), SPECULATION[info.speculation])


def _limited(info: EngineInfo) -> Text:
    return f"{info.n_seq_max} ({info.sequence_limit})" if info.sequence_limit else str(info.n_seq_max)


def _speed_rows(info: EngineInfo) -> Iterator[Row]:
    yield Row(_("threads"), str(info.n_threads), "n_threads" in info.automatic)
    yield Row(_("prompt threads"), str(info.n_threads_batch), "n_threads_batch" in info.automatic)
    yield Row(_("batch size"), str(info.n_batch), "n_batch" in info.automatic)
    yield Row(_("physical batch size"), str(info.n_ubatch), "n_ubatch" in info.automatic)


def _other_rows(info: EngineInfo) -> Iterator[Row]:
    layers = {"count": info.n_gpu_layers, "layers": info.num_layers + 1}
    offloaded = _("%(count)d of %(layers)d") % layers
    yield Row(_("layers on the GPU"), offloaded, "n_gpu_layers" in info.automatic)
    yield Row(_("devices"), ", ".join(info.devices))
    for path, scale in info.loras:
        yield Row(_("adapter"), f"{path} × {scale:g}")
