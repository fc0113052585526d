"""The geometry and the texts of charts."""

import pytest

from console.charts import Chart, Series, nice


def chart(*series: list, is_stacked: bool = True) -> Chart:
    named = [Series(f"s{number}", values) for number, values in enumerate(series)]
    return Chart("Title", ["a", "b", "c"][: len(series[0])], named, lambda value: f"{value:g}", is_stacked)


@pytest.mark.parametrize(
    ("most", "top"), [(0, 2), (1, 2), (2, 2), (3, 5), (5, 5), (5.1, 10), (99, 100), (101, 200), (0.3, 2)]
)
def test_the_top_is_a_round_number_at_or_above_all_values(most, top):
    assert nice(most) == top


def test_bars_stand_on_each_other():
    (_said, stack), *_rest = chart([5, 0], [3, 10]).bars()
    assert stack == [(0, "M1 100.00V50.00H9V100.00Z"), (1, "M1 50.00V20.00H9V50.00Z")]


def test_nothing_has_no_bar():
    assert [len(stack) for _said, stack in chart([0, 4]).bars()] == [0, 1]


def test_each_place_says_its_values_and_leaves_out_what_is_nothing():
    bars = chart([5, 0], [3, 0]).bars()
    assert [said for said, _stack in bars] == ["a: s0 5, s1 3", "b: 0"]


def test_a_line_is_broken_where_there_is_no_value():
    ((number, path),) = chart([10, 5, None], is_stacked=False).lines()
    assert (number, path) == (0, "M5 0.00L15 50.00")
    ((_number, broken),) = chart([10, None, 10], is_stacked=False).lines()
    assert broken == "M5 0.00h0.01M25 0.00h0.01"


def test_lines_are_not_added_up():
    assert chart([4, 4], [4, 4], is_stacked=False).top == 5
    assert chart([4, 4], [4, 4]).top == 10


def test_the_axes_name_their_ends_and_middles():
    found = chart([1, 10, 3])
    assert found.ticks == ["10", "5", "0"]
    assert found.edges == ["a", "b", "c"]


def test_the_table_has_all_values():
    assert chart([1, None], [2, 3]).rows() == [("a", ["1", "2"]), ("b", ["–", "3"])]


def test_it_knows_when_there_is_nothing_to_draw():
    assert chart([0, None]).is_empty
    assert not chart([0, 1]).is_empty
