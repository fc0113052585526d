"""The section `telemetry` of the configuration, where something is missing."""

import subprocess
import sys

import pytest

from llmsite.config_loading import load_config
from llmsite.yaml_file import ConfigError
from tests import live_server
from tests.live_server import ROOT

ENDPOINT = "http://localhost:4318/v1/traces"


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("opentelemetry", "opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http"),
        ("opentelemetry.sdk", "opentelemetry-sdk"),
        ("opentelemetry.exporter.otlp.proto.http", "opentelemetry-exporter-otlp-proto-http"),
    ],
)
def test_a_missing_package_is_named(tmp_path, module, package):
    live_server.write_config(tmp_path, telemetry={"traces_endpoint": ENDPOINT})
    program = (
        f"import sys; sys.modules[{module!r}] = None; sys.argv = ['manage.py', 'check']; import manage; manage.main()"
    )
    environment = live_server.environment(tmp_path)
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode != 0
    assert f"telemetry.traces_endpoint: traces need {package}: `pip install -r requirements-otel.txt`" in run.stderr
    assert "Traceback" not in run.stderr


def test_without_traces_nothing_of_them_is_loaded(tmp_path):
    live_server.write_config(tmp_path)
    program = "import sys, llmsite.asgi; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=live_server.environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("endpoint", ["localhost:4318", "http://localhost:4318", "ftp://localhost/v1/traces"])
def test_an_endpoint_that_is_no_url_with_a_path_is_refused(tmp_path, endpoint):
    file = tmp_path / "config.yml"
    file.write_text(f"telemetry: {{traces_endpoint: '{endpoint}'}}")
    with pytest.raises(ConfigError, match=r"telemetry.traces_endpoint: found .*the URL of a collector with its path"):
        load_config(file, {})
