"""StepBudget: steps that keep to their time, by what earlier ones took."""

import pytest

from inference.engine.step_budget import FIRST_CHUNK, LONELY_STEP, MIN_CHUNK, StepBudget


def measured(decode: float, token: float, target: float = 0.2) -> StepBudget:
    """Return a budget that has seen steps of these costs, in seconds."""
    budget = StepBudget(target, n_batch=512)
    for _ in range(30):
        budget.observe(4, 0, decode)
        budget.observe(4, 128, decode + 128 * token)
    return budget


def test_before_it_has_measured_it_is_careful_beside_others_only():
    budget = StepBudget(0.2, n_batch=512)
    assert budget.prefill_tokens(4) == FIRST_CHUNK
    assert budget.prefill_tokens(0) == 512
    assert budget.prefill_seconds(1) == float("inf")


def test_a_step_takes_what_it_may():
    budget = measured(decode=0.03, token=0.001)
    assert budget.prefill_tokens(4) == pytest.approx(170, abs=1)
    assert budget.decode_seconds == pytest.approx(0.03)
    assert budget.prefill_seconds(100) == pytest.approx(0.1)


def test_chunks_are_never_so_small_that_they_waste_the_step():
    assert measured(decode=0.19, token=0.01).prefill_tokens(4) == MIN_CHUNK


def test_the_batch_bounds_all():
    budget = measured(decode=0.001, token=0.00001)
    assert budget.prefill_tokens(4) == 508
    assert budget.prefill_tokens(0) == 512


def test_a_lonely_prompt_does_not_take_steps_of_minutes():
    assert measured(decode=0.03, token=0.01).prefill_tokens(0) == int(LONELY_STEP / 0.01)


def test_a_disturbed_step_changes_little():
    budget = measured(decode=0.03, token=0.001)
    budget.observe(4, 128, 60.0)
    assert budget.prefill_seconds(1) < 0.003


def test_a_rest_of_a_prompt_tells_nothing():
    budget = measured(decode=0.03, token=0.001)
    budget.observe(4, 3, 0.04)
    assert budget.prefill_seconds(1) == pytest.approx(0.001)
