"""Numbers that change whenever certain tables do, so that what was read from them may be kept until then.

SQLite tells in microseconds whether anything in a file has changed (`PRAGMA data_version`), but the request log is in
the same file and changes all the time. So triggers count the changes of the tables that matter, whoever makes them
and however: also `QuerySet.update` and another process. They are made after each `migrate`, since Django rebuilds
tables to change them, and triggers go with the old one. Other databases have none: there, every look is a query.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection, connections, models
from django.utils.translation import gettext_lazy as _

_watched: dict[str, list[type[models.Model]]] = {}


class TableVersion(models.Model):
    """How often the tables of a group have changed."""

    name = models.CharField(max_length=32, primary_key=True)
    number = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = _("state of the tables")
        verbose_name_plural = _("states of the tables")

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


def watch(name: str, *tables: type[models.Model]) -> None:
    """Count the changes of these models' tables under a name; before the database is migrated."""
    _watched[name] = list(tables)


def install(using: str, **_: Any) -> None:
    """Make the triggers, and count what has been done without them; Django's signal post_migrate calls it."""
    database = connections[using]
    if database.vendor != "sqlite":
        return
    existing = set(database.introspection.table_names())
    if TableVersion._meta.db_table not in existing:
        return
    with database.cursor() as cursor:
        for name, tables in _watched.items():
            cursor.execute(_count(name))
            for table in {model._meta.db_table for model in tables} & existing:
                for event in ("insert", "update", "delete"):
                    cursor.execute(_trigger(name, table, event))


def _trigger(name: str, table: str, event: str) -> str:
    head = f'CREATE TRIGGER IF NOT EXISTS "{name}_{table}_{event}" AFTER {event} ON "{table}"'
    return f"{head} BEGIN {_count(name)}; END"


def _count(name: str) -> str:
    row = f"{TableVersion._meta.db_table} (name, number) VALUES ('{name}', 1)"
    return f"INSERT INTO {row} ON CONFLICT (name) DO UPDATE SET number = number + 1"


class SqliteVersion:
    """The number of a group of tables in an SQLite file. It is read in microseconds and without waiting for anybody.

    settings: returns the entry of Django's DATABASES in use.
    """

    def __init__(self, name: str, settings: Callable[[], dict[str, Any]] = lambda: connection.settings_dict) -> None:
        self._name = name
        self._settings = settings
        self._connection: sqlite3.Connection | None = None

    def __call__(self) -> int | None:
        """Return the number; None where nobody counts. Always call it from the same thread."""
        if self._connection is None:
            settings = self._settings()
            is_file = settings["ENGINE"] == "django.db.backends.sqlite3" and Path(settings["NAME"]).is_file()
            if not is_file:
                return None
            self._connection = sqlite3.connect(settings["NAME"], timeout=0)
        query = f"SELECT number FROM {TableVersion._meta.db_table} WHERE name = ?"  # noqa: S608
        try:
            row = self._connection.execute(query, (self._name,)).fetchone()
        except sqlite3.OperationalError:  # locked as a whole, as by VACUUM
            return None
        return row[0] if row else None
