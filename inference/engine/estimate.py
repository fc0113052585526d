"""The process that finds out what a model would take of the memory, without loading it.

Started as `python -m inference.engine.estimate`. Its standard input carries an EngineConfig, its standard output a
Footprint or LoadFailed; standard error is llama.cpp's log. It ends when standard input does.
"""

import os
import signal
import sys
import threading
from typing import BinaryIO

from inference.engine import native_log
from inference.engine.config import EngineConfig
from inference.engine.context_plan import ContextPlan
from inference.engine.devices import gpu_ids
from inference.engine.diffusion_llama import DiffusionLlama
from inference.engine.draft_model import DraftModel
from inference.engine.footprint import Footprint, Memory
from inference.engine.framing import read_message
from inference.engine.llama import Llama
from inference.engine.llama_kinds import new_llama
from inference.engine.loading import create_context, simulate_model
from inference.engine.machine import anonymous_memory
from inference.engine.messages import LoadFailed
from inference.engine.output_rows import needs_every_row
from inference.engine.placement import by_device, place_weights
from inference.engine.size_log import MissingSize, SizeLog
from inference.engine.tensor_sizes import tensor_sizes
from inference.engine.worker import claim_stdout, send

FLOAT = 4  # bytes of a logit
HALF = 2  # bytes of a float16 or bfloat16; without flash attention V has no smaller type


def main() -> None:
    """Answer one configuration."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    inbox, outbox = sys.stdin.buffer, claim_stdout()
    config: EngineConfig = read_message(inbox)
    threading.Thread(target=_end_with, args=(inbox,), daemon=True).start()
    try:
        answer = estimate(config)
    except Exception as error:
        answer = LoadFailed(str(error))
    send(outbox, answer)
    # Models and contexts are not freed; the process ends.
    sys.stderr.flush()
    os._exit(0)


class SimulatedLlama(Llama):
    """A model without weights, in a context without cells.

    What a CPU computes in is reserved for the logits of every token of a batch, but takes no memory before it is
    written to, and only those of the tokens that generate are (and those of prompts whose log probabilities are asked
    for, as long as that lasts). A GPU has taken it all.
    """

    def _create_context(self, config: EngineConfig) -> int:
        computes_every_row = gpu_ids() or needs_every_row(self._model)
        return create_context(self._model, config, 0 if computes_every_row else num_outputs(config))


def num_outputs(config: EngineConfig) -> int:
    """Return how many rows of logits a step writes at most when all sequences generate."""
    rows = 1 if config.speculation == "off" else 1 + config.draft_max
    return max(config.num_slots, config.n_seq_max * rows)


def converted_scores(plan: ContextPlan) -> int:
    """Return the bytes into which a CPU copies attention scores to multiply them with V; llama.cpp logs them nowhere.

    Without flash attention every head has a float32 for each token of a batch and each cell of a sequence, and
    ggml_compute_forward_mul_mat (ggml/src/ggml-cpu/ggml-cpu.c) wants them in V's type.
    """
    config, model = plan.config, plan.model
    if config.kind != "chat" or config.flash_attention != "off" or config.kv_type_v == "f32" or gpu_ids():
        return 0
    has_scores = model.memory != "recurrent"
    cells = config.kv_cells if config.kv_unified else config.kv_cells // config.num_slots
    return config.n_ubatch * cells * model.num_heads * HALF if has_scores else 0


def whole_text_logits(llama: Llama) -> int:
    """Return the bytes of the logits that a diffusion model leaves of each token; llama.cpp asks for them late."""
    is_diffusion = isinstance(llama, DiffusionLlama)
    return llama.config.n_ctx * llama.vocabulary.size * FLOAT if is_diffusion else 0


def estimate(config: EngineConfig) -> Footprint:
    """Return what a configuration takes, by loading it without its weights and cells.

    Raises ModelLoadError as loading does, MissingSize if llama.cpp's log cannot be read. What the process takes is
    measured in this one, which must have done nothing else before.
    """
    log = SizeLog()
    native_log.install(listener=log.feed)
    llama = _simulated(config)
    draft_log, draft = _estimate_draft(llama)
    return Footprint(
        process=_own_memory() - log.allocated - draft_log.allocated,
        weights=_weights(llama.plan, log),
        kv_cache=_kv_cache(llama, log),
        compute=by_device(log.working_bytes(), gpu_ids())
        + Memory(converted_scores(llama.plan) + whole_text_logits(llama)),
        adapters=by_device(log.adapters, gpu_ids()),
        draft=draft,
        host_cache_bytes=llama.config.host_cache_bytes or 0,
    )


def _simulated(config: EngineConfig) -> Llama:
    return new_llama(config, lambda: None, simulate_model, chat=SimulatedLlama)


def _estimate_draft(llama: Llama) -> tuple[SizeLog, Memory]:
    log = SizeLog()
    if llama.config.speculation != "draft":
        return log, Memory()
    native_log.install(listener=log.feed)
    config = llama.config
    model = DraftModel.load(config.draft_model_path, config, llama.vocabulary, _simulated)
    caches, working = (by_device(sizes, gpu_ids()) for sizes in (log.cache_bytes(), log.working_bytes()))
    return log, _weights(model.plan, log) + caches + working + Memory(converted_scores(model.plan))


def _weights(plan: ContextPlan, log: SizeLog) -> Memory:
    """Return where the weights go. Raises MissingSize if there seem to be none."""
    if not plan.model.size_bytes:
        raise MissingSize(f"llama.cpp does not say how large the weights of {plan.config.model_path} are")
    gpus = gpu_ids()
    if not gpus:
        return Memory(plan.model.size_bytes)
    return place_weights(tensor_sizes(plan.config.model_path), log, gpus)


def _kv_cache(llama: Llama, log: SizeLog) -> Memory:
    return by_device(log.cache_bytes(), gpu_ids()) if llama.has_memory else Memory()


def _own_memory() -> int:
    num_bytes = anonymous_memory(os.getpid())
    if num_bytes is not None:
        return num_bytes
    import resource  # not on Windows, which is not supported anyway

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024  # bytes on macOS, KiB elsewhere


def _end_with(inbox: BinaryIO) -> None:
    """End the process when the other one closes the pipe, or is gone: nobody waits for the answer any more."""
    inbox.read()
    os._exit(1)


if __name__ == "__main__":
    main()
