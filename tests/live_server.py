"""The real thing for tests: `manage.py runserver` in a process of its own, with its own database."""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import yaml

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "demo" / "demo.gguf"
DATABASE = "db.sqlite3"  # in a server's folder
ADMIN_PASSWORD = "correct horse battery"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class LiveServer:
    """A running server. `manage` runs a command on its database."""

    folder: Path
    port: int
    process: subprocess.Popen

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def database(self) -> Path:
        return self.folder / DATABASE

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text()

    def manage(self, *arguments: str) -> subprocess.CompletedProcess:
        return manage(self.folder, *arguments)

    def health(self) -> dict:
        return httpx.get(f"{self.base_url}/health", timeout=60).json()

    @cached_property
    def operator(self) -> dict[str, str]:
        """The headers with which the pool can be asked."""
        return {"Authorization": f"Bearer {self.manage('pool', 'token').stdout.strip()}"}

    def worker_pid(self, name: str = "demo") -> int:
        """Return the process id of a loaded model's worker; other files' models may be loaded beside it."""
        pool = httpx.get(f"{self.base_url}/pool", headers=self.operator, timeout=60).json()
        return next(model["pid"] for model in pool["models"] if model["name"] == name)

    def wait_for(self, condition: str, timeout: float = 30) -> dict:
        """Poll the health until the expression over `running`, `waiting` and `names` holds."""
        deadline = time.monotonic() + timeout
        while True:
            health = self.health()
            names = {model["name"]: model["state"] for model in health["models"]}
            scope = {"running": health["running"], "waiting": health["waiting"], "names": names}
            if eval(condition, {}, scope):
                return health
            assert time.monotonic() < deadline, f"{condition} did not come true: {health}"
            time.sleep(0.02)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def environment(folder: Path) -> dict[str, str]:
    # GOMP_SPINCOUNT is conftest's, for this process; a server decides as that of a user does.
    inherited = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    return {
        **inherited,
        "CONFIG_PATH": str(folder / "config.yml"),
        "DJANGO_SETTINGS_MODULE": "llmsite.settings",
        "DJANGO_SUPERUSER_PASSWORD": ADMIN_PASSWORD,
    }


def manage(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def write_config(folder: Path, **sections: object) -> None:
    config = {
        "server": {"secret_key": "only-the-tests-use-this-key-0123456789"},
        "database": {"url": f"sqlite:///{folder / DATABASE}"},
        **sections,
    }
    (folder / "config.yml").write_text(yaml.safe_dump(config))


def set_up(folder: Path, **sections: object) -> str:
    """Write a configuration and do what `manage.py setup` does; return what that has printed.

    A new database file begins as a copy of one with all tables, which each process makes once: making them takes a
    third of the time of `setup`.
    """
    write_config(folder, **sections)
    if "database" not in sections and not (folder / DATABASE).exists():
        shutil.copy(_database_with_tables(), folder / DATABASE)
    setup = manage(folder, "setup")
    assert setup.returncode == 0, setup.stdout + setup.stderr
    return setup.stdout


@cache
def _database_with_tables() -> Path:
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    write_config(Path(folder.name))
    made = manage(Path(folder.name), "migrate")
    assert made.returncode == 0, made.stdout + made.stderr
    return Path(folder.name) / DATABASE


def start(folder: Path, *options: str) -> LiveServer:
    """Start a server on what `set_up` has made in `folder`, and wait until it answers."""
    port = free_port()
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "runserver", f"127.0.0.1:{port}", *(options or ["--noreload"])],
            cwd=ROOT,
            env=environment(folder),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    server = LiveServer(folder, port, process)
    for _ in range(300):
        assert process.poll() is None, server.log
        try:
            server.health()
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return server
    raise AssertionError(server.log)


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll until the condition holds; what takes 30 seconds never comes."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Say whether a process exists and is more than a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def descendants(pid: int) -> list[int]:
    """Return the process ids of all children, their children and so on."""
    children = []
    with suppress(FileNotFoundError, ProcessLookupError):  # it may end while we look
        for task in list(Path(f"/proc/{pid}/task").glob("*/children")):
            children += map(int, task.read_text().split())
    return children + [grandchild for child in children for grandchild in descendants(child)]
