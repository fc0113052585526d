"""One line for each request to the API."""

import json
import logging

import httpx
import pytest

from llmsite.logs import JSONFormatter, RequestFilter, TextFormatter
from tests import live_server
from tests.usage.records import finished
from usage.access_log import log_request
from usage.record import RequestRecord, recorded


@pytest.fixture
def line(caplog):
    def line(level: int = logging.INFO, **values: object) -> logging.LogRecord:
        with caplog.at_level(level, "llmsite.access"):
            log_request(finished(**values))
        return caplog.records[-1]

    return line


def test_it_says_what_became_of_a_request(line):
    assert line(key_prefix="sk-12345678").getMessage() == (
        "POST /v1/chat/completions 200 | demo | key sk-12345678… | 10 (4 cached) + 5 tokens | "
        "queue 2 ms, first token 40 ms, total 300 ms | stop"
    )


def test_what_is_not_known_is_left_out(line):
    failed = line(
        **{"status": 404, "error_code": "model_not_found", "model": "", "finish_reason": "", "prompt_tokens": 0},
        **{"first_token": None, "queue_seconds": None},
    )
    assert failed.getMessage() == "POST /v1/chat/completions 404 | total 300 ms | model_not_found"


def test_in_json_every_value_is_a_field(line):
    values = json.loads(JSONFormatter().format(line(key_prefix="sk-12345678")))
    assert (
        values.items()
        >= {
            **{"request_id": "r", "key": "sk-12345678", "path": "/v1/chat/completions", "model": "demo", "status": 200},
            **{"prompt_tokens": 10, "cached_tokens": 4, "completion_tokens": 5, "finish_reason": "stop"},
            **{"queue_ms": 2, "first_token_ms": 40, "total_ms": 300, "level": "info", "logger": "llmsite.access"},
        }.items()
    )
    assert "error_code" not in values


def test_what_clients_write_makes_no_lines_of_its_own(line):
    text = TextFormatter("{message}", style="{").format(line(model="a\nERROR b\x1b[2J"))
    assert "a\\nERROR b\\x1b[2J" in text
    assert "\n" not in text


def test_questions_about_the_health_are_only_worth_a_line_when_debugging(line, caplog):
    line()
    caplog.clear()
    with caplog.at_level(logging.INFO, "llmsite.access"):
        log_request(finished(endpoint="/v1/health"))
    assert not caplog.records
    assert line(logging.DEBUG, endpoint="/v1/health").levelname == "DEBUG"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_server_logs_requests_engines_and_no_secrets(tmp_path, log_format):
    live_server.set_up(
        tmp_path,
        server={"secret_key": "only-the-tests-use-this-key-0123456789", "log_level": "debug", "log_format": log_format},
    )
    server = live_server.start(tmp_path)
    secret = "sk-abcdefgh" + "ijklmnopqrstuvwxyz0123456789"
    body = {"model": "demo", "messages": [{"role": "user", "content": "Hello!"}]}
    for path in ("chat/completions", f"nowhere/{secret}", f"chat/completions?api_key={secret}"):
        headers = {"Authorization": f"Bearer {secret}", "x-request-id": "mine"}
        httpx.post(f"{server.base_url}/{path}", json=body, headers=headers, timeout=60)
    token = server.manage("pool", "token").stdout.strip()
    httpx.get(f"{server.base_url}/pool", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    httpx.get(f"{server.url}/admin/login/", timeout=60)
    assert server.stop() == 0
    assert secret not in server.log
    assert token not in server.log
    assert "sk-abcdefgh…" in server.log
    if log_format == "text":
        assert "llmsite.access: POST /v1/chat/completions 200 | demo" in server.log
        assert "[mine]" in server.log
        assert "inference.engine: [demo] " in server.log
        assert '"POST /v1/chat/completions' not in server.log
        assert '"GET /admin/login/' in server.log
    else:
        lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
        access = next(line for line in lines if line["logger"] == "llmsite.access" and line.get("model") == "demo")
        assert access["request_id"] == "mine"
        engine = [line for line in lines if line["logger"] == "inference.engine"]
        assert {(line["model"], line["level"], line.get("request_id")) for line in engine} >= {("demo", "debug", None)}
        assert all("request_id" not in line for line in engine)


def test_lines_belong_to_the_request_that_is_being_answered():
    record = logging.makeLogRecord({"msg": "hello"})
    with recorded(RequestRecord("mine", "GET", "/v1/models")) as request:
        RequestFilter().filter(record)
        assert record.request_id == "mine"
        request.finish()
        RequestFilter().filter(record)
        assert record.request_id is None
