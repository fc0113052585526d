"""The commands of the FastAPI service that llmsite replaces still do what they did."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests import live_server
from tests.live_server import ROOT, LiveServer


@pytest.fixture
def start(tmp_path):
    """A function that runs Python with the arguments, on a configuration with no database yet."""
    port = live_server.free_port()
    live_server.write_config(tmp_path, server={"port": port})
    processes = []

    def start(*arguments: str) -> LiveServer:
        command = [sys.executable, *(argument.format(port=port) for argument in arguments)]
        log = (tmp_path / "server.log").open("w")
        environment = live_server.environment(tmp_path)
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        log.close()
        processes.append(process)
        return LiveServer(tmp_path, port, process)

    yield start
    for process in processes:
        process.terminate()
        process.wait(30)


def models_of(server: LiveServer) -> list[str]:
    """Wait until the server answers; return the models it offers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            return [model["id"] for model in httpx.get(f"{server.base_url}/models", timeout=10).json()["data"]]
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(server.log)


@pytest.mark.parametrize(
    "arguments", [("-m", "uvicorn", "app.main:app", "--port", "{port}"), ("-m", "app.main")], ids=["uvicorn", "python"]
)
def test_they_set_up_and_serve(start: Callable[..., LiveServer], arguments: tuple[str, ...]):
    server = start(*arguments)
    assert models_of(server) == ["demo"]
    assert "model demo: created" in server.log


def test_a_missing_model_stops_the_start_with_the_reason(start: Callable[..., LiveServer], tmp_path: Path):
    live_server.write_config(tmp_path, model={"path": str(tmp_path / "gone.gguf")})
    server = start("-m", "uvicorn", "app.main:app", "--port", "{port}")
    assert server.process.wait(60) != 0
    assert f"There is no file {tmp_path}/gone.gguf" in server.log


def test_importing_it_only_gives_the_application():
    program = "from app.main import app; print(callable(app))"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    output = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, env=environment, text=True)
    assert output == "True\n"


def test_the_download_script_takes_the_old_options():
    script = ROOT / "models" / "download_model.py"
    run = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, check=True)
    assert {"--model-url", "--output-path"} <= set(run.stdout.replace("[", " ").split())
