"""What went wrong with a model last, and when it is worth trying again."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from inference.engine.config import EngineConfig
from inference.pool.fingerprint import file_stamp

FIRST_PAUSE = 5.0  # seconds before a model that failed is tried again; doubled each time
LONGEST_PAUSE = 300.0
FREE_DEATHS = 2  # engines that may die one after the other before it counts as a failure to load


@dataclass(frozen=True)
class FailureNote:
    """log: the last lines of the engine's log. at, retry_at: seconds since the epoch."""

    message: str
    log: tuple[str, ...]
    at: float
    retry_at: float
    times: int
    config: EngineConfig
    stamp: tuple[int, int] | None


class Failures:
    """Remembers the last failure of each model.

    A changed configuration or file makes it worth trying at once.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._notes: dict[int, FailureNote] = {}
        self._deaths: dict[int, int] = {}
        self._clock = clock

    def keys(self) -> list[int]:
        """Return whose last failure is remembered; from any thread."""
        return list(self._notes)

    def get(self, key: int) -> FailureNote | None:
        return self._notes.get(key)

    def blocking(self, key: int, config: EngineConfig) -> FailureNote | None:
        """Return the failure that speaks against loading this model now; None if nothing does."""
        note = self._notes.get(key)
        is_same = note and note.config == config and note.stamp == file_stamp(config.model_path)
        return note if is_same and self._clock() < note.retry_at else None

    def note_load(self, key: int, config: EngineConfig, message: str, log: tuple[str, ...]) -> FailureNote:
        """Remember a failed load."""
        before = self._notes.get(key)
        times = before.times + 1 if before and before.config == config else 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (times - 1))
        return self._note(key, config, message, log, times, pause)

    def note_death(
        self, key: int, config: EngineConfig, message: str, log: tuple[str, ...], has_answered: bool
    ) -> FailureNote:
        """Remember that an engine died. Those that die one after the other without an answer count as failed loads."""
        self._deaths[key] = 1 if has_answered else self._deaths.get(key, 0) + 1
        if self._deaths[key] > FREE_DEATHS:
            return self.note_load(key, config, message, log)
        return self._note(key, config, message, log, 0, 0.0)

    def clear(self, key: int) -> None:
        """Forget the last failure, once the model is loaded."""
        self._notes.pop(key, None)

    def _note(
        self, key: int, config: EngineConfig, message: str, log: tuple[str, ...], times: int, pause: float
    ) -> FailureNote:
        now = self._clock()
        note = FailureNote(message, log, now, now + pause, times, config, file_stamp(config.model_path))
        self._notes[key] = note
        return note
