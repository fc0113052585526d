"""The one configuration file: YAML, checked key by key, as frozen dataclasses.

Each key is declared once, on its dataclass, with what it may hold and its default; the reader, the error messages and
the tests of the documentation all work from these declarations. Nothing here imports Django.
"""

import os
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from llmsite.config_models import ModelEntry, is_model_name, model_name_for
from llmsite.config_values import Reader, choice, flag, integer, many, matching, number, optional, setting, size, text
from llmsite.yaml_file import ConfigError, read_yaml

__all__ = [
    "PROJECT_ROOT",
    "Config",
    "ConfigError",
    "ModelEntry",
    "is_model_name",
    "load_config",
    "model_name_for",
    "resolve_path",
]

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
    secret_key: str | None = setting(optional(text("at least 32 characters", r"(?s).{32,}")), None, secret=True)

    def __post_init__(self) -> None:
        """Answer to the name the server listens on, too."""
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
    prompt_chars: int = setting(integer(1), 16 * 2**20)
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
class Config:
    """Everything the file says; `source` is the file, or None for the built-in defaults."""

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
    source: Path | None = None


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
}
KNOWN_KEYS = (*SECTIONS, "model", "models")


def load_config(path: str | Path | None = None) -> Config:
    """Return the configuration in `path`, else in $CONFIG_PATH, else in config/config.yml, else the defaults.

    Raises ConfigError naming every problem of the file, or the file itself when one was named that cannot be read.
    """
    chosen = path or os.environ.get("CONFIG_PATH")
    source = resolve_path(chosen) if chosen else PROJECT_ROOT / "config" / "config.yml"
    if not chosen and not source.exists():
        return Config()
    reader = Reader()
    config = _read_config(reader, read_yaml(source))
    if reader.problems:
        count = "1 problem" if len(reader.problems) == 1 else f"{len(reader.problems)} problems"
        raise ConfigError("\n  ".join([f"{source} has {count}:", *reader.problems]))
    return replace(config, source=source)


def _read_config(reader: Reader, raw: Any) -> Config:
    """Return the Config in `raw`; it is of use only if `reader` has no problems afterwards."""
    mapping = reader.mapping(raw, "the file") or {}
    reader.refuse_unknown(mapping, KNOWN_KEYS)
    sections = {name: reader.section(kind, mapping.get(name), name) for name, kind in SECTIONS.items()}
    return Config(models=_read_models(reader, mapping), **sections)


def _read_models(reader: Reader, mapping: dict) -> tuple[ModelEntry, ...]:
    """Return the entries of `model:` and `models:`, each with a name of its own."""
    entries = {} if mapping.get("model") is None else {"model": mapping["model"]}
    listed = mapping.get("models") or []
    if isinstance(listed, list):
        entries |= {f"models[{index}]": raw for index, raw in enumerate(listed)}
    else:
        reader.problems.append(f"models: found {listed!r}; expected a list of models, each with a path")
    models = {where: _read_model(reader, raw, where) for where, raw in entries.items()}
    _refuse_duplicates(reader, {where: model.name for where, model in models.items() if model})
    return tuple(model for model in models.values() if model)


def _read_model(reader: Reader, raw: Any, where: str) -> ModelEntry | None:
    model = reader.section(ModelEntry, raw, where)
    if model is None:
        return None
    model = replace(model, name=model.name or model_name_for(model.path), named=frozenset(raw))
    if not model.name:
        reader.problems.append(f"{where}.name: missing, and no name can be made from {model.path!r}; give one")
    return model


def _refuse_duplicates(reader: Reader, names: dict[str, str]) -> None:
    counts = Counter(names.values())
    for where, name in names.items():
        if name and counts[name] > 1:
            others = ", ".join(other for other in names if other != where and names[other] == name)
            reader.problems.append(f"{where}.name: {name!r} is also the name of {others}; each model needs its own")


def _is_database_url(url: str) -> bool:
    return url in _MEMORY_URLS or bool(re.fullmatch(f"{_SQLITE_FILE_URL}|{_POSTGRES_URL}", url))
