"""One run of the test set on one model."""

import time
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import Any

from inference.client import EngineLoadError
from inference.exceptions import APIError
from inference.pool import EnginePool
from inference.pool.changes import Changes
from inference.pool.fingerprint import fingerprint
from inference.specs import model_spec
from inference.trials.asker import Asker
from inference.trials.catalogue import TRIALS, Trial
from inference.trials.outcome import Outcome
from registry.model_tests import ModelTest, TestState
from registry.served_model import ServedModel

WAITING = "waiting"
RUNNING = "running"
UNLOADED_CODES = ("model_unloaded", "worker_died")
FAILED_MESSAGE = "%(error)s"


@dataclass(frozen=True)
class Step:
    """What one trial has found. message: English, to be translated and filled with params."""

    name: str
    passed: bool
    message: str
    params: dict[str, Any]
    seconds: float


class ModelHasLeft(Exception):
    """The model has been unloaded while it was tested."""


@dataclass
class TestRun:
    """state: `waiting`, `running`, or one of TestState once it has ended. current: the trial that runs, "" if none.

    changes: counts what happens to it.
    """

    model: ServedModel
    state: str = WAITING
    current: str = ""
    error: str = ""
    steps: list[Step] = field(default_factory=list)
    capabilities: dict[str, Any] = field(default_factory=dict)
    started_at: datetime | None = None
    seconds: float = 0.0
    changes: Changes = field(default_factory=Changes)

    @property
    def has_ended(self) -> bool:
        return self.state not in (WAITING, RUNNING)

    async def run(self, pool: EnginePool, trials: tuple[Trial, ...] = TRIALS) -> None:
        """Load the model and try everything. Ends with a state in any case; cancelling it is one of them."""
        self.state, self.started_at = RUNNING, datetime.now(timezone.utc)
        began = time.perf_counter()
        self.changes.notify()
        state = TestState.CANCELLED
        try:
            state = await self._try_all(pool, trials)
        finally:
            self.seconds = round(time.perf_counter() - began, 2)
            self.end(state)

    def end(self, state: TestState) -> None:
        """Take notice that no more will come."""
        self.state, self.current = state.value, ""
        self.changes.notify()

    async def _try_all(self, pool: EnginePool, trials: tuple[Trial, ...]) -> TestState:
        try:
            engine = await pool.load(model_spec(self.model.registration), insist=True)
        except EngineLoadError as error:
            self.error = str(error)
            return TestState.FAILED
        asker = Asker(pool, self.model)
        try:
            for trial in trials:
                if not engine.is_alive or self._pid(pool) != engine.pid:
                    return TestState.UNLOADED
                await self._try(trial, asker)
        except ModelHasLeft:
            return TestState.UNLOADED
        self._measure(pool)
        return TestState.FINISHED

    async def _try(self, trial: Trial, asker: Asker) -> None:
        self.current = trial.name
        self.changes.notify()
        began = time.perf_counter()
        has_left = False
        try:
            outcome = await trial.run(asker)
        except APIError as error:
            outcome = Outcome(False, FAILED_MESSAGE, {"error": error.message})
            has_left = error.code in UNLOADED_CODES
        seconds = round(time.perf_counter() - began, 2)
        self.steps.append(Step(trial.name, outcome.passed, outcome.message, outcome.params, seconds))
        self._learn(outcome.capabilities)
        self.changes.notify()
        if has_left:
            raise ModelHasLeft

    def _learn(self, capabilities: dict[str, Any]) -> None:
        for name, value in capabilities.items():
            known = self.capabilities.get(name)
            self.capabilities[name] = [*known, *value] if isinstance(known, list) else value

    def _measure(self, pool: EnginePool) -> None:
        status = pool.status().get(self.model.registration.pk)
        if status:
            self._learn({"host_bytes": status.memory.host, "device_bytes": sum(status.memory.devices)})

    def _pid(self, pool: EnginePool) -> int | None:
        status = pool.status().get(self.model.registration.pk)
        return status.pid if status else None

    def as_row(self) -> ModelTest:
        """Return the ended run as the database keeps it, unsaved."""
        registration = self.model.registration
        return ModelTest(
            model_id=registration.pk,
            started_at=self.started_at or datetime.now(timezone.utc),
            seconds=self.seconds,
            state=self.state,
            steps=[asdict(step) for step in self.steps],
            capabilities=self.capabilities,
            settings=settings_of(self.model),
            settings_hash=settings_hash(self.model),
        )


def settings_of(model: ServedModel) -> dict[str, Any]:
    """Return what people want to know of how a model ran."""
    registration = model.registration
    return {
        "context": registration.context_length,
        "parallel": registration.parallel,
        "quantization": registration.quantization,
        "kv_type_k": registration.kv_type_k,
        "kv_type_v": registration.kv_type_v,
        "gpu_layers": registration.gpu_layers,
        "speculation": registration.speculation,
    }


def settings_hash(model: ServedModel) -> str:
    """Return what changes with the model's file and settings. Asks the database for its adapters unless fetched."""
    return fingerprint(model_spec(model.registration).config)
