"""Django's settings of the two databases: SQLite, and PostgreSQL with a pool of connections."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dj_database_url

from llmsite.config import PROJECT_ROOT, Config
from llmsite.yaml_file import ConfigError

SQLITE = "django.db.backends.sqlite3"
MEMORY = ":memory:"
MAX_CONNECTIONS = 8
IDLE_SECONDS = 60  # until a connection that nobody uses is closed
CONNECT_SECONDS = 10
POOL_SECONDS = 30  # to wait for a connection of the pool


def database_settings(url: str) -> dict[str, Any]:
    """Return the entry of DATABASES for `database.url`; raise ConfigError if a package for it is missing."""
    database = dj_database_url.parse(url)
    options = database.setdefault("OPTIONS", {})
    if database["ENGINE"] == SQLITE:
        options |= _sqlite_options()
    else:
        _require_driver()
        database["OPTIONS"] = _postgres_options() | options
        database["CONN_HEALTH_CHECKS"] = True  # the pool looks before it hands one out: PostgreSQL may have closed it
    return database


def data_dir(config: Config, database: dict[str, Any]) -> Path:
    """Return the folder of what the service keeps beside the database."""
    if config.server.data_dir:
        return Path(config.server.data_dir)
    if database["ENGINE"] == SQLITE and database["NAME"] != MEMORY:
        return Path(database["NAME"]).parent
    return PROJECT_ROOT


def _sqlite_options() -> dict[str, Any]:
    """WAL lets the admin write while requests read; IMMEDIATE waits for the lock instead of failing mid-transaction."""
    return {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    }


def _postgres_options() -> dict[str, Any]:
    """A pool, since each request runs in a thread of its own: persistent connections would be as many as threads."""
    pool = {"min_size": 1, "max_size": MAX_CONNECTIONS, "max_idle": IDLE_SECONDS, "timeout": POOL_SECONDS}
    return {"connect_timeout": CONNECT_SECONDS, "pool": pool}


def _require_driver() -> None:
    missing = [name for name in ("psycopg", "psycopg_pool") if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"database.url: PostgreSQL needs {' and '.join(missing)}: `pip install -r requirements-postgres.txt`"
        )
