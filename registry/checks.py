"""System checks: what was fine when a model was registered and no longer is.

They read the database, so they run with `manage.py check --database default` and before `migrate`.
"""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004 - Django's name
from django.db import connections

from registry.gguf import modified_at


@register(Tags.database)
def check_model_files(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn of enabled models whose file is gone (registry.W001) or was changed (registry.W002)."""
    from registry.models import RegisteredModel  # models are not loaded yet when this module is

    if "default" not in (databases or ()):
        return []
    if RegisteredModel._meta.db_table not in connections["default"].introspection.table_names():
        return []  # before the first migrate
    # No other columns: this also runs before a migration that adds some.
    columns = ("name", "path", "inspected_at", "file_mtime")
    models = RegisteredModel.objects.using("default").enabled().only(*columns)
    return [warning for warning in map(_check_file, models) if warning]


def _check_file(model: Any) -> CheckMessage | None:
    if modified_at(model.resolved_path) is None:
        return Warning(
            f"The file of the model {model.name} is gone: {model.resolved_path}.",
            hint="Bring it back, correct the path in the admin, or disable the model.",
            obj=model,
            id="registry.W001",
        )
    if model.needs_inspection:
        return Warning(
            f"The file of the model {model.name} has changed since it was read: {model.resolved_path}.",
            hint="Save the model in the admin once, or run `manage.py setup` if the configuration names it.",
            obj=model,
            id="registry.W002",
        )
    return None
