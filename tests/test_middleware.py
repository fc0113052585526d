"""What API requests go past, and what pages still get."""

import httpx
import pytest
from django.test import Client

from tests.live_server import LiveServer


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/v1/models", "/v1/nowhere"])
def test_the_api_in_a_synchronous_handler(path):
    response = Client().get(path)
    assert response.headers["Content-Length"] == str(len(response.content))
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert not response.cookies


def test_the_api_has_no_use_for_sessions_forms_and_languages(server: LiveServer):
    headers = {"Accept-Language": "ru", "Cookie": "csrftoken=x; sessionid=y"}
    answer = httpx.post(f"{server.base_url}/chat/completions", json={"model": "demo"}, headers=headers, timeout=60)
    assert answer.status_code == 400
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    assert "Content-Language" not in answer.headers
    assert "X-Frame-Options" not in answer.headers


def test_pages_have_them_all(server: LiveServer):
    page = httpx.get(f"{server.url}/admin/login/", headers={"Accept-Language": "ru"}, timeout=60)
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Content-Language"] == "ru"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "csrftoken" in page.cookies


def test_forms_need_their_token(server: LiveServer):
    answer = httpx.post(f"{server.url}/admin/login/", data={"username": "admin", "password": "wrong"}, timeout=60)
    assert answer.status_code == 403
