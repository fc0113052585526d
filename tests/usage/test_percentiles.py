"""Percentiles of times to the first token, out of an hour's counts."""

import pytest

from usage.models import FIRST_TOKEN_BOUNDS
from usage.percentiles import counts_of, merged, percentile

NONE = [0] * (len(FIRST_TOKEN_BOUNDS) + 1)


def counts(**classes: int) -> list[int]:
    """Return counts by the upper bounds of their classes: counts(upto_10=3)."""
    found = [*NONE]
    for name, count in classes.items():
        bound = name.removeprefix("upto_")
        found[FIRST_TOKEN_BOUNDS.index(int(bound)) if bound.isdigit() else -1] = count
    return found


@pytest.mark.parametrize("nothing", [[], NONE])
def test_of_no_first_tokens_there_is_no_percentile(nothing):
    assert percentile(nothing, 0.5) is None


def test_times_are_spread_evenly_within_a_class():
    assert percentile(counts(upto_100=4), 0.5) == 87.5
    assert percentile(counts(upto_100=4), 1) == 100


def test_the_first_class_begins_at_nothing():
    assert percentile(counts(upto_10=10), 0.5) == 5


def test_classes_without_counts_are_passed_over():
    both = counts(upto_10=50, upto_1000=50)
    assert percentile(both, 0.5) == 10
    assert percentile(both, 0.51) == pytest.approx(755)
    assert percentile(both, 0.95) == pytest.approx(750 + 250 * 0.9)


def test_the_lowest_percentile_is_where_the_first_class_with_counts_begins():
    assert percentile(counts(upto_1000=3), 0) == 750


def test_what_came_after_the_last_bound_counts_as_having_come_there():
    assert percentile(counts(later=1), 0.5) == FIRST_TOKEN_BOUNDS[-1]
    assert percentile(counts(upto_10=1, later=9), 0.95) == FIRST_TOKEN_BOUNDS[-1]


def test_counts_are_added_up_class_by_class():
    assert merged([counts(upto_10=1), counts(upto_10=2, later=3)]) == counts(upto_10=3, later=3)


def test_rows_that_never_had_counts_are_left_out():
    assert merged([[], counts(upto_10=1), []]) == counts(upto_10=1)
    assert merged([[]]) == merged([]) == []


def test_what_the_database_has_joined_is_added_up():
    assert counts_of("[1, 2],[3, 4],[]") == [4, 6]
    assert counts_of("") == counts_of(None) == []


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_it_is_near_the_true_percentile(share):
    times = [(number * 7919) % 3000 for number in range(1000)]
    found = [*NONE]
    for time in times:
        found[next(place for place, bound in enumerate(FIRST_TOKEN_BOUNDS) if time <= bound)] += 1
    true = sorted(times)[int(share * 1000) - 1]
    assert percentile(found, share) == pytest.approx(true, rel=0.02)
