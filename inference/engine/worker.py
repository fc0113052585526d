"""The worker process: one loaded model behind a pipe.

Started as `python -m inference.engine.worker`. Its standard input carries an EngineConfig, then the `Request` messages
of `messages.py`; its standard output carries LoadProgress, then Ready or LoadFailed, then StepOutputs. Standard error
is llama.cpp's log. When standard input ends, the web process is gone, and so goes the worker. A CloseRequest before
that leaves a worker that keeps conversations on disk a few seconds to write them.
"""

import gc
import math
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from inference.engine.config import EngineConfig
from inference.engine.core import EngineCore
from inference.engine.diffuser import Diffuser
from inference.engine.disk_tier import new_disk_tier
from inference.engine.embedder import Embedder
from inference.engine.engine import Engine
from inference.engine.framing import pack, read_message
from inference.engine.messages import (
    AbortRequest,
    CloseRequest,
    DetokenizeRequest,
    EngineInfo,
    EngineStats,
    LoadFailed,
    LoadProgress,
    Output,
    Ready,
    StepOutputs,
    TokenizeRequest,
)
from inference.engine.spinning import Spinning, new_spinning
from inference.engine.token_requests import answer_token_request

if TYPE_CHECKING:
    from inference.engine.llama import Llama

WAKE = object()
SIGN_OF_LIFE = 1.0  # seconds
PREPARE_AFTER = 1.0  # seconds; the request for which the model was loaded does not share the cores with it
STORE_SECONDS = 3.0  # for writing conversations when the engine is closed
CLOSE_SECONDS = 4.0  # for all of the end, with the step that is being computed; the web process waits for 5
PROGRESS_INTERVAL = 0.1  # seconds


def main() -> None:
    """Serve one engine until standard input ends."""
    # Ctrl-C in a terminal reaches the whole process group; the web process decides when its workers stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    inbox, outbox = sys.stdin.buffer, claim_stdout()
    config: EngineConfig = read_message(inbox)
    messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
    try:
        core, info = _load(config, wake=lambda: messages.put(WAKE), on_progress=ProgressReport(outbox).report)
    except Exception as error:
        send(outbox, LoadFailed(str(error)))
        sys.exit(1)
    gc.freeze()  # what is loaded stays; looking through it would take as long as half a step
    send(outbox, Ready(info))
    send(outbox, StepOutputs((), core.stats))
    preparation = threading.Timer(PREPARE_AFTER, core.vocabulary.prepare)
    preparation.daemon = True
    preparation.start()
    grace = CLOSE_SECONDS if config.kv_disk_directory else 0.0
    threading.Thread(target=_read_all, args=(inbox, messages, grace), daemon=True).start()
    code = 1
    try:
        serve(core, messages, outbox, new_spinning())
        core.close(STORE_SECONDS)
        code = 0
    except BaseException:
        traceback.print_exc()
    os._exit(code)  # not sys.exit: the interpreter would abort over the thread that reads standard input


def serve(core: Engine, messages: "queue.SimpleQueue[Any]", outbox: BinaryIO, spinning: Spinning) -> None:
    """Step while there is work; rest and block on the inbox when there is none. Ends on a CloseRequest.

    A WAKE message only says that there may be work again. What is sent is what is new: outputs, or other lengths of the
    queues or number of conversations on disk. After a second without news, a step is a sign of life.
    spinning: is told of work and rest.
    """
    sent, sent_at = core.stats, time.monotonic()
    while True:
        outputs: list[Output | None] = []
        for message in _pending(messages, 0.0 if core.has_work else core.rest_seconds):
            if isinstance(message, CloseRequest):
                return
            outputs.append(_handle(core, message))
        if core.has_work:
            outputs += core.step()
            spinning.worked()
        else:
            core.rest()
            spinning.rested()
        finished = tuple(output for output in outputs if output)
        stats = core.stats
        is_overdue = time.monotonic() - sent_at >= SIGN_OF_LIFE
        if finished or is_overdue or _news(stats) != _news(sent):
            sent, sent_at = stats, time.monotonic()
            send(outbox, StepOutputs(finished, stats))


