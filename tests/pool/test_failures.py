"""Failures: when a model that failed is worth trying again."""

import pytest

from inference.engine.config import EngineConfig
from inference.pool.failures import FIRST_PAUSE, LONGEST_PAUSE, Failures

CONFIG = EngineConfig("gone.gguf", 100)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def failures(clock):
    return Failures(clock)


def test_nothing_speaks_against_a_model_that_never_failed(failures):
    assert failures.blocking(1, CONFIG) is None


def test_the_pauses_grow_up_to_a_limit(failures, clock):
    pauses = []
    for _ in range(10):
        note = failures.note_load(1, CONFIG, "no memory", ("E log",))
        pauses.append(note.retry_at - clock.now)
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE


def test_after_the_pause_it_may_be_tried(failures, clock):
    failures.note_load(1, CONFIG, "no memory", ())
    assert failures.blocking(1, CONFIG).message == "no memory"
    clock.now += FIRST_PAUSE
    assert failures.blocking(1, CONFIG) is None
    assert failures.get(1).message == "no memory"


def test_other_models_and_settings_are_free(failures):
    failures.note_load(1, CONFIG, "no memory", ())
    assert failures.blocking(2, CONFIG) is None
    assert failures.blocking(1, EngineConfig("gone.gguf", n_ctx=512)) is None


def test_a_file_that_changes_is_free(failures, tmp_path):
    path = tmp_path / "m.gguf"
    config = EngineConfig(str(path), 100)
    failures.note_load(1, config, "there is no file", ())
    assert failures.blocking(1, config)
    path.write_bytes(b"GGUF")
    assert failures.blocking(1, config) is None


def test_other_settings_begin_with_a_short_pause(failures, clock):
    for _ in range(5):
        failures.note_load(1, CONFIG, "no memory", ())
    note = failures.note_load(1, EngineConfig("gone.gguf", n_ctx=512), "no memory", ())
    assert note.retry_at == clock.now + FIRST_PAUSE


def test_the_first_deaths_pause_nothing(failures):
    for _ in range(2):
        failures.note_death(1, CONFIG, "was killed", (), has_answered=False)
        assert failures.blocking(1, CONFIG) is None
    failures.note_death(1, CONFIG, "was killed", (), has_answered=False)
    assert failures.blocking(1, CONFIG).message == "was killed"


def test_an_answer_between_deaths_counts(failures):
    for _ in range(10):
        failures.note_death(1, CONFIG, "was killed", (), has_answered=True)
        assert failures.blocking(1, CONFIG) is None


def test_a_model_that_has_been_loaded_has_no_failure(failures):
    failures.note_load(1, CONFIG, "no memory", ())
    failures.clear(1)
    failures.clear(1)
    assert failures.get(1) is None
