"""Sums by the hour and by the day, of models and of keys."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from access.models import APIKey
from tests.usage.hours import add_hour, first_tokens, moment
from usage.models import UsageStep
from usage.sums import busiest_models, by_step, key_days_from

sum_up_keys = import_module("usage.migrations.0005_keys_by_day").sum_up_keys

pytestmark = pytest.mark.django_db


def requests(length: str, model: str) -> list[tuple]:
    rows = UsageStep.objects.filter(length=length, model=model).order_by("start")
    return [(row.start.day, row.start.hour, row.requests) for row in rows]


def test_requests_with_all_keys_are_summed_up_by_hour_and_by_day():
    key = APIKey.create("Chats")[0]
    add_hour(moment(3, 1), "a", key, requests=1)
    add_hour(moment(3, 1), "a", requests=2)
    add_hour(moment(3, 2), "a", requests=4)
    add_hour(moment(4, 0), "a", requests=8)
    assert requests("hour", "a") == [(3, 1, 3), (3, 2, 4), (4, 0, 8)]
    assert requests("day", "a") == [(3, 0, 7), (4, 0, 8)]


def test_days_of_keys_are_summed_up_with_all_models_together():
    key = APIKey.create("Chats")[0]
    add_hour(moment(3, 1), "a", key, requests=1)
    add_hour(moment(3, 2), "b", key, requests=2)
    add_hour(moment(3, 2), "b", requests=4)
    add_hour(moment(4, 0), "a", key, requests=8)
    days = key_days_from(moment(3, 0)).order_by("start", "-requests").values_list("start", "key_prefix", "requests")
    assert list(days) == [(moment(3, 0), "", 4), (moment(3, 0), key.prefix, 3), (moment(4, 0), key.prefix, 8)]


def test_the_migration_makes_the_days_of_keys_from_the_hours():
    key = APIKey.create("Chats")[0]
    for hour in range(3):
        add_hour(moment(3, hour), f"model-{hour}", key, requests=hour + 1)
    add_hour(moment(4), key=None)
    days = key_days_from(moment(1)).order_by("start").values("start", "key_prefix", "requests", "first_token_counts")
    written = list(days)
    key_days_from(moment(1)).delete()
    sum_up_keys(apps, connection.schema_editor())
    assert list(days) == written


def test_all_models_are_summed_up_beside_each_of_them():
    add_hour(moment(3), "a", requests=1, completion_tokens=10)
    add_hour(moment(3), "b", requests=2, completion_tokens=20)
    add_hour(moment(3), "", requests=4)
    found = by_step("day", moment(3, 0), [UsageStep.ALL_MODELS])[moment(3, 0), UsageStep.ALL_MODELS]
    assert (found.requests, found.completion_tokens, sum(found.first_token_counts)) == (7, 30, 7)


def test_the_busiest_models_have_names():
    add_hour(moment(3), "a", requests=1)
    add_hour(moment(3), "b", requests=2)
    add_hour(moment(3), "", requests=9)
    add_hour(moment(1), "a", requests=9)
    assert busiest_models("day", moment(2, 0), 5) == ["b", "a"]
    assert busiest_models("day", moment(1, 0), 1) == ["a"]


def test_what_is_left_of_all_without_some_is_that_of_the_others():
    add_hour(moment(3), "a", requests=2, first_token_counts=first_tokens(10, 2))
    add_hour(moment(3), "b", requests=3, first_token_counts=first_tokens(100, 3))
    found = {model: sums for (_start, model), sums in by_step("hour", moment(3), ["a", "b", "*"]).items()}
    assert found["*"].without(found["a"]) == found["b"]
