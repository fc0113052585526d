"""The usage page and its CSV file."""

import csv
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import TestCase
from django.utils import timezone

from access.models import APIKey
from tests.usage.hours import add_hour

PAGE = "/admin/console/usage/"
FILE = "/admin/console/usage/usage.csv"


@pytest.fixture
def today(db):
    return timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)


def lines(client, query: str = "") -> list[tuple]:
    """Return the names and the requests of each line of the page."""
    response = client.get(f"{PAGE}?{query}")
    assert response.status_code == 200
    return [(*map(str, cells), sums[0]) for cells, sums in response.context["lines"]]


def test_it_shows_the_last_thirty_days_by_day(admin_client, today):
    add_hour(today, requests=3)
    add_hour(today - timedelta(days=29), requests=2)
    add_hour(today - timedelta(days=30), requests=1)
    assert [line[1] for line in lines(admin_client)] == ["3", "2"]


def test_it_shows_what_is_asked_for(admin_client, today):
    key = APIKey.create("Chats")[0]
    add_hour(today, "a", key, requests=3)
    add_hour(today, "b", requests=1)
    assert lines(admin_client, "by=model&by=key") == [
        ("a", f"Chats ({key.prefix}…)", "3"),
        ("b", "without a key", "1"),
    ]
    assert lines(admin_client, f"by=model&key={key.prefix}") == [("a", "3")]
    assert lines(admin_client, "by=model&model=b") == [("b", "1")]


def test_the_last_line_is_the_sum_of_all(admin_client, today):
    add_hour(today, "a", requests=1500)
    add_hour(today, "b", requests=1)
    assert admin_client.get(f"{PAGE}?by=model").context["total"][0] == "1,501"


def test_an_empty_page_says_so(admin_client):
    assert "No requests in these days." in admin_client.get(PAGE).content.decode()


def test_no_more_lines_are_shown_than_people_read(admin_client, today):
    for number in range(501):
        add_hour(today, f"m{number}")
    response = admin_client.get(f"{PAGE}?by=model")
    assert len(response.context["lines"]) == 500
    assert "the CSV file has all of them" in response.content.decode()


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("first=yesterday", "Enter a valid date."),
        ("first=2026-05-02&last=2026-05-01", "2026-05-01 is before 2026-05-02."),
        ("by=colour", "colour is not one of the available choices."),
    ],
)
@pytest.mark.parametrize("path", [PAGE, FILE])
def test_what_cannot_be_meant_is_refused_with_the_reason(admin_client, path, query, text):
    response = admin_client.get(f"{path}?{query}")
    assert response.status_code == 400
    assert text in response.content.decode()


@pytest.mark.parametrize("path", [PAGE, FILE])
def test_it_takes_the_permission_to_see_usage(client, django_user_model, path):
    assert client.get(path).url.startswith("/admin/login/")
    staff = django_user_model.objects.create_user("staff", password="x", is_staff=True)
    client.force_login(staff)
    assert client.get(path).status_code == 403
    staff.user_permissions.add(Permission.objects.get(codename="view_usagehour"))
    assert client.get(PAGE).status_code == 200


class CSVFileTest(TestCase):
    """The file is streamed, which Django does asynchronously alone."""

    async def test_it_has_a_row_for_each_line(self):
        today = timezone.now().replace(minute=0, second=0, microsecond=0)
        for number in range(1203):
            await _add_hour(today, f"m{number}", requests=number + 1)
        rows = await self._rows("by=day&by=model")
        self.assertEqual(len(rows), 1203)
        self.assertEqual((rows[0]["model"], rows[0]["requests"]), ("m1202", "1203"))

    async def test_it_is_a_file_with_the_days_in_its_name(self):
        response = await self._get("first=2026-05-01&last=2026-05-03")
        self.assertEqual(response["Content-Type"], "text/csv; charset=utf-8")
        self.assertIn('filename="usage_2026-05-01_2026-05-03.csv"', response["Content-Disposition"])

    async def test_without_usage_it_has_headers_alone(self):
        self.assertEqual(await self._rows(""), [])

    async def _get(self, query: str):
        user = await User.objects.acreate(username="viewer", is_staff=True)
        await user.user_permissions.aadd(await Permission.objects.aget(codename="view_usagehour"))
        await self.async_client.aforce_login(user)
        response = await self.async_client.get(f"{FILE}?{query}")
        self.assertEqual(response.status_code, 200)
        return response

    async def _rows(self, query: str) -> list[dict[str, str]]:
        response = await self._get(query)
        text = b"".join([chunk async for chunk in response.streaming_content]).decode()
        return list(csv.DictReader(text.splitlines()))


async def _add_hour(*arguments, **sums):
    from asgiref.sync import sync_to_async

    await sync_to_async(add_hour)(*arguments, **sums)
