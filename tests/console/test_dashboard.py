"""The dashboard's page, without a running server: permissions, texts, numbers and queries."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import APIKey
from registry.models import Observation, RegisteredModel
from tests.usage.hours import add_hour, first_tokens
from tests.usage.rows import add_row, row
from usage.models import RequestLog, UsageHour
from usage.steps import add_to_steps, steps_of

PAGE = "/admin/"
EVENTS = "/admin/console/dashboard/events/"
REPORT = "/admin/console/dashboard/report/"
NOW, USAGE, ERRORS, STEPS = ">Now<", ">Usage<", ">Recent errors<", ">First steps<"

pytestmark = pytest.mark.django_db


@pytest.fixture
def this_hour():
    return timezone.now().replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def staff(client, django_user_model):
    """Returns a client of a member of the staff with some permissions."""

    def staff(*codenames: str):
        user = django_user_model.objects.create_user("staff", password="x", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return staff


def tiles(page: str) -> dict[str, str]:
    return dict(re.findall(r"<dt>([^<]+)</dt><dd[^>]*>([^<]*)</dd>", page))


def page_of(client, query: str = "", path: str = PAGE) -> str:
    response = client.get(f"{path}?{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_an_empty_server_says_what_to_do_first(admin_client):
    page = page_of(admin_client)
    assert STEPS in page
    assert 'href="/admin/registry/registeredmodel/add/"' in page
    assert "No model is in memory." in page
    assert "No requests in this time." in page
    assert "Nothing went wrong." in page
    assert "<svg viewBox" not in page


def test_steps_that_are_done_are_ticked_off_and_all_of_them_disappear(admin_client):
    RegisteredModel.objects.create(name="m", path="m.gguf")
    assert page_of(admin_client).count(">done<") == 1
    add_row()
    APIKey.create("Chats")
    assert STEPS not in page_of(admin_client)


def test_sums_are_those_of_the_period_and_the_model(admin_client, this_hour):
    add_hour(this_hour, "a", requests=1234, errors=3, prompt_tokens=100, cached_tokens=62, completion_tokens=5000)
    add_hour(this_hour, "b", requests=1)
    add_hour(this_hour - timedelta(days=3), "a", requests=10)
    add_hour(this_hour - timedelta(days=40), "a", requests=100)
    found = tiles(page_of(admin_client, "model=a"))
    assert (found["Requests"], found["Errors"], found["Tokens generated"]) == ("1,234", "3", "5.0K")
    assert (found["Of them cached"], found["First token, median"]) == ("62 %", "88 ms")
    assert tiles(page_of(admin_client))["Requests"] == "1,235"
    assert tiles(page_of(admin_client, "range=7d"))["Requests"] == "1,245"
    assert tiles(page_of(admin_client, "range=30d&model=b"))["Requests"] == "1"


def test_what_it_does_not_know_it_takes_for_not_said(admin_client, this_hour):
    add_hour(this_hour)
    assert tiles(page_of(admin_client, "range=forever"))["Requests"] == "1"
    assert tiles(page_of(admin_client, "model=gone"))["Requests"] == "0"


def test_charts_show_the_busiest_models_and_all_others_as_one(admin_client, this_hour):
    for number in range(7):
        add_hour(this_hour, f"model-{number}", requests=10 - number)
    page = page_of(admin_client)
    assert page.count("<figure") == 3
    assert ": model-0 10, model-1 9, model-2 8, model-3 7, model-4 6, others 9</title>" in page


def test_times_to_the_first_token_are_percentiles_of_each_step(admin_client, this_hour):
    add_hour(this_hour, first_token_counts=first_tokens(100, 100))
    label = timezone.localtime(this_hour).strftime("%H:%M")
    assert f"{label}: median 88 ms, 95 of 100 99 ms</title>" in page_of(admin_client)


def test_every_chart_has_its_numbers_as_a_table(admin_client, this_hour):
    add_hour(this_hour, requests=7)
    label = timezone.localtime(this_hour).strftime("%H:%M")
    assert f'<th scope="row">{label}</th><td>7</td>' in page_of(admin_client)


def test_names_of_models_are_text_and_not_markup(admin_client, this_hour):
    add_hour(this_hour, "<b>&</b>")
    assert "<b>&</b>" not in page_of(admin_client)


def test_recent_errors_of_requests_and_models_lead_to_their_pages(admin_client):
    model = RegisteredModel.objects.create(name="broken", path="m.gguf")
    now = timezone.now()
    Observation.objects.create(model=model, error="no such file", error_at=now - timedelta(minutes=1))
    failed = add_row(model="demo", status=400, error_code="invalid_value", error="temperature: too hot")
    add_row(at=now - timedelta(hours=1))
    page = page_of(admin_client).partition(ERRORS)[2]
    assert page.index("temperature: too hot") < page.index("no such file")
    assert f'href="/admin/usage/requestlog/{failed.pk}/change/"' in page
    assert f'href="/admin/registry/registeredmodel/{model.pk}/change/"' in page


@pytest.mark.parametrize(
    ("permissions", "shown"),
    [
        ((), set()),
        (("view_registeredmodel",), {NOW, ERRORS}),
        (("view_usagehour",), {USAGE}),
        (("view_requestlog",), {ERRORS}),
    ],
)
def test_each_part_takes_its_permission(staff, permissions, shown):
    page = page_of(staff(*permissions))
    assert {part for part in (NOW, USAGE, ERRORS) if part in page} == shown
    assert ("You may not see models or usage." in page) == (not permissions)


def test_a_viewer_is_led_to_nothing_that_changes_anything(staff):
    page = page_of(staff("view_registeredmodel", "view_usagehour", "view_requestlog", "view_apikey"))
    assert STEPS in page
    assert "/add/" not in page.partition('id="dashboard"')[2]


def test_errors_of_requests_take_the_permission_to_see_the_log(staff):
    add_row(status=500, error_code="server_error", error="secret words")
    assert "secret words" not in page_of(staff("view_registeredmodel"))


def test_events_take_the_permission_to_see_models(staff):
    assert staff("view_usagehour").get(EVENTS).status_code == 403


@pytest.mark.parametrize("path", [PAGE, EVENTS, REPORT])
def test_strangers_are_sent_to_the_login(client, path):
    response = client.get(path)
    assert response.status_code == 302
    assert response.url.startswith("/admin/login/")


def test_the_report_alone_is_the_same_part_of_the_page(admin_client, this_hour):
    add_hour(this_hour, requests=42)
    part = page_of(admin_client, "range=7d", REPORT)
    assert "<html" not in part
    assert tiles(part)["Requests"] == "42"


def test_it_has_neither_inline_scripts_nor_inline_styles(admin_client, this_hour):
    add_hour(this_hour)
    ours = page_of(admin_client).partition('id="dashboard"')[2].partition("dash-report")[0]
    for part in (ours, page_of(admin_client, path=REPORT)):
        assert "<script" not in part
        assert not re.search(r"\s(style|on\w+)=", part)


def test_the_number_of_queries_does_not_grow_with_the_rows(admin_client, this_hour):
    def queries_with(more: int) -> int:
        models = RegisteredModel.objects.bulk_create(
            RegisteredModel(name=f"m{more}-{number}", path="m.gguf") for number in range(more)
        )
        Observation.objects.bulk_create(Observation(model=m, error="x", error_at=timezone.now()) for m in models)
        RequestLog.objects.bulk_create(
            row(request_id=f"r{number}", error_code="x" if number % 2 else "") for number in range(more)
        )
        hours = [
            UsageHour(hour=this_hour, model=model.name, requests=1, first_token_counts=first_tokens(100, 1))
            for model in models
        ]
        add_to_steps(steps_of(hours))
        with CaptureQueriesContext(connection) as queries:
            page_of(admin_client, "range=30d")
        return len(queries)

    assert queries_with(10) == queries_with(200)


def test_the_sums_come_from_the_hours_and_never_from_the_log(admin_client, this_hour):
    add_hour(this_hour)
    with CaptureQueriesContext(connection) as queries:
        page_of(admin_client)
    about_log = [query["sql"] for query in queries if "requestlog" in query["sql"]]
    assert len(about_log) == 2
    assert all("LIMIT" in sql for sql in about_log)
