"""A PostgreSQL server of the tests' own, from Debian's packages: a new cluster on a free port, gone afterwards."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.live_server import free_port, wait_until

USER, PASSWORD = "llmsite", "open sesame/@:"
PLACES = "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin"


@dataclass
class Cluster:
    """A running server."""

    port: int

    def __post_init__(self) -> None:
        self._numbers = count()

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname=database, autocommit=True
        )

    def new_database(self) -> str:
        """Make an empty database; return its URL."""
        name = f"llmsite_{next(self._numbers)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://{USER}:open%20sesame%2F%40%3A@127.0.0.1:{self.port}/{name}"


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    programs = find_programs()
    folder = Path(tempfile.mkdtemp(prefix="llmsite-postgres-"))
    as_user = {}
    if os.geteuid() == 0:  # as which PostgreSQL refuses to run
        shutil.chown(folder, "postgres", "postgres")
        as_user = {"user": "postgres", "group": "postgres", "extra_groups": []}
    process = None
    try:
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o644)
        data, port = folder / "data", free_port()
        initdb = [programs / "initdb", "-D", data, "-U", USER, "-E", "UTF8", "--locale=C.UTF-8", "-A", "scram-sha-256"]
        subprocess.run([*initdb, "--pwfile", folder / "password", "-N"], check=True, capture_output=True, **as_user)
        options = ["-D", data, "-p", str(port), "-k", folder, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        with (folder / "log").open("w") as log:
            process = subprocess.Popen([programs / "postgres", *options], stdout=log, stderr=log, **as_user)
        is_ready = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port)]
        wait_until(lambda: subprocess.run(is_ready, capture_output=True, check=False).returncode == 0)
        yield Cluster(port)
    finally:
        if process:
            process.send_signal(signal.SIGINT)  # "fast": whoever is still connected is sent away
            process.wait(30)
        shutil.rmtree(folder)


def find_programs() -> Path:
    """Return the folder of the newest PostgreSQL's programs; fail if there is none."""
    found = [path for place in PLACES for path in Path("/").glob(place.lstrip("/")) if (path / "initdb").exists()]
    if not found:
        pytest.fail("PostgreSQL is not installed, these tests start one: on Debian, `apt-get install postgresql`")
    return max(
        found, key=lambda path: [int(part) for part in path.parent.name.split("-")[-1].split("@")[-1].split(".")]
    )