def _news(stats: EngineStats) -> tuple[int, ...]:
    return stats.waiting, stats.running, stats.stored


def _handle(core: Engine, message: Any) -> Output | None:
    if message is WAKE:
        return None
    if isinstance(message, AbortRequest):
        return core.abort_request(message.id)
    if isinstance(message, (TokenizeRequest, DetokenizeRequest)):
        return answer_token_request(core.vocabulary, message)
    return core.add_request(message)


def _pending(messages: "queue.SimpleQueue[Any]", seconds: float | None) -> Iterator[Any]:
    """Yield what has arrived; wait so long for the first message, for ever if it is None."""
    try:
        yield messages.get(timeout=seconds)
        while True:
            yield messages.get_nowait()
    except queue.Empty:
        return


class ProgressReport:
    """Sends how much of a model is loaded: fractions that only grow, at most one in `PROGRESS_INTERVAL`."""

    def __init__(self, outbox: BinaryIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._outbox = outbox
        self._clock = clock
        self._sent = 0.0
        self._sent_at = -math.inf

    def report(self, fraction: float) -> None:
        now = self._clock()
        if fraction > self._sent and now >= self._sent_at + PROGRESS_INTERVAL:
            self._sent, self._sent_at = fraction, now
            send(self._outbox, LoadProgress(fraction))


def _load(
    config: EngineConfig, wake: Callable[[], None], on_progress: Callable[[float], None] = lambda fraction: None
) -> tuple[Engine, EngineInfo]:
    from inference.engine import native_log
    from inference.engine.llama_kinds import new_llama
    from inference.engine.loading import load_model
    from inference.engine.memory_meter import MemoryMeter

    meter = MemoryMeter()
    native_log.install(listener=meter.log.feed)
    started = time.monotonic()
    llama = new_llama(config, wake, partial(load_model, on_progress=on_progress))
    if llama.plan.sequence_limit:
        native_log.warn(f"one sequence at a time instead of {config.n_seq_max}: {llama.plan.sequence_limit}")
    if llama.plan.model.memory in ("recurrent", "hybrid") and config.speculation != "off":
        native_log.warn(f"no speculative decoding: the state of a {llama.plan.model.memory} model cannot be taken back")
    engine = _new_engine(llama, wake)
    native_log.install()
    return engine, meter.measured(llama.info(time.monotonic() - started), config.model_path)


def _new_engine(llama: "Llama", wake: Callable[[], None]) -> Engine:
    from inference.engine import native_log
    from inference.engine.diffusion_llama import DiffusionLlama
    from inference.engine.pooling_llama import PoolingLlama
    from inference.engine.speculator import new_speculator

    if isinstance(llama, PoolingLlama):
        return Embedder(llama.config, llama)
    if isinstance(llama, DiffusionLlama):
        if not llama.names_mask:
            spelling = llama.vocabulary.spelling(llama.mask_token).decode(errors="replace")
            native_log.warn(f"the file names no mask token; {spelling!r} is taken, answers may make no sense")
        return Diffuser(llama.config, llama)
    speculator = new_speculator(llama.config, llama)
    disk = new_disk_tier(llama.config, llama.fingerprint, native_log.warn, wake)
    return EngineCore(llama.config, llama, speculator, disk=disk)


def _read_all(inbox: BinaryIO, messages: "queue.SimpleQueue[Any]", grace: float) -> None:
    """Pass messages on until the pipe ends, and the process with it, after a CloseRequest within `grace` seconds."""
    message = None
    try:
        for message in _until_eof(inbox):
            messages.put(message)
        if isinstance(message, CloseRequest):
            time.sleep(grace)
    finally:
        # Nobody is left to answer. The main thread may be minutes deep in native code: do not wait for it.
        os._exit(0)


def _until_eof(inbox: BinaryIO) -> Iterable[Any]:
    while True:
        try:
            yield read_message(inbox)
        except EOFError:
            return


def claim_stdout() -> BinaryIO:
    """Keep standard output for messages; what native code prints goes to standard error instead."""
    outbox = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return outbox


def send(outbox: BinaryIO, message: Any) -> None:
    outbox.write(pack(message))
    outbox.flush()


if __name__ == "__main__":
    main()
