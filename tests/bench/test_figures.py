"""From timings to figures."""

import pytest

from inference.bench.client import Timing
from inference.bench.figures import FIRST_TOKEN_P50, GAP_MAX, gap_figures, medians, percentile, ratios, share, speed
from inference.bench.load import Load


def test_figures_add_up():
    load = Load(
        [
            Timing(started=0.0, arrivals=[1.0, 1.1, 1.3], completion_tokens=3),
            Timing(started=0.5, arrivals=[2.5, 2.6, 2.7], completion_tokens=5),
        ],
        seconds=4.0,
    )
    figures = speed(load)
    assert figures["tokens_per_second"] == 2.0
    assert (figures["first_token_p50"], figures["first_token_p95"]) == (1.0, 2.0)
    assert figures["gap_p50"] == pytest.approx(100)
    assert figures["gap_p99"] == figures["gap_max"] == pytest.approx(200)


def test_answers_of_one_token_have_no_gaps():
    assert set(gap_figures([]).values()) == {None}


@pytest.mark.parametrize(("percent", "value"), [(50, 2), (75, 3), (99, 4), (1, 1)])
def test_percentile(percent, value):
    assert percentile([4, 1, 3, 2], percent) == value


@pytest.mark.parametrize(
    ("part", "whole", "percent"), [([1, 2], [4, 4], 37.5), ([1, None], [4, 4], None), ([], [], None)]
)
def test_share(part, whole, percent):
    assert share(part, whole) == percent


def test_medians_of_rounds():
    rounds = [{"a": 3.0, "b": 1.0}, {"a": 1.0, "b": None}, {"a": 2.0, "b": 1.0}]
    assert medians(rounds) == {"a": 2.0, "b": None}


def test_ratios_are_of_one_round_each():
    ours = [{"a": 3.0, "b": 1.0, "c": None}, {"a": 1.0, "b": 1.0, "c": 1.0}]
    theirs = [{"a": 2.0, "b": 0.0, "c": 1.0}, {"a": 4.0, "b": None, "c": 2.0}]
    assert ratios(ours, theirs) == [{"a": 1.5, "b": None, "c": None}, {"a": 0.25, "b": None, "c": 0.5}]


def test_a_figure_that_is_not_known_is_a_dash():
    assert (GAP_MAX.text(None), GAP_MAX.text(12.4), FIRST_TOKEN_P50.text(1.234)) == ("–", "12 ms", "1.23 s")
