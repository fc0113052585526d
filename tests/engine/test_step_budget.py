"""StepBudget: steps that keep to their time, by what earlier ones took."""

import pytest

from inference.engine.step_budget import FIRST_CHUNK, LONELY_STEP, StepBudget

MIN_CHUNK = 32


def new_budget(target: float = 0.2) -> StepBudget:
    return StepBudget(target, n_batch=512)


def measured(decode: float, token: float, deeper: float = 0.0) -> StepBudget:
    """Return a budget that has seen steps of these costs: seconds of a token, and more for each one before it."""
    budget = new_budget()
    for depth in range(0, 2000, 100):
        budget.observe(4, 0, decode)
        budget.observe(4, 100, decode + 100 * (token + deeper * (depth + 50)), depth + 50)
    return budget


def test_before_it_has_measured_it_is_careful_beside_others_only():
    budget = new_budget()
    assert budget.prefill_tokens(4) == FIRST_CHUNK
    assert budget.prefill_tokens(0) == 512
    assert budget.prefill_seconds(1) == float("inf")


def test_a_step_takes_what_it_may():
    budget = measured(decode=0.03, token=0.001)
    assert budget.prefill_tokens(4) == pytest.approx(170, abs=1)
    assert budget.decode_seconds(4) == pytest.approx(0.03)
    assert budget.prefill_seconds(100) == pytest.approx(0.1)


def test_fewer_sequences_leave_more_room_than_many():
    budget = new_budget()
    for num_decoding in (1, 2, 4, 8, 8, 8, 8):
        budget.observe(num_decoding, 0, 0.002 * num_decoding)
        budget.observe(num_decoding, 100, 0.002 * num_decoding + 0.1, 50)
    assert budget.prefill_tokens(8) == pytest.approx(184, abs=2)
    assert budget.prefill_tokens(1) == pytest.approx(198, abs=2)
    assert budget.prefill_seconds(100) == pytest.approx(0.1)


@pytest.mark.parametrize(("decode", "share"), [(0.03, 0.17), (0.05, 0.25), (0.1, 0.5), (0.15, 0.75), (0.3, 1.0)])
def test_streams_that_take_much_of_a_step_hold_prompts_up_by_a_fifth(decode: float, share: float):
    """As with a model of which a step of its streams takes nearly as long as one with prompts may; up to 5 targets."""
    assert measured(decode, token=0.005).prefill_tokens(4) == pytest.approx(share / 0.005, abs=1)


def test_it_takes_longer_the_deeper_a_prompt_is():
    budget = measured(decode=0.03, token=0.0006, deeper=0.0000005)
    counts = [budget.prefill_tokens(4, depth) for depth in (0, 1000, 2000)]
    for depth, count in zip((0, 1000, 2000), counts, strict=True):
        assert count * (0.0006 + 0.0000005 * (depth + count / 2)) == pytest.approx(0.17, rel=0.02)


def test_short_prompts_do_not_tell_what_long_ones_cost():
    budget = new_budget()
    for _ in range(50):
        budget.observe(0, 40, 0.04, 20)
    assert budget.prefill_seconds(2000) == pytest.approx(2.0)


def test_chunks_are_never_so_small_that_they_waste_the_step():
    assert measured(decode=0.03, token=0.01).prefill_tokens(4) == MIN_CHUNK


def test_the_batch_bounds_all():
    budget = measured(decode=0.001, token=0.00001)
    assert budget.prefill_tokens(4) == 508
    assert budget.prefill_tokens(0) == 512


def test_streams_with_a_batch_of_their_own_leave_all_of_it():
    budget = StepBudget(0.2, n_batch=32, shares_batch=False)
    budget.observe(31, 0, 0.01)
    budget.observe(0, 32, 0.01, 16)
    assert budget.prefill_tokens(31) == 32


def test_a_lonely_prompt_does_not_take_steps_of_minutes():
    assert measured(decode=0.03, token=0.01).prefill_tokens(0) == pytest.approx(LONELY_STEP / 0.01, abs=1)


def test_a_disturbed_step_changes_little():
    budget = measured(decode=0.03, token=0.001)
    budget.observe(4, 128, 60.0, 64)
    budget.observe(4, 0, 60.0)
    assert budget.prefill_seconds(1) < 0.003
    assert budget.decode_seconds(4) < 0.1


def test_a_rest_of_a_prompt_tells_nothing():
    budget = measured(decode=0.03, token=0.001)
    budget.observe(4, 3, 0.04)
    assert budget.prefill_seconds(1) == pytest.approx(0.001)


def test_prompts_that_were_all_deep_say_nothing_wrong_of_the_first_tokens():
    """As after a restart, when the first conversations come back from disk."""
    budget = StepBudget(target=0.2, n_batch=512)
    for depth in (500, 900, 1500, 1800):
        budget.observe(0, 64, depth * 1e-5 * 64, depth)
    assert 32 <= budget.prefill_tokens(2, 0) <= 510
    assert 32 <= budget.prefill_tokens(0, 0) <= 512
