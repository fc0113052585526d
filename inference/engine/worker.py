"""The worker process: one loaded model behind a pipe.

Started as `python -m inference.engine.worker`. Its standard input carries an EngineConfig, then the `Request` messages
of `messages.py`; its standard output carries LoadProgress, then Ready or LoadFailed, then StepOutputs. Standard error
is llama.cpp's log. When standard input ends, the web process is gone, and so goes the worker.
"""

import math
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, BinaryIO, Protocol

from inference.engine.config import EngineConfig
from inference.engine.core import EngineCore
from inference.engine.embedder import Embedder
from inference.engine.framing import pack, read_message
from inference.engine.messages import (
    AbortRequest,
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
from inference.engine.token_requests import VocabularyBackend, answer_token_request

WAKE = object()
PROGRESS_INTERVAL = 0.1  # seconds


class Engine(Protocol):
    """What the worker drives: EngineCore for chat models, Embedder for embedding and rerank models."""

    vocabulary: VocabularyBackend

    @property
    def has_work(self) -> bool: ...

    @property
    def stats(self) -> EngineStats: ...

    def add_request(self, request: Any) -> Output | None: ...

    def abort_request(self, request_id: str) -> Output | None: ...

    def step(self) -> list[Output]: ...


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
    send(outbox, Ready(info))
    threading.Thread(target=_read_all, args=(inbox, messages), daemon=True).start()
    serve(core, messages, outbox)


def serve(core: Engine, messages: "queue.SimpleQueue[Any]", outbox: BinaryIO) -> None:
    """Step while there is work; block on the inbox when there is none. Ends on a None message.

    A WAKE message only says that there may be work again. What is sent is what is new: outputs, or other lengths of the
    queues.
    """
    sent = core.stats
    while True:
        outputs: list[Output | None] = []
        for message in _pending(messages, block=not core.has_work):
            if message is None:
                return
            outputs.append(_handle(core, message))
        if core.has_work:
            outputs += core.step()
        finished = tuple(output for output in outputs if output)
        stats = core.stats
        if finished or (stats.waiting, stats.running) != (sent.waiting, sent.running):
            sent = stats
            send(outbox, StepOutputs(finished, stats))


def _handle(core: Engine, message: Any) -> Output | None:
    if message is WAKE:
        return None
    if isinstance(message, AbortRequest):
        return core.abort_request(message.id)
    if isinstance(message, (TokenizeRequest, DetokenizeRequest)):
        return answer_token_request(core.vocabulary, message)
    return core.add_request(message)


def _pending(messages: "queue.SimpleQueue[Any]", block: bool) -> Iterator[Any]:
    """Yield what has arrived; with `block`, wait for the first message."""
    if block:
        yield messages.get()
    while True:
        try:
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
    from inference.engine.llama import Llama
    from inference.engine.loading import load_model
    from inference.engine.memory_meter import MemoryMeter
    from inference.engine.pooling_llama import PoolingLlama
    from inference.engine.speculator import new_speculator

    meter = MemoryMeter()
    native_log.install(listener=meter.log.feed)
    started = time.monotonic()
    is_chat = config.kind == "chat"
    load = partial(load_model, on_progress=on_progress)
    llama = Llama(config, on_compiled=wake, load=load) if is_chat else PoolingLlama(config, load=load)
    if llama.plan.sequence_limit:
        native_log.warn(f"one sequence at a time instead of {config.n_seq_max}: {llama.plan.sequence_limit}")
    if llama.config.speculation != config.speculation:
        native_log.warn(f"no speculative decoding: the state of a {llama.plan.model.memory} model cannot be taken back")
    engine = (
        EngineCore(llama.config, llama, new_speculator(llama.config, llama))
        if is_chat
        else Embedder(llama.config, llama)
    )
    native_log.install()
    return engine, meter.measured(llama.info(time.monotonic() - started), config.model_path)


def _read_all(inbox: BinaryIO, messages: "queue.SimpleQueue[Any]") -> None:
    try:
        for message in _until_eof(inbox):
            messages.put(message)
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
