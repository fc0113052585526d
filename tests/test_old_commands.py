"""The commands of the FastAPI service that llmsite replaces still do what they did."""

import os
import re
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
            return [model["id"] for model in httpx.get(f"{server.base_url}/models", timeout=60).json()["data"]]
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


OLD_CONFIG = """\
server:
  host: "0.0.0.0"
  port: {port}
  log_level: "INFO"

cors:
  allowed_origins:
    - "http://localhost:3080"
    - "http://localhost:8000"

model:
  path: "{path}"
  name: "Qwen3-Instruct-4b-chat"
  ctx_size: 256
  gpu_layers: 0

generation:
  default_temperature: 0.7
  default_max_tokens: 256
"""


def test_a_configuration_of_the_old_service_starts_this_one(tmp_path: Path):
    port = live_server.free_port()
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "config.yml").write_text(OLD_CONFIG.format(port=port, path=live_server.DEMO))
    environment = live_server.environment(folder) | {"LLMSITE__DATABASE__URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    with (folder / "server.log").open("w") as log:
        command = [sys.executable, "-m", "app.main"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    server = LiveServer(folder, port, process)
    try:
        assert models_of(server) == ["Qwen3-Instruct-4b-chat"]
        messages = [{"role": "user", "content": "What is the capital of France?"}]
        body = {"model": "Qwen3-Instruct-4b-chat", "messages": messages, "stream": False}
        answer = httpx.post(f"{server.base_url}/chat/completions", json=body, timeout=60).json()
        assert answer["choices"][0]["message"]["content"]
    finally:
        server.stop()


GUIDE = (ROOT / "docs" / "migration.md").read_text()
NEW_COMMANDS = [
    command
    for line in GUIDE.splitlines()
    if line.startswith("|")
    for command in re.findall(r"`([^`]+)`", line.split(" | ", 1)[-1])
]


@pytest.mark.parametrize(
    "old",
    [
        "POST /v1/chat/completions",
        "GET /v1/health",
        "GET /v1/models",
        "/docs",
        "/redoc",
        "server.host",
        "server.port",
        "server.log_level",
        "cors.allowed_origins",
        "model.path",
        "model.name",
        "model.ctx_size",
        "model.gpu_layers",
        "generation.default_temperature",
        "generation.default_max_tokens",
        "CONFIG_PATH",
        "config/config.example.yml",
        "config/development.yml",
        "config/production.yml",
        "pip install -r requirements.txt",
        "uvicorn app.main:app --reload --host 0.0.0.0 --port 8000",
        "CONFIG_PATH=config/development.yml python -m app.main",
        "python models/download_model.py --model-url … --output-path …",
        "docker build -t llm-svc .",
        "docker run -d -p 8000:8000 llm-svc",
        "docker-compose up -d",
        "docker-compose -f docker-compose.test.yml up -d",
        "python -m pytest test/ -v",
        "python -m pytest test/test_api.py -v",
        "python -m pytest test/test_llama_handler.py -v",
        "python -m pytest test/test_api.py::test_health_check -v",
        "pytest test/ --cov=app --cov-report=html",
    ],
)
def test_the_guide_names_what_replaces_it(old: str):
    rows = [line.split(" | ") for line in GUIDE.splitlines() if line.startswith("| `")]
    assert any(f"`{old}`" in row[0] and row[1].strip(" |") for row in rows)


def test_the_files_that_the_guide_names_are_there():
    paths = re.findall(r"`((?:[\w.-]+/)*[\w-]+(?:\.(?:py|yml|yaml|txt|md))|Dockerfile|tests/)`", GUIDE)
    known_gone = {"config/config.yml"}  # the operator's own
    assert len(paths) > 10
    assert [path for path in paths if path not in known_gone and not (ROOT / path).exists()] == []


@pytest.mark.parametrize("command", [command for command in NEW_COMMANDS if "manage.py" in command])
def test_the_manage_commands_of_the_guide_exist(command: str):
    name = command.partition("manage.py ")[2].split()[0]
    found = [path.stem for path in ROOT.glob("*/management/commands/[a-z]*.py")]
    assert name in found


@pytest.mark.parametrize("command", [command for command in NEW_COMMANDS if "pytest" in command])
def test_the_tests_that_the_guide_names_exist(command: str):
    [target] = re.findall(r"pytest (\S+)", command)
    assert (ROOT / target).exists()


@pytest.mark.parametrize("command", [command for command in NEW_COMMANDS if command.startswith("make ")])
def test_the_make_targets_of_the_guide_exist(command: str):
    subprocess.run(["make", "--dry-run", *command.split()[1:]], cwd=ROOT, check=True, capture_output=True)
