"""The enabled registrations as the API needs them for every request, without a query for every request."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection

from registry.models import RegisteredModel
from registry.queries import query


class SqliteVersion:
    """A number that changes with every commit to an SQLite file, whichever process makes it.

    It is read in microseconds and without waiting for anybody (https://www.sqlite.org/pragma.html#pragma_data_version).
    settings: returns the entry of Django's DATABASES in use.
    """

    def __init__(self, settings: Callable[[], dict[str, Any]] = lambda: connection.settings_dict) -> None:
        self._settings = settings
        self._connection: sqlite3.Connection | None = None

    def __call__(self) -> int | None:
        """Return the number; None where the database is no SQLite file. Always call it from the same thread."""
        if self._connection is None:
            settings = self._settings()
            is_file = settings["ENGINE"] == "django.db.backends.sqlite3" and Path(settings["NAME"]).is_file()
            if not is_file:
                return None
            self._connection = sqlite3.connect(settings["NAME"])
        return self._connection.execute("PRAGMA data_version").fetchone()[0]


class EnabledModels:
    """Looks registrations up by their names and keeps them until anything in the database changes.

    version: tells two states of the database apart; where it is None, every look is a query.
    """

    def __init__(self, version: Callable[[], int | None]) -> None:
        self._version = version
        self._found: dict[str, tuple[int, RegisteredModel]] = {}

    async def get(self, name: str) -> RegisteredModel:
        """Return an enabled model, not to be changed; raise RegisteredModel.DoesNotExist if there is none."""
        version = self._version()
        found = self._found.get(name)
        if found and found[0] == version:
            return found[1]
        self._found.pop(name, None)
        model = await query(RegisteredModel.objects.for_api, name)
        if version is not None:
            self._found[name] = version, model
        return model


enabled_models = EnabledModels(SqliteVersion())
