"""The record of a request, and what generations add to it."""

import pytest

from inference.engine.messages import Embeddings, Failure, FailureCode, Output, Start, Usage
from inference.generation import Generation
from usage.record import CLIENT_GONE, RequestRecord, current_record, note_error, recorded


@pytest.fixture
def record():
    with recorded(RequestRecord("r", "POST", "/v1/chat/completions")) as record:
        yield record


def token(text: str = "a", **values: object) -> Output:
    return Output("r", text, num_tokens=1, **values)


def end(count: int = 1) -> Output:
    return Output("r", "!", "stop", usage=Usage(7, count, 0), num_tokens=1)


async def test_a_generation_fills_it_in(record):
    stream = Generation("r")
    stream.put(token(start=Start(7, 3, 0.0)))
    stream.put(end())
    assert (record.prompt_tokens, record.cached_tokens, record.completion_tokens) == (7, 3, 2)
    assert record.finish_reason == "stop"
    assert 0 < record.queue_seconds <= record.first_token_seconds
    assert record.num_open == 0


async def test_further_choices_do_not_count_the_prompt_again(record):
    for number in range(3):
        Generation("r", counts_prompt=number == 0).put(token(start=Start(7, 3, 0.0)))
    assert (record.prompt_tokens, record.cached_tokens, record.completion_tokens) == (7, 3, 3)


async def test_the_wait_ends_where_the_engine_begins(record):
    record.started -= 10
    Generation("r").put(token(start=Start(7, 3, seconds=4)))
    assert record.queue_seconds == pytest.approx(6, abs=0.5)
    assert record.first_token_seconds == pytest.approx(10, abs=0.5)


async def test_the_tokens_of_embeddings_count(record):
    Generation("r").put(Output("r", value=Embeddings(b"", 1, 12)))
    assert (record.prompt_tokens, record.first_token, record.num_open) == (12, None, 0)


async def test_a_failure_has_no_finish_reason(record):
    Generation("r").put(Output("r", failure=Failure(FailureCode.WORKER_DIED, "it died")))
    assert (record.finish_reason, record.num_open) == ("", 0)


async def test_a_request_whose_client_leaves_is_aborted_and_keeps_what_was_done():
    with recorded(RequestRecord("r", "POST", "/v1/chat/completions")) as record:
        Generation("r").put(token(start=Start(7, 3, 0.0)))
    assert (record.status, record.finish_reason, record.completion_tokens) == (CLIENT_GONE, "abort", 1)
    assert not record.is_error


async def test_generations_of_no_request_are_noted_nowhere():
    stream = Generation("r")
    stream.put(end())
    assert [output.text async for output in stream] == ["!"]


def test_errors_are_noted(record):
    note_error("worker_died", "It died.")
    assert (record.error_code, record.error, record.is_error) == ("worker_died", "It died.", True)


def test_without_a_record_an_error_is_noted_nowhere():
    note_error("worker_died", "It died.")
    assert current_record.get() is None


def test_one_observer_that_fails_does_not_keep_the_others_from_knowing(caplog):
    told = []

    def fail(record: RequestRecord) -> None:
        raise RuntimeError

    with recorded(RequestRecord("r", "GET", "/v1/models")) as record:
        record.on_finish(fail)
        record.on_finish(told.append)
    assert told == [record]
    assert "the end of request r could not be noted" in caplog.text
