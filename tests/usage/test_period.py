"""The stretches of time that the dashboard shows."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from tests.usage.hours import moment
from usage.period import DAY, MONTH, PERIODS, WEEK


@pytest.mark.parametrize(("period", "length"), [(DAY, 24), (WEEK, 7 * 24), (MONTH, 30 * 24)])
def test_the_last_step_is_the_one_that_runs(period, length):
    now = moment(31, 13, 45)
    starts = period.starts(now)
    assert starts[-1] <= now < starts[-1] + period.step
    assert starts[-1] + period.step - starts[0] == timedelta(hours=length)
    assert all(later - earlier == period.step for earlier, later in pairwise(starts))


def test_steps_begin_where_the_operators_day_begins():
    with timezone.override("Europe/Moscow"):
        assert {start.hour for start in MONTH.starts(moment(31, 22))} == {0}
        assert MONTH.starts(moment(30, 22))[-1].day == 31
        assert {start.hour for start in WEEK.starts(moment(31, 22))} == {0, 6, 12, 18}


def test_periods_are_found_by_their_names():
    assert list(PERIODS) == ["24h", "7d", "30d"]
