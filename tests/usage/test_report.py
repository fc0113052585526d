"""The report of who used what, and its CSV."""

import csv
from datetime import date

import pytest

from access.models import APIKey
from tests.usage.hours import add_hour, first_tokens, moment
from usage.models import UsageHour
from usage.report import Report
from usage.report_csv import HEADERS, csv_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def key() -> APIKey:
    return APIKey.create("Chats")[0]


def report(*groups: str, first: int = 1, last: int = 31, **only: str) -> Report:
    return Report(date(2026, 5, first), date(2026, 5, last), groups, **only)


def requests(*groups: str, **options: object) -> list[tuple]:
    lines = report(*groups, **options).lines()
    found = [(line.day and line.day.day, line.model, line.key, line.sums.requests) for line in lines]
    return [tuple(value for value in line if value is not None) for line in found]


def test_hours_are_summed_up_by_day_the_latest_first():
    add_hour(moment(3, 0), requests=1)
    add_hour(moment(3, 23), requests=2)
    add_hour(moment(4, 0), requests=4)
    assert requests("day") == [(4, 4), (3, 3)]


def test_hours_are_summed_up_by_model_the_busiest_first(key):
    add_hour(moment(3), "idle", requests=1)
    add_hour(moment(3), "busy", requests=2)
    add_hour(moment(4), "busy", key, requests=3)
    assert requests("model") == [("busy", 5), ("idle", 1)]


def test_hours_are_summed_up_by_key_and_it_is_named(key):
    add_hour(moment(3), key=key, requests=2)
    add_hour(moment(4), "other", key, requests=3)
    add_hour(moment(4), requests=1)
    lines = list(report("key").lines())
    assert [(line.key, line.key_name, line.sums.requests) for line in lines] == [
        (key.prefix, "Chats", 5),
        ("", "", 1),
    ]


def test_what_a_deleted_key_has_used_stays(key):
    add_hour(moment(3), key=key, requests=2)
    prefix = key.prefix
    key.delete()
    line = next(report("key").lines())
    assert (line.key, line.key_name, line.sums.requests) == (prefix, "", 2)


def test_groups_can_be_combined(key):
    add_hour(moment(3, 1), key=key, requests=1)
    add_hour(moment(3, 2), key=key, requests=1)
    add_hour(moment(3, 2), requests=5)
    assert requests("day", "model", "key") == [(3, "demo", "", 5), (3, "demo", key.prefix, 2)]


def test_both_ends_belong_to_it():
    for day in (2, 3, 5, 6):
        add_hour(moment(day, 0 if day != 5 else 23))
    assert requests("day", first=3, last=5) == [(5, 1), (3, 1)]


def test_it_can_be_about_one_model_and_one_key(key):
    add_hour(moment(3), "a", key, requests=1)
    add_hour(moment(3), "a", requests=2)
    add_hour(moment(3), "b", key, requests=4)
    assert requests("day", model="a", key=key.prefix) == [(3, 1)]


def test_without_keys_it_says_the_same_as_with_them():
    key = APIKey.create("Chats")[0]
    add_hour(moment(3, 1), "a", key, requests=1)
    add_hour(moment(3, 2), "a", requests=2)
    add_hour(moment(4, 0), "b", key, requests=4)
    assert requests("day", "model") == [(4, "b", 4), (3, "a", 3)]
    assert requests("day", "model", key=key.prefix) == [(4, "b", 4), (3, "a", 1)]
    assert requests("day", model="a") == [(3, 3)]
    assert report("day").total() == report("day", "key").total()


def test_percentiles_are_those_of_all_hours_together():
    add_hour(moment(3, 1), first_token_counts=first_tokens(100, 1))
    add_hour(moment(3, 2), first_token_counts=first_tokens(1000, 9))
    sums = next(report("day").lines()).sums
    assert sums.first_token_ms(0.1) == 100
    assert sums.first_token_ms(1) == report().total().first_token_ms(1) == 1000


def test_the_total_is_that_of_all_lines():
    add_hour(moment(3), "a", requests=3, errors=1, prompt_tokens=100, cached_tokens=25, completion_tokens=7)
    add_hour(moment(4), "b", requests=1, prompt_tokens=100, completion_tokens=3)
    total = report("model").total()
    assert (total.requests, total.errors, total.tokens, total.cached_share) == (4, 1, 210, 0.125)


def test_of_nothing_there_are_no_lines_and_a_total_of_nothing():
    assert requests("day", "model", "key") == []
    assert report().total().requests == 0
    assert report().total().cached_share is None


@pytest.mark.parametrize(
    ("groups", "count"), [(("day",), 1), (("model",), 1), (("day", "key"), 2), (("day", "model", "key"), 2)]
)
def test_one_query_makes_all_lines_and_another_names_the_keys(groups, count, django_assert_num_queries, key):
    for day in range(1, 9):
        add_hour(moment(day), f"model-{day}", key)
    with django_assert_num_queries(count):
        assert len(list(report(*groups).lines())) == 8


def parsed(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader("".join(csv_rows(report)).splitlines()))


def test_the_csv_has_a_row_for_each_line(key):
    add_hour(moment(3), key=key, requests=2, errors=1, prompt_tokens=10, completion_tokens=4, total_ms=900)
    assert parsed(report("day", "model", "key")) == [
        {
            "day": "2026-05-03",
            "model": "demo",
            "key_prefix": key.prefix,
            "key_name": "Chats",
            "requests": "2",
            "errors": "1",
            "prompt_tokens": "10",
            "cached_tokens": "0",
            "completion_tokens": "4",
            "total_ms": "900",
            "first_token_p50_ms": "88",
            "first_token_p95_ms": "99",
        }
    ]


def test_what_it_is_not_grouped_by_is_empty_in_the_csv():
    add_hour(moment(3), first_token_counts=first_tokens(100, 0))
    row = parsed(report("model"))[0]
    assert (row["day"], row["key_prefix"], row["first_token_p50_ms"]) == ("", "", "")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_name_is_a_formula_to_a_spreadsheet(start):
    hostile = f'{start}HYPERLINK("http://example.com","x")'
    key = APIKey.create(hostile)[0]
    add_hour(moment(3), hostile, key)
    rows = list(csv.reader("".join(csv_rows(report("day", "model", "key"))).splitlines(keepends=True)))
    row = dict(zip(HEADERS, rows[1], strict=True))
    assert row["model"] == row["key_name"] == f"'{hostile}"
    assert UsageHour.objects.get().model == hostile
