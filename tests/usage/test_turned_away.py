"""What is left of requests that are refused for their key or a limit: a count, some lines, and some rows."""

import logging
import sqlite3
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from tests.access import keys
from tests.access.keys import Keys, bearer, create_key
from tests.live_server import wait_until
from tests.usage.records import finished
from usage.access_log import TURNED_AWAY_PER_MINUTE, log_request
from usage.metrics import REGISTRY, observe
from usage.models import RequestLog, UsageHour
from usage.record import RequestRecord
from usage.writer import TURNED_AWAY_PER_HOUR, LogWriter


def refused(status: int = 429, code: str = "rate_limit_exceeded", **values: object) -> RequestRecord:
    return finished(**{"status": status, "error_code": code, "is_for_model": False, "key_prefix": "sk-1", **values})


def rows(*records: RequestRecord) -> Counter:
    """Write what is finished; return how many rows there are of each key and error."""
    writer = LogWriter()
    for record in records:
        writer.add(record)
    writer.write()
    return Counter(RequestLog.objects.values_list("key_prefix", "error_code"))


def test_a_key_at_its_limit_has_a_row(db):
    assert rows(refused(error="Rate limit reached")) == {("sk-1", "rate_limit_exceeded"): 1}
    assert RequestLog.objects.get().error == "Rate limit reached"


def test_it_is_no_part_of_the_sums(db):
    rows(refused(), finished())
    assert UsageHour.objects.get().requests == 1


def test_there_are_few_rows_however_many_requests_there_are(db):
    many = [refused() for _ in range(1000)]
    others = [refused(key_prefix="sk-2"), refused(401, "invalid_api_key")]
    assert rows(*many, *others) == {
        ("sk-1", "rate_limit_exceeded"): TURNED_AWAY_PER_HOUR,
        ("sk-2", "rate_limit_exceeded"): 1,
        ("sk-1", "invalid_api_key"): 1,
    }


def test_strangers_have_none(db):
    assert not rows(refused(401, "invalid_api_key", key_prefix=""))


def test_a_server_that_is_full_has_rows_whoever_asks(db):
    assert rows(refused(429, "too_many_requests", key_prefix="")) == {("", "too_many_requests"): 1}


@pytest.mark.parametrize("status", [400, 404, 500])
def test_other_errors_of_requests_for_no_model_have_none(db, status):
    assert not rows(refused(status, "anything"))


def test_each_one_counts():
    def count() -> float:
        return REGISTRY.get_sample_value("llmsite_requests_turned_away_total", {"reason": "counted"}) or 0

    before = count()
    for record in (refused(429, "counted"), finished(status=429, error_code="counted"), refused(400, "counted")):
        observe(record)
    assert count() == before + 1


def test_lines_say_where_it_came_from(caplog):
    with caplog.at_level(logging.INFO, "llmsite.access"):
        log_request(refused(401, "of strangers", key_prefix="", client="192.0.2.7"))
        log_request(finished(client="192.0.2.7"))
    first, second = (record.getMessage() for record in caplog.records)
    assert "401 | demo | from 192.0.2.7" in first
    assert "192.0.2.7" not in second


def test_lines_end_with_one_that_says_so(caplog):
    with caplog.at_level(logging.INFO, "llmsite.access"):
        for _ in range(1000):
            log_request(refused(401, "of many"))
        log_request(refused(401, "of few"))
    *lines, last, other = caplog.records
    assert len(lines) == TURNED_AWAY_PER_MINUTE
    assert last.levelname == "WARNING"
    assert last.getMessage().startswith("60 requests were turned away within a minute (of many)")
    assert "of few" in other.getMessage()


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Iterator[Keys]:
    made = keys.start(tmp_path_factory.mktemp("turned-away"), auth={"required": True})
    yield made
    made.stop()


def found(made: Keys) -> list[tuple]:
    database = sqlite3.connect(made.server.database)
    rows = database.execute("SELECT key_prefix, status, error_code, endpoint FROM usage_requestlog").fetchall()
    database.close()
    return rows


def test_a_server_keeps_some(made):
    """Those of keys that are good no more, that are at their limit, or that may not do it; none of strangers."""
    limited = create_key(made.server, "--requests-per-minute", "1")
    body = {"model": "demo", "content": "a"}

    def ask(text: str, path: str = "/v1/tokenize") -> httpx.Response:
        return made.http.post(path, json=body, headers=bearer(text))

    assert [ask(made.texts[kind]).status_code for kind in ("bad", "expired", "revoked")] == [401] * 3
    assert [ask(limited).status_code for _ in range(30)] == [200] + [429] * 29
    assert ask(made.texts["ok"], "/v1/models/demo/load").status_code == 403
    assert made.http.post("/v1/tokenize%0A", json=body).status_code == 401
    expected = {
        (made.texts["expired"][:11], 401, "invalid_api_key", "/v1/tokenize"): 1,
        (made.texts["revoked"][:11], 401, "invalid_api_key", "/v1/tokenize"): 1,
        (limited[:11], 200, "", "/v1/tokenize"): 1,
        (limited[:11], 429, "rate_limit_exceeded", "/v1/tokenize"): TURNED_AWAY_PER_HOUR,
        (made.texts["ok"][:11], 403, "not_an_operator", "/v1/models/<path:name>/load"): 1,
    }
    wait_until(lambda: sum(Counter(found(made)).values()) >= sum(expected.values()))
    assert Counter(found(made)) == expected
    assert "POST /v1/tokenize 401 | from 127.0.0.1" in made.server.log
