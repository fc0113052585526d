"""What the API serves under a name, as it needs it for every request, without a query for every request."""

from collections.abc import Callable

from registry.models import GenerationDefaults, LoraAdapter, Observation, Preset, RegisteredModel
from registry.queries import query
from registry.served_model import ServedModel, served_model
from registry.table_versions import SqliteVersion, watch

WATCHED = "registrations"


class EnabledModels:
    """Looks up what is served under a name, registration or preset, and keeps it until any of them changes.

    version: tells two states of the registrations apart; where it is None, every look is a query.
    """

    def __init__(self, version: Callable[[], int | None]) -> None:
        self._version = version
        self._found: dict[str, tuple[int, ServedModel]] = {}

    async def get(self, name: str) -> ServedModel:
        """Return what is served under `name`; raise RegisteredModel.DoesNotExist if there is nothing."""
        version = self._version()
        found = self._found.get(name)
        if found and found[0] == version:
            return found[1]
        self._found.pop(name, None)
        model = await query(served_model, name)
        if version is not None:
            self._found[name] = version, model
        return model


# All that `for_api` reads.
watch(WATCHED, RegisteredModel, GenerationDefaults, Observation, LoraAdapter, Preset)
enabled_models = EnabledModels(SqliteVersion(WATCHED))
