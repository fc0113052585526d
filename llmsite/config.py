"""The configuration as frozen dataclasses; `llmsite.config_loading` reads it from YAML and the environment.

Each key is declared once, on its dataclass, with what it may hold and its default; the reader, the error messages, the
JSON Schema and the tests of the documentation all work from these declarations. Nothing here imports Django.
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

from llmsite.config_layers import Layer
from llmsite.config_models import ModelEntry
from llmsite.config_values import choice, flag, integer, many, matching, number, optional, setting, size, text

PROJECT_ROOT: Path = Path(__file__).resolve().parent.parent

_LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]", "host.docker.internal")
_EVERY_ADDRESS = ("0.0.0.0", "::", "[::]")  # noqa: S104 - names of what is left out of allowed_hosts
_POSTGRES_URL = r"postgres(ql)?://[^/]*/.+"
_SQLITE_FILE_URL = r"sqlite:///(?P<path>[^?#]+)(?P<rest>[?#].*)?"
_MEMORY_URLS = ("sqlite://:memory:", "sqlite:///:memory:")


def resolve_path(path: str | Path) -> Path:
    """Return `path` as an absolute path: ~ expanded, a relative one taken from the project's root."""
    # Not Path.expanduser(), which raises if there is no such user.
    return PROJECT_ROOT / os.path.expanduser(path)  # noqa: PTH111


@dataclass(frozen=True)
class Server:
    """Where the service listens and who may ask."""

    host: str = setting(text("a host name or address", r"[\w.:\[\]-]+"), "127.0.0.1")
    port: int = setting(integer(1, 65535), 8000)
    shutdown_timeout: int = setting(integer(0, 86400), 30)
    log_level: str = setting(choice("debug", "info", "warning", "error", "critical"), "info")
    log_format: str = setting(choice("text", "json"), "text")
    allowed_hosts: tuple[str, ...] = setting(many(text('a host name, ".domain" or "*"', r"\S+")), _LOCAL_HOSTS)
    https: bool = setting(flag(), False)
    secret_key: str | None = setting(optional(text("at least 32 characters", r"(?s).{32,}")), None, secret=True)
    data_dir: str | None = setting(optional(text("the path of a folder", r"(?s).{1,1024}")), None)

    def __post_init__(self) -> None:
        """Answer to the name the server listens on, too; take the folder's path from the project's root."""
        if self.data_dir:
            object.__setattr__(self, "data_dir", str(resolve_path(self.data_dir)))
        name = f"[{self.host}]" if ":" in self.host and not self.host.startswith("[") else self.host
        if self.host not in _EVERY_ADDRESS and name not in self.allowed_hosts:
            object.__setattr__(self, "allowed_hosts", (*self.allowed_hosts, name))


@dataclass(frozen=True)
class Auth:
    """Whether the API asks for a key."""

    required: bool = setting(flag(), False)


@dataclass(frozen=True)
class Cors:
    """Which web pages may call the API from a browser."""

    allowed_origins: tuple[str, ...] = setting(
        many(text('"*" or an origin like https://chat.example.com:3080', r"\*|[a-z][a-z0-9+.-]*://[^/\s]+")), ()
    )


@dataclass(frozen=True)
class Generation:
    """Generation defaults for the models of the file; None leaves each model its own."""

    default_temperature: float | None = setting(optional(number(0, 2)), None)
    default_max_tokens: int | None = setting(optional(integer(1)), None)


@dataclass(frozen=True)
class Database:
    """Where registrations are kept."""

    url: str = setting(
        matching(
            "sqlite:///file, sqlite:////absolute/file, sqlite://:memory: or postgresql://user:password@host:port/name",
            lambda value: isinstance(value, str) and _is_database_url(value),
            {"type": "string"},
        ),
        "sqlite:///db.sqlite3",
        secret=True,
    )

    def __post_init__(self) -> None:
        """Take the path of a sqlite file from the project's root, wherever the process was started."""
        match = re.fullmatch(_SQLITE_FILE_URL, self.url)
        if match and self.url not in _MEMORY_URLS:
            path = quote(resolve_path(unquote(match["path"])).as_posix())
            object.__setattr__(self, "url", f"sqlite:///{path}{match['rest'] or ''}")


@dataclass(frozen=True)
class Responses:
    """What the Responses API keeps."""

    retention_days: int = setting(integer(0, 36500), 30)


@dataclass(frozen=True)
class Pool:
    """What all models together may take of the machine. None: as much as is free; no limit of time."""

    memory_budget: int | None = setting(optional(size(), "auto"), None)
    vram_budget: tuple[int, ...] = setting(many(size()), ())
    max_queue: int = setting(integer(0, 100_000), 256)
    idle_timeout: int | None = setting(optional(integer(0, 2**31 - 1), "never"), None)
    step_timeout: int = setting(integer(1, 86400), 300)
    load_timeout: int = setting(integer(1, 86400), 600)


