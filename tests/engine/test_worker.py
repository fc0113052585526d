"""The worker's loop and the framing of its messages."""

import io
import queue

import pytest

from inference.engine import worker
from inference.engine.core import IDLE_SECONDS
from inference.engine.disk_store import DiskStore
from inference.engine.disk_tier import DiskTier
from inference.engine.framing import pack, read_message
from inference.engine.messages import (
    AbortRequest,
    CloseRequest,
    DetokenizeRequest,
    LoadProgress,
    StepOutputs,
    TokenizeRequest,
    Tokens,
)
from inference.engine.spinning import Spinning
from inference.engine.threads import available_cores, choose_threads
from tests.engine.executors import SameThread
from tests.engine.fake_llama import new_core, request, run


def serve(*messages: object, **settings: int) -> list[StepOutputs]:
    """Run the loop over these messages until there is no more work; return what it sent."""
    core, _ = new_core(**settings)
    outbox = io.BytesIO()
    worker.serve(core, EndsWhenIdle(core, messages), outbox, Spinning(crowd=None))
    outbox.seek(0)
    sent = []
    while True:
        try:
            sent.append(read_message(outbox))
        except EOFError:
            return sent


class EndsWhenIdle:
    """An inbox that says stop where the real one would wait for the next message."""

    def __init__(self, core, messages) -> None:
        self._core = core
        self._messages = list(messages)

    def get(self, timeout: float | None) -> object:
        if timeout == 0.0:
            return self.get_nowait()
        assert not self._core.has_work, "the loop must not block while there is work"
        return self._messages.pop(0) if self._messages else CloseRequest()

    def get_nowait(self) -> object:
        if not self._messages:
            raise queue.Empty
        return self._messages.pop(0)


def test_all_outputs_of_a_step_go_in_one_message():
    sent = serve(request("c", "p"), request("c", "q"))
    assert [[output.request_id for output in message.outputs] for message in sent] == [["p", "q"]] * 3
    assert sent[-1].stats.running == 0


def test_a_refused_request_is_answered():
    [message] = serve(request("", "p"))
    assert message.outputs[0].failure


def test_an_aborted_request_ends():
    [message] = serve(request("a", "p"), AbortRequest("p"))
    assert [output.finish_reason for output in message.outputs] == ["abort"]


def test_tokens_are_answered_at_once():
    [message] = serve(TokenizeRequest("p", "ab"), DetokenizeRequest("q", (97, 98)), DetokenizeRequest("r", (2**30,)))
    tokenized, text, refused = message.outputs
    assert tokenized.value == Tokens((97, 98), (b"a", b"b"))
    assert text.value == b"ab"
    assert refused.failure.param == "tokens"


def test_steps_without_output_send_nothing():
    sent = serve(request("x" * 10 + "e", "p"))
    assert len(sent) == 1


def test_steps_without_news_send_nothing():
    began, ended = serve(request("x" * 600 + "e", "p"), n_ctx=1000)
    assert (began.outputs, began.stats.running) == ((), 1)
    assert (ended.outputs[0].finish_reason, ended.stats.running) == ("stop", 0)


class Patient(EndsWhenIdle):
    """An inbox at which waiting takes the time it says."""

    def __init__(self, core, messages, now: list[float]) -> None:
        super().__init__(core, messages)
        self.waited: list[float | None] = []
        self._now = now

    def get(self, timeout: float | None) -> object:
        self.waited.append(timeout)
        if timeout is None:
            return super().get(timeout)
        self._now[0] += timeout
        raise queue.Empty


def test_an_idle_engine_with_something_to_store_rests_after_a_while(tmp_path):
    now = [0.0]
    disk = DiskTier(DiskStore(tmp_path, b"f" * 16, 10**9, pytest.fail), 1000, min_tokens=5, new_thread=SameThread)
    core, _ = new_core(disk=disk, clock=lambda: now[0])
    core.add_request(request("x" * 50 + "e"))
    run(core)
    now[0] = 1.0
    inbox, outbox = Patient(core, [worker.WAKE], now), io.BytesIO()
    worker.serve(core, inbox, outbox, Spinning(crowd=None))
    assert inbox.waited == [IDLE_SECONDS - 1, None, None]
    outbox.seek(0)
    assert read_message(outbox).stats.stored == 1


def test_progress_grows_and_is_told_ten_times_a_second():
    now, outbox = [0.0], io.BytesIO()
    progress = worker.ProgressReport(outbox, clock=lambda: now[0])
    for seconds, fraction in ((0, 0.0), (0.01, 0.1), (0.02, 0.2), (0.2, 0.3), (0.4, 0.25), (0.5, 0.4)):
        now[0] = seconds
        progress.report(fraction)
    outbox.seek(0)
    assert [read_message(outbox) for _ in range(3)] == [LoadProgress(0.1), LoadProgress(0.3), LoadProgress(0.4)]
    assert not outbox.read()


def test_messages_survive_the_pipe_in_order():
    stream = io.BytesIO(pack(request("a")) + pack(AbortRequest("b")))
    assert read_message(stream) == request("a")
    assert read_message(stream) == AbortRequest("b")


@pytest.mark.parametrize("cut", [0, 2, 6])
def test_a_cut_pipe_is_an_eof(cut):
    with pytest.raises(EOFError):
        read_message(io.BytesIO(pack(AbortRequest("b"))[:cut]))


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 2), (4, 4), (16, 8)])
def test_threads_leave_hyper_threads_alone(cores, threads):
    assert choose_threads(cores) == threads


def test_threads_default_to_this_machine():
    assert 1 <= choose_threads() <= available_cores()
