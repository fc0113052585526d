"""The writer of the request log."""

import logging
import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connections

from access.models import APIKey
from tests.live_server import wait_until
from tests.usage.records import AT, finished
from usage import writer as writer_module
from usage.models import FIRST_TOKEN_BOUNDS, RequestLog, UsageHour
from usage.writer import LogWriter


@pytest.fixture
def failing(monkeypatch) -> list:
    """The errors that the database answers the next writes with."""
    errors: list[Exception] = []
    real = LogWriter._write

    def write(self, records):
        if errors:
            raise errors.pop(0)
        real(self, records)

    monkeypatch.setattr(LogWriter, "_write", write)
    return errors


def write(*records, **options) -> LogWriter:
    writer = LogWriter(**options)
    for record in records:
        writer.add(record)
    writer.write()
    return writer


def test_a_request_becomes_a_row(db):
    write(finished("a", streamed=True, reasoning_tokens=2))
    row = RequestLog.objects.get()
    assert (row.request_id, row.endpoint, row.model, row.at) == ("a", "/v1/chat/completions", "demo", AT)
    assert (row.prompt_tokens, row.cached_tokens, row.completion_tokens, row.reasoning_tokens) == (10, 4, 5, 2)
    assert (row.queue_ms, row.first_token_ms, row.total_ms) == (2, 40, 300)
    assert (row.status, row.finish_reason, row.streamed, row.key) == (200, "stop", True, None)


def test_requests_that_no_model_was_to_answer_are_left_out(db):
    write(finished(is_for_model=False))
    assert not RequestLog.objects.exists()
    assert not UsageHour.objects.exists()


def test_sums_by_the_hour_grow(db):
    write(finished(), finished(status=500, error_code="decode_failed", first_token=None))
    write(finished(first_token=500.0, ended=500.0), finished(at=AT + timedelta(hours=1)))
    first, second = UsageHour.objects.order_by("hour")
    assert (first.hour, first.requests, first.errors) == (AT.replace(minute=0), 3, 1)
    assert (first.prompt_tokens, first.cached_tokens, first.completion_tokens) == (30, 12, 15)
    assert first.total_ms == 300 + 300 + 400_000
    assert second.requests == 1
    counts = dict(zip([*FIRST_TOKEN_BOUNDS, None], first.first_token_counts, strict=True))
    assert {bound: count for bound, count in counts.items() if count} == {50: 1, None: 1}


def test_keys_have_sums_of_their_own(db):
    key, _ = APIKey.create("one")
    write(finished(key_id=key.pk, key_prefix=key.prefix), finished())
    assert {(hour.key, hour.key_prefix) for hour in UsageHour.objects.all()} == {(key, key.prefix), (None, "")}
    assert RequestLog.objects.get(key=key).key_prefix == key.prefix


def test_a_key_that_was_deleted_meanwhile_leaves_its_prefix(db):
    write(finished(key_id=4711, key_prefix="sk-12345678"))
    assert (RequestLog.objects.get().key, RequestLog.objects.get().key_prefix) == (None, "sk-12345678")


def test_names_that_no_model_has_are_summed_up_together(db):
    write(*(finished(model=f"guess-{number}", has_model=False, status=404) for number in range(3)))
    assert UsageHour.objects.get().requests == 3
    assert UsageHour.objects.get().model == ""
    assert RequestLog.objects.count() == 3


def test_what_no_database_takes_is_made_storable(db):
    write(finished(model="a\0b\ud800" + "c" * 500, error="e" * 1000, has_model=False))
    row = RequestLog.objects.get()
    assert row.model.startswith("ab?c")
    assert (len(row.model), len(row.error)) == (256, 512)


def test_without_the_log_only_sums_are_kept(db):
    write(finished(), keeps_rows=False)
    assert not RequestLog.objects.exists()
    assert UsageHour.objects.get().requests == 1


def test_what_the_database_refuses_for_now_is_written_later(db, failing, caplog):
    failing.append(OperationalError("database is locked"))
    writer = write(finished("a"), finished("b"))
    assert not RequestLog.objects.exists()
    assert "2 rows of the request log could not be written yet: database is locked" in caplog.text
    writer.add(finished("c"))
    assert writer.write()
    assert list(RequestLog.objects.order_by("pk").values_list("request_id", flat=True)) == ["a", "b", "c"]


def test_a_batch_that_can_never_be_written_does_not_hold_up_the_others(db, failing, caplog):
    failing.append(ValueError("a bug"))
    writer = write(finished("a"))
    writer.add(finished("b"))
    assert writer.write()
    assert RequestLog.objects.get().request_id == "b"
    assert "1 rows of the request log are lost" in caplog.text


def test_the_oldest_are_dropped_rather_than_growing_without_end(db, caplog):
    now = [0.0]
    writer = LogWriter(limit=2, clock=lambda: now[0])
    for number in range(5):
        writer.add(finished(str(number)))
    assert writer.num_dropped == 3
    assert caplog.messages == ["1 rows of the request log were dropped: the database takes them too slowly"]
    now[0] = writer_module.COMPLAINT
    writer.add(finished("5"))
    assert caplog.messages[-1].startswith("3 rows")
    writer.write()
    assert list(RequestLog.objects.order_by("pk").values_list("request_id", flat=True)) == ["4", "5"]


@pytest.mark.django_db(transaction=True)
def test_stopping_writes_what_is_left(monkeypatch):
    monkeypatch.setattr(writer_module, "INTERVAL", 60)
    writer = LogWriter()
    writer.start()
    writer.add(finished("a"))
    writer.stop()
    assert RequestLog.objects.get().request_id == "a"


@pytest.mark.django_db(transaction=True)
def test_stopping_tells_what_cannot_be_written(failing, caplog):
    failing += [OperationalError("gone")] * 3
    writer = LogWriter()
    writer.add(finished("a"))
    writer.start()
    writer.stop()
    assert "1 requests could not be written to the request log" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_two_writers_lose_nothing():
    def work() -> None:
        writer = LogWriter()
        for _ in range(20):
            writer.add(finished())
            writer.add(finished(model="other"))
            wait_until(writer.write)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hours = UsageHour.objects.order_by("model").values_list("model", "requests")
    assert list(hours) == [("demo", 40), ("other", 40)]
    assert sum(UsageHour.objects.get(model="demo").first_token_counts) == 40


def test_queries_do_not_grow_with_the_batch(db, django_assert_max_num_queries):
    key, _ = APIKey.create("one")
    writer = LogWriter()
    for number in range(100):
        writer.add(finished(str(number), key_id=key.pk, key_prefix=key.prefix))
    with django_assert_max_num_queries(13):
        writer.write()


def test_nothing_is_logged_for_good_rows(db, caplog):
    with caplog.at_level(logging.INFO):
        write(finished())
    assert not caplog.messages
