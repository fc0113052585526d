"""The stretches of time that the dashboard shows."""

from itertools import pairwise

import pytest

from tests.usage.hours import moment
from usage.period import DAY, LENGTHS, MONTH, PERIODS, WEEK


@pytest.mark.parametrize(("period", "count"), [(DAY, 24), (WEEK, 7), (MONTH, 30)])
def test_the_last_step_is_the_one_that_runs(period, count):
    now = moment(31, 13, 45)
    starts, length = period.starts(now), LENGTHS[period.length]
    assert len(starts) == count
    assert starts[-1] <= now < starts[-1] + length
    assert all(later - earlier == length for earlier, later in pairwise(starts))


def test_days_begin_at_midnight():
    assert {start.hour for start in MONTH.starts(moment(31, 22))} == {0}


def test_periods_are_found_by_their_names():
    assert list(PERIODS) == ["24h", "7d", "30d"]