@dataclass(frozen=True)
class Limits:
    """What one request may ask for, and how many at a time."""

    requests: int = setting(integer(1), 1000)
    requests_per_key: int = setting(integer(1), 500)
    body_size: int = setting(size(), 64 * 2**20)
    messages: int = setting(integer(1), 10_000)
    prompt_chars: int = setting(integer(1), 4 * 2**20)
    template_seconds: float = setting(number(0.1, 3600), 10.0)
    schema_size: int = setting(size(), 2**20)
    stop_strings: int = setting(integer(1), 16)
    choices: int = setting(integer(1), 256)


@dataclass(frozen=True)
class KVDisk:
    """Where conversations are kept that outlive their engine: nowhere if `directory` is empty."""

    directory: str = setting(text("the path of a folder, or an empty text", r"(?s).{0,1024}"), "")
    max_size: int = setting(size(), 20 * 2**30)

    def __post_init__(self) -> None:
        """Take the path from the project's root, wherever the process was started."""
        if self.directory:
            object.__setattr__(self, "directory", str(resolve_path(self.directory)))


@dataclass(frozen=True)
class Usage:
    """What is kept of requests, and for how long. None: for ever."""

    log: bool = setting(flag(), True)
    retention_days: int = setting(integer(1, 36500), 90)
    hours_retention_days: int | None = setting(optional(integer(1, 36500), "forever"), None)
    capture_hours: int = setting(integer(1, 8760), 24)


@dataclass(frozen=True)
class Metrics:
    """Who may read /metrics: administrators, or everybody."""

    public: bool = setting(flag(), False)


@dataclass(frozen=True)
class Telemetry:
    """Where traces go: nowhere if `traces_endpoint` is empty."""

    traces_endpoint: str = setting(
        text(
            "the URL of a collector with its path, such as http://localhost:4318/v1/traces, or an empty text",
            r"(https?://[^\s/]+/\S*)?",
        ),
        "",
    )


@dataclass(frozen=True)
class Storage:
    """The folders under which the admin finds models, adapters and draft models, and into which it downloads."""

    model_folders: tuple[str, ...] = setting(many(text("the path of a folder", r"(?s).{1,1024}")), ("models", "demo"))

    def __post_init__(self) -> None:
        """Take the paths from the project's root, wherever the process was started."""
        folders = tuple(str(resolve_path(folder)) for folder in self.model_folders)
        object.__setattr__(self, "model_folders", folders)


@dataclass(frozen=True)
class Downloads:
    """What the admin's downloads may reach, and how much they may take."""

    at_once: int = setting(integer(1, 32), 2)
    max_size: int = setting(size(), 2**40)
    allowed_hosts: tuple[str, ...] = setting(
        many(text('a host name, ".domain", an address or a network such as 10.0.0.0/8', r"[^\s/]+(/\d{1,3})?")), ()
    )
    allow_private: bool = setting(flag(), False)


@dataclass(frozen=True)
class Config:
    """Everything the configuration says; `layers` are what it was read from."""

    server: Server = field(default_factory=Server)
    auth: Auth = field(default_factory=Auth)
    cors: Cors = field(default_factory=Cors)
    models: tuple[ModelEntry, ...] = ()
    generation: Generation = field(default_factory=Generation)
    database: Database = field(default_factory=Database)
    responses: Responses = field(default_factory=Responses)
    pool: Pool = field(default_factory=Pool)
    limits: Limits = field(default_factory=Limits)
    kv_disk: KVDisk = field(default_factory=KVDisk)
    usage: Usage = field(default_factory=Usage)
    metrics: Metrics = field(default_factory=Metrics)
    telemetry: Telemetry = field(default_factory=Telemetry)
    storage: Storage = field(default_factory=Storage)
    downloads: Downloads = field(default_factory=Downloads)
    layers: Layer = field(default_factory=Layer, compare=False)


SECTIONS = {
    "server": Server,
    "auth": Auth,
    "cors": Cors,
    "generation": Generation,
    "database": Database,
    "responses": Responses,
    "pool": Pool,
    "limits": Limits,
    "kv_disk": KVDisk,
    "usage": Usage,
    "metrics": Metrics,
    "telemetry": Telemetry,
    "storage": Storage,
    "downloads": Downloads,
}
KNOWN_KEYS = ("extends", *SECTIONS, "model", "models")


def _is_database_url(url: str) -> bool:
    return url in _MEMORY_URLS or bool(re.fullmatch(f"{_SQLITE_FILE_URL}|{_POSTGRES_URL}", url))
