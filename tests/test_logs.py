"""How log lines look."""

import json
import logging
import sys

import pytest

from llmsite.logs import JSONFormatter, PagesFilter, TextFormatter, logging_config, without_secrets


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    values = {"name": "inference.engine", "levelno": logging.WARNING, "levelname": "WARNING"}
    return logging.makeLogRecord({"msg": message, "args": arguments, **values, **extra})


def test_lines_for_people_name_the_model_and_the_request():
    formatter = TextFormatter("{levelname} {message}", style="{")
    assert formatter.format(record("%s!", "hello", model="demo", request_id="r")) == "WARNING [demo] hello! [r]"


def test_lines_for_programs_have_fields():
    values = json.loads(JSONFormatter().format(record("hello\nyou", model="demo", request_id="r", created=0)))
    assert values == {
        "time": "1970-01-01T00:00:00.000+00:00",
        "level": "warning",
        "logger": "inference.engine",
        "message": "hello\nyou",
        "model": "demo",
        "request_id": "r",
    }


def test_exceptions_are_part_of_the_object():
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        line = JSONFormatter().format(record("failed", exc_info=sys.exc_info()))
    assert json.loads(line)["exception"].endswith("RuntimeError: broken")
    assert "\n" not in line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key sk-abcdefghIJKLMNOPqrstuvwx!", "key sk-abcdefgh…!"),
        ("key sk-abcdefgh…", "key sk-abcdefgh…"),
        ("token hf_abcdefghijklmnopqrst.", "token …."),
        ('{"a": "Bearer eyJ1bnRpbCI6MX0:1v:x-y_z"}', '{"a": "Bearer …"}'),
        ("a task-force and a risk-averse bearer", "a task-force and a risk-averse bearer"),
    ],
)
def test_secrets_are_left_out(text, shown):
    assert without_secrets(text) == shown


@pytest.mark.parametrize(("path", "is_shown"), [("/v1/models", False), ("/admin/", True), ("/v10", True)])
def test_uvicorn_says_nothing_of_the_api(path, is_shown):
    access = record('%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", path, "1.1", 200)
    assert PagesFilter().filter(access) is is_shown


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_configuration_chooses_level_and_format(form):
    config = logging_config("warning", form)
    assert (config["root"]["level"], config["handlers"]["console"]["formatter"]) == ("WARNING", form)
