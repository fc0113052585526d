"""Servers that live for one run: our own, and the one it is compared with."""

import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGKILL
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any

import httpx
import yaml

from inference.bench.client import BenchError
from inference.bench.served_model import ServedModel
from llmsite.config import PROJECT_ROOT

START_TIMEOUT = 600  # seconds; a large model takes its time
STOP_TIMEOUT = 20
LOG_TAIL = 2000  # characters of its output that explain why a server did not start
PLACEHOLDERS = ("model", "port", "context", "parallel", "total_context")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def own_server(folder: Path | None = None) -> Iterator[tuple[str, int]]:
    """Serve the database of the configuration, or the one that `prepare` has made in `folder`; give base URL and pid.

    Raises BenchError with the server's last words if it does not start.
    """
    port = free_port()
    command = [sys.executable, "manage.py", "runserver", f"127.0.0.1:{port}", "--noreload"]
    with _running(command, f"http://127.0.0.1:{port}/v1/", environment_of(folder), PROJECT_ROOT) as server:
        yield server


@contextmanager
def peer_server(template: str, model: ServedModel, api_key: str) -> Iterator[tuple[str, int]]:
    """Run a command that serves `model` on a port of its own; give base URL and pid. Raises BenchError."""
    port = free_port()
    command = peer_command(template, {**model.placeholders, "port": port})
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    with _running(command, f"http://127.0.0.1:{port}/v1/", dict(os.environ), None, headers) as server:
        yield server


def peer_command(template: str, values: Mapping[str, Any]) -> list[str]:
    """Fill in a command's placeholders, word by word: a path may have spaces. Raises BenchError."""
    try:
        words = [word.format_map(values) for word in shlex.split(template)]
    except (KeyError, ValueError, IndexError) as error:
        allowed = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise BenchError(f"--compare-command {template!r}: {error} is not understood; it may name {allowed}") from error
    if not words:
        raise BenchError("--compare-command is empty; expected a command such as `llama-server -m {model} …`")
    return words


def name_of(command: list[str]) -> str:
    """Return a command's program, without its folder; `env` and the variables that it sets are no program."""
    programs = [word for word in command if word != "env" and "=" not in word]
    return Path((programs or command)[0]).name


@contextmanager
def prepared(model: ServedModel) -> Iterator[Path]:
    """Give a folder with a configuration and a database of its own, in which nothing but `model` is registered."""
    with TemporaryDirectory(prefix="llmsite-bench-") as name:
        folder = Path(name)
        entry = {
            "name": model.name,
            "path": model.config.model_path,
            "ctx_size": model.config.n_ctx,
            "parallel": model.config.n_seq_max,
        }
        config = {"database": {"url": f"sqlite:///{folder}/db.sqlite3"}, "models": [entry]}
        (folder / "config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        setup = subprocess.run(
            [sys.executable, "manage.py", "setup"],
            cwd=PROJECT_ROOT,
            env=environment_of(folder),
            capture_output=True,
            text=True,
            check=False,
        )
        if setup.returncode:
            raise BenchError(f"the temporary database was not set up:\n{setup.stderr or setup.stdout}")
        yield folder


def environment_of(folder: Path | None) -> dict[str, str]:
    """Return the environment of commands that use the configuration in `folder`, if there is one."""
    if folder is None:
        return dict(os.environ)
    # Other settings might name a configuration of their own.
    own = {"CONFIG_PATH": str(folder / "config.yml"), "DJANGO_SETTINGS_MODULE": "llmsite.settings"}
    return {**os.environ, **own}


@contextmanager
def _running(
    command: list[str],
    base_url: str,
    environment: dict[str, str],
    cwd: Path | None,
    headers: Mapping[str, str] | None = None,
) -> Iterator[tuple[str, int]]:
    with TemporaryFile() as log:
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own command
                command, cwd=cwd, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        except OSError as error:
            raise BenchError(f"{command[0]} cannot be run: {error.strerror}") from error
        try:
            _wait_for(base_url, process, log, headers or {})
            yield base_url, process.pid
        finally:
            _end(process)


def _wait_for(base_url: str, process: subprocess.Popen, log: IO[bytes], headers: Mapping[str, str]) -> None:
    """Wait until the server answers for its models. Raises BenchError if it ends before, or takes too long."""
    deadline = time.monotonic() + START_TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if httpx.get(f"{base_url}models", headers=headers, timeout=5).status_code < 500:
                return  # llama-server says 503 while it loads
        time.sleep(0.1)
    log.seek(0)
    why = "ended" if process.poll() is not None else f"did not answer within {START_TIMEOUT} seconds"
    output = log.read().decode(errors="replace").strip()[-LOG_TAIL:]
    raise BenchError(f"the server `{shlex.join(process.args)}` {why}:\n{output}")


def _end(process: subprocess.Popen) -> None:
    """End the server, and whatever it leaves behind: it is the leader of its own process group."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, SIGKILL)
    process.wait()
