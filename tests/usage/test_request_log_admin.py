"""The admin's pages of the request log."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import APIKey
from tests.usage.rows import add_exchange, add_row, row
from usage.models import RequestLog
from usage.names import logged_models

LIST = "/admin/usage/requestlog/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client, django_user_model):
    """Returns a client of a member of the staff with some permissions."""

    def staff(*codenames: str):
        user = django_user_model.objects.create_user("staff", password="x", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return staff


def shown(client, query: str = "") -> set[str]:
    """Return the models of the rows that the list shows."""
    response = client.get(f"{LIST}?{query}")
    assert response.status_code == 200, response
    return {found.model for found in response.context["cl"].result_list}


def test_a_row_says_what_was_asked_and_what_it_took(admin_client):
    key = APIKey.create("Chats")[0]
    add_row(key=key, key_prefix=key.prefix, prompt_tokens=12, completion_tokens=5, first_token_ms=87, total_ms=1500)
    page = admin_client.get(LIST).content.decode()
    for text in ("/v1/chat/completions", "demo", "Chats", "12 + 5", "87 ms", "1.5 s"):
        assert text in page


def test_of_a_deleted_key_the_beginning_is_left(admin_client):
    key = APIKey.create("Chats")[0]
    add_row(key=key, key_prefix=key.prefix)
    prefix = key.prefix
    key.delete()
    assert prefix in admin_client.get(LIST).content.decode()


def test_it_can_be_filtered_by_model(admin_client):
    add_row(model="a")
    add_row(model="b")
    assert shown(admin_client, "model=a") == {"a"}
    assert shown(admin_client, "model=gone") == set()


def test_it_can_be_filtered_by_key(admin_client):
    key = APIKey.create("Chats")[0]
    add_row(model="with", key=key, key_prefix=key.prefix)
    add_row(model="without")
    assert shown(admin_client, f"api_key={key.pk}") == {"with"}
    assert shown(admin_client, "api_key=none") == {"without"}
    assert shown(admin_client, "api_key=nonsense") == {"with", "without"}


@pytest.mark.parametrize(
    ("outcome", "models"),
    [
        ("ok", {"well"}),
        ("error", {"refused", "limited", "failed", "broken"}),
        ("4xx", {"refused", "limited"}),
        ("away", {"limited"}),
        ("5xx", {"failed"}),
        ("broken", {"broken"}),
        ("left", {"left"}),
        ("nonsense", {"well", "refused", "limited", "failed", "broken", "left"}),
    ],
)
def test_it_can_be_filtered_by_outcome(admin_client, outcome, models):
    add_row(model="well")
    add_row(model="refused", status=400, error_code="invalid_value")
    add_row(model="limited", status=429, error_code="rate_limit_exceeded")
    add_row(model="failed", status=503, error_code="load_failed")
    add_row(model="broken", status=200, error_code="engine_failed")
    add_row(model="left", status=499)
    assert shown(admin_client, f"outcome={outcome}") == models


def test_it_can_be_filtered_by_how_long_requests_took(admin_client):
    add_row(model="quick", total_ms=10_000)
    add_row(model="slow", total_ms=10_001)
    assert shown(admin_client, "slow=10") == {"slow"}
    assert shown(admin_client, "slow=60") == set()
    assert shown(admin_client, "slow=nonsense") == {"quick", "slow"}


def test_it_can_be_filtered_by_time(admin_client):
    add_row(model="new")
    add_row(model="old", at=timezone.now() - timedelta(days=2))
    assert shown(admin_client, "since=24h") == {"new"}
    assert shown(admin_client, "since=7d") == {"new", "old"}
    now = timezone.now()
    between = {"at__gte": (now - timedelta(days=3)).isoformat(), "at__lt": (now - timedelta(days=1)).isoformat()}
    assert shown(admin_client, urlencode(between)) == {"old"}


def test_a_request_is_found_by_its_whole_id(admin_client):
    add_row(model="a", request_id="abc")
    add_row(model="b", request_id="abcd")
    assert shown(admin_client, "q=%20abc%20") == {"a"}
    assert shown(admin_client, "q=ab") == set()


def test_the_names_to_choose_from_are_those_in_the_log():
    for name in ("b", "a", "b", "", "c"):
        add_row(model=name)
    assert logged_models() == ["a", "b", "c"]


def test_without_rows_there_are_no_names(admin_client):
    assert logged_models() == []
    assert shown(admin_client) == set()


def test_no_query_of_the_list_counts_or_grows_with_the_rows(admin_client):
    keys = [APIKey.create(f"key {number}")[0] for number in range(60)]

    def queries_with(more_rows: int) -> list[str]:
        RequestLog.objects.bulk_create(
            row(request_id=f"r{number}", key=keys[number % 60], model=f"m{number % 7}") for number in range(more_rows)
        )
        with CaptureQueriesContext(connection) as queries:
            admin_client.get(LIST)
        return [query["sql"] for query in queries]

    few, many = queries_with(60), queries_with(540)
    assert len(few) == len(many)
    assert not [sql for sql in many if "COUNT(" in sql and "requestlog" in sql]


def test_the_last_errors_are_found_through_their_index():
    if connection.vendor != "sqlite":
        pytest.skip("EXPLAIN of few rows says nothing with PostgreSQL")
    plan = RequestLog.objects.filter(error_code__gt="").order_by("-at")[:5].explain()
    assert "usage_log_errors_at" in plan


def test_nobody_adds_changes_or_deletes_rows(admin_client):
    found = add_row()
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(f"{LIST}{found.pk}/change/", {"model": "x"}).status_code == 403
    assert admin_client.post(f"{LIST}{found.pk}/delete/", {"post": "yes"}).status_code == 403
    assert RequestLog.objects.get().model == "demo"


def test_it_takes_a_permission_to_see_it(staff):
    found = add_row()
    client = staff()
    assert client.get(LIST).status_code == 403
    assert client.get(f"{LIST}{found.pk}/change/").status_code == 403


def test_captured_bodies_are_shown_with_the_request(admin_client):
    found = add_row()
    url = f"{LIST}{found.pk}/change/"
    assert "data: x" not in admin_client.get(url).content.decode()
    add_exchange(found, response_is_cut=True)
    page = admin_client.get(url).content.decode()
    assert "&quot;model&quot;: &quot;demo&quot;" in page
    assert "data: x" in page
    assert "Only the beginning was kept." in page


def test_expired_bodies_are_not_shown(admin_client):
    found = add_row()
    add_exchange(found, expires_at=timezone.now())
    assert "data: x" not in admin_client.get(f"{LIST}{found.pk}/change/").content.decode()


def test_what_was_captured_is_text_and_not_markup(admin_client):
    found = add_row()
    add_exchange(found, request_body="<script>alert(1)</script>")
    page = admin_client.get(f"{LIST}{found.pk}/change/").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_who_may_see_the_log_may_not_see_the_bodies(staff):
    found = add_row()
    add_exchange(found)
    page = staff("view_requestlog").get(f"{LIST}{found.pk}/change/").content.decode()
    assert found.request_id in page
    assert "Captured bodies" not in page
