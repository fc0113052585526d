"""Making room for a model within the budget."""

import logging
import time
from collections.abc import Callable

from inference.client import EngineLoadError
from inference.memory import NOTHING, Limit, Memory, shown, total
from inference.pool.budget import Budget, GPUs
from inference.pool.changes import Changes
from inference.pool.contracts import Advise, Dismiss
from inference.pool.model_spec import ModelSpec
from inference.pool.resident import Resident
from inference.pool.residents import Residents
from inference.pool.victims import choose_victims

logger = logging.getLogger("inference.pool")

PATIENCE = 10.0  # seconds that a model waits for others to fall idle before they get no new requests
LOOK_AGAIN = 1.0  # seconds; memory may become free without anybody telling


class Room:
    """Decides who has to go. dismiss: takes a model out of service once its open requests are answered."""

    def __init__(
        self,
        residents: Residents,
        budget: Budget,
        changes: Changes,
        dismiss: Dismiss,
        advise: Advise | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._residents = residents
        self._budget = budget
        self._gpus = GPUs(budget)
        self._changes = changes
        self._dismiss = dismiss
        self._advise = advise
        self._clock = clock

    @property
    def limit(self) -> Limit:
        """What all models together may take at the moment."""
        return self._budget.limit(self._residents.taken, self._gpus.found)

    async def make(self, resident: Resident, need: Memory) -> None:
        """Set memory aside for a model, as soon as there is enough. Raises EngineLoadError if there never can be."""
        await self._gpus.look(self._residents.loaded.devices)
        waiting_since = self._clock()
        while True:
            seen, used, limit = self._changes.count, self._residents.used, self.limit
            await self._refuse_hopeless(resident.spec, need, limit)
            if limit.allows(used + need):
                resident.reserved = need
                return
            is_patient = self._clock() - waiting_since < PATIENCE
            candidates = self._residents.idle if is_patient else self._residents.movable
            staying = used - total(each.memory for each in self._residents.leaving)
            for victim in choose_victims(staying, need, limit, candidates) or ():
                logger.info("unloading %s to make room for %s", victim.spec.name, resident.spec.name)
                self._dismiss(victim, "memory")
            await self._changes.after(seen, LOOK_AGAIN)

    def victims(self, need: Memory) -> list[Resident] | None:
        """Return those who would have to go for so much memory now; None if only busy ones could."""
        return choose_victims(self._residents.used, need, self.limit, self._residents.idle)

    def shrink(self) -> None:
        """Unload idle models if all of them have grown beyond the budget together."""
        if self._residents.leaving or self.limit.allows(self._residents.used):
            return
        for victim in self.victims(NOTHING) or ():
            logger.warning("unloading %s: the models have outgrown the memory budget", victim.spec.name)
            self._dismiss(victim, "memory")

    async def _refuse_hopeless(self, spec: ModelSpec, need: Memory, limit: Limit) -> None:
        """Raise EngineLoadError for what would not even fit if all but the pinned models were gone."""
        pinned = self._residents.pinned_beside(spec.key)
        kept = total(each.memory for each in pinned)
        if limit.allows(kept + need):
            return
        names = ", ".join(each.spec.name for each in pinned)
        beside = f", of which the pinned models ({names}) keep {shown(kept)}" if pinned else ""
        numbers = f"it needs {shown(need)} of memory, the models may take {shown(limit)}{beside}"
        advice = await self._advise(spec.config, (limit.host or 0) - kept.host) if self._advise else ""
        raise EngineLoadError(f"{numbers}; {advice}" if advice else numbers)
