"""What `manage.py setup` does; every step may be repeated and says in one line what it did."""

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from llmsite.config import PROJECT_ROOT, Config, Generation
from llmsite.config_models import ModelEntry
from registry.models import Preset, RegisteredModel
from registry.registration import RegistrationError, portable_path, register

DEMO_PATH = PROJECT_ROOT / "demo" / "demo.gguf"
DEMO_NAME = "demo"
Write = Callable[[str], Any]


def migrate_database(write: Write) -> None:
    """Bring the tables up to date, making the folder of a new sqlite file first."""
    database = settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3" and database["NAME"] != ":memory:":
        Path(database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    count = num_pending_migrations()
    call_command("migrate", verbosity=0, interactive=False)
    write(f"database: {count} migrations applied" if count else "database: up to date")


def num_pending_migrations() -> int:
    """Return how many steps the tables are behind. Raises DatabaseError if the database cannot be asked."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def apply_config(config: Config, write: Write) -> list[str]:
    """Register the models of the configuration; return one message for each that could not be."""
    failures = []
    for entry in config.models:
        try:
            model, outcome = register(entry.name, _settings_of(entry), _defaults_of(config.generation))
            write(f"model {entry.name}: {outcome} ({model.kind})")
        except RegistrationError as error:
            write(f"model {entry.name}: failed")
            failures.append(str(error))
    return failures


def register_demo(config: Config, write: Write) -> list[str]:
    """Register the demo model, or read its file again; return why not, if it failed.

    Nothing happens when the configuration names models, or when another file or a preset has the demo's name.
    """
    path = portable_path(DEMO_PATH)
    namesake = RegisteredModel.objects.filter(name=DEMO_NAME).first()
    is_registered = namesake is not None and namesake.path == path
    is_taken = namesake is not None and not is_registered
    if config.models or is_taken or Preset.objects.filter(name=DEMO_NAME).exists():
        return []
    if not DEMO_PATH.exists():
        write(f"model {DEMO_NAME}: skipped, there is no {DEMO_PATH}")
        return []
    values = ({}, {}) if is_registered else ({"parallel": 8}, {"temperature": 0})
    try:
        model, outcome = register(DEMO_NAME, {"path": path, **values[0]}, values[1])
    except RegistrationError as error:
        return [str(error)]
    write(f"model {DEMO_NAME}: {outcome} ({model.kind})")
    return []


def create_admin_user(environ: Mapping[str, str], write: Write) -> list[str]:
    """Create a superuser if there is none; return why not, if it failed. A generated password is written once."""
    users = get_user_model().objects
    if users.filter(is_superuser=True).exists():
        write("admin user: unchanged")
        return []
    name = environ.get("DJANGO_SUPERUSER_USERNAME") or "admin"
    if users.filter(username=name).exists():
        return [f"The admin user was not created: {name!r} exists and is no superuser; set DJANGO_SUPERUSER_USERNAME."]
    password = environ.get("DJANGO_SUPERUSER_PASSWORD")
    generated = None if password else secrets.token_urlsafe(12)
    users.create_superuser(name, password=password or generated)
    shown = f"the password {generated} (shown only now)" if generated else "the password of DJANGO_SUPERUSER_PASSWORD"
    write(f"admin user: created {name!r} with {shown}")
    return []


def _settings_of(entry: ModelEntry) -> dict[str, Any]:
    """Return the fields that the file names; those it leaves out stay as the admin has set them."""
    return {key: getattr(entry, key) for key in entry.named if key != "name"}


def _defaults_of(generation: Generation) -> dict[str, Any]:
    defaults = {"temperature": generation.default_temperature, "max_tokens": generation.default_max_tokens}
    return {key: value for key, value in defaults.items() if value is not None}
