"""manage.py config, and the JSON Schema that editors use."""

import json
import re
import subprocess
import sys
from io import StringIO

import jsonschema
import pytest
import yaml
from django.core.management import call_command
from django.test import override_settings

from llmsite.config import PROJECT_ROOT
from llmsite.config_loading import load_config
from llmsite.config_report import MASK, masked
from llmsite.config_schema import schema_text
from tests import live_server

CONFIG = PROJECT_ROOT / "config"


@pytest.fixture
def show(tmp_path):
    def show(text, *options, **environ):
        path = tmp_path / "my.yml"
        path.write_text(text)
        output = StringIO()
        with override_settings(CONFIG=load_config(path, environ)):
            call_command("config", *options, stdout=output)
        return output.getvalue()

    return show


def test_every_setting_is_shown_with_its_origin(show, tmp_path):
    output = show("\nserver:\n  port: 1\nmodel: {path: a.gguf}", LLMSITE__POOL__MAX_QUEUE="5")
    lines = [line.split(maxsplit=2) for line in output.splitlines()]
    assert output.startswith(f"files: {tmp_path}/my.yml")
    assert ["server.port", f"{tmp_path}/my.yml:3", "1"] in lines
    assert ["pool.max_queue", "LLMSITE__POOL__MAX_QUEUE", "5"] in lines
    assert ["server.log_level", "default", '"info"'] in lines
    assert ["model.path", f"{tmp_path}/my.yml:4", '"a.gguf"'] in lines
    assert ["model.name", "default", '"a"'] in lines


def test_json_has_the_same(show):
    shown = json.loads(show("{}", "--format", "json", LLMSITE__SERVER__PORT="7"))
    assert shown["settings"]["server.port"] == {"value": 7, "origin": "LLMSITE__SERVER__PORT"}


@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets_are_masked(show, form):
    key = "k" * 40
    output = show(
        f"server: {{secret_key: {key}}}\ndatabase: {{url: 'postgresql://me:hun@ter2@db/x'}}", "--format", form
    )
    assert key not in output
    assert "ter2" not in output
    assert f"postgresql://me:{MASK}@db/x" in output


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("postgres://me@db/x?password=abc&sslmode=require", f"postgres://me@db/x?password={MASK}&sslmode=require"),
        ("sqlite:////data/db.sqlite3", "sqlite:////data/db.sqlite3"),
        ("no URL", MASK),
        (None, None),
    ],
)
def test_of_a_url_only_the_passwords_are_masked(value, shown):
    assert masked(value) == shown


def test_it_shows_what_the_process_runs_with(tmp_path):
    live_server.write_config(tmp_path)
    environment = {**live_server.environment(tmp_path), "LLMSITE__SERVER__LOG_LEVEL": "Debug"}
    command = [sys.executable, "manage.py", "config"]
    output = subprocess.check_output(command, cwd=PROJECT_ROOT, env=environment, text=True)
    assert re.search(r'^server\.log_level +LLMSITE__SERVER__LOG_LEVEL +"debug"$', output, re.MULTILINE)
    assert "only-the-tests" not in output


def test_the_schema_that_is_checked_in_is_up_to_date():
    text = (CONFIG / "config.schema.json").read_text()
    assert text == schema_text(), "run `python manage.py config --schema > config/config.schema.json`"
    output = StringIO()
    call_command("config", "--schema", stdout=output)
    assert output.getvalue() == text


@pytest.fixture
def validator():
    schema = json.loads(schema_text())
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


@pytest.mark.parametrize("name", ["config.example.yml", "development.yml", "production.yml"])
def test_the_files_of_the_project_are_valid(validator, name):
    validator.validate(yaml.safe_load((CONFIG / name).read_text()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "server:\nmodel: {path: a.gguf, loras: [a.gguf, {path: b.gguf, scale: 2}], flash_attention: on}",
        "pool: {memory_budget: 12 GiB, vram_budget: [1024], idle_timeout: never}",
        "server: {secret_key: null, host: '[::1]'}\nkv_disk: {directory: ''}",
    ],
)
def test_what_may_be_written_is_valid(validator, text):
    validator.validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    "text",
    [
        "servre: {}",
        "server: {prot: 1}",
        "server: {port: 0}",
        "server: {host: 'a b'}",
        "server: {secret_key: short}",
        "models: [{paht: a}]",
        "pool: {memory_budget: 12 Gib}",
        "model: {path: a, kv_type_k: q9}",
        "model: {path: ''}",
    ],
)
def test_what_may_not_is_not(validator, text):
    assert not validator.is_valid(yaml.safe_load(text))


def test_the_example_names_the_schema():
    first_line = (CONFIG / "config.example.yml").read_text().splitlines()[0]
    assert first_line == "# yaml-language-server: $schema=config.schema.json"
