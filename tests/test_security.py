"""What pages send and refuse for their safety."""

import re

import pytest
from django.core.management import call_command

from tests.live_server import manage, write_config

LOGIN = "/admin/login/"


def policy(response) -> dict[str, str]:
    return dict(part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; "))


@pytest.mark.parametrize("path", [LOGIN, "/docs", "/redoc"])
def test_pages_load_nothing_from_elsewhere(client, db, path):
    sources = policy(client.get(path))
    assert sources["default-src"] == "'self'"
    assert "'unsafe-inline'" not in sources["script-src"]
    assert ("'unsafe-eval'" in sources["script-src"]) == (path == LOGIN)
    assert sources["frame-ancestors"] == "'none'"


def test_the_api_sends_no_policy_for_pages(client, db):
    assert "Content-Security-Policy" not in client.get("/v1/models").headers


@pytest.mark.parametrize("path", ["/docs", "/redoc", LOGIN])
def test_pages_have_no_inline_script(client, db, path):
    page = client.get(path).content.decode()
    assert page.count("<script") == page.count("<script src=") + page.count('<script id="django') > 0


def fail(client, name="admin", address="10.0.0.1"):
    return client.post(LOGIN, {"username": name, "password": "wrong"}, REMOTE_ADDR=address)


def test_who_fails_too_often_waits(client, django_user_model):
    django_user_model.objects.create_superuser("admin", password="right")
    for _ in range(4):
        assert fail(client).status_code == 200
    locked = fail(client)
    assert locked.status_code == 429
    assert "Too many attempts" in locked.content.decode()
    right = {"username": "admin", "password": "right"}
    assert client.post(LOGIN, right, REMOTE_ADDR="10.0.0.1").status_code == 429
    assert client.post(LOGIN, right, REMOTE_ADDR="10.0.0.2").status_code == 302


def test_other_names_are_not_locked_out(client, django_user_model):
    django_user_model.objects.create_superuser("admin", password="right")
    for _ in range(6):
        fail(client, name="other")
    assert client.post(LOGIN, {"username": "admin", "password": "right"}, REMOTE_ADDR="10.0.0.1").status_code == 302


CHECK = """
from django.conf import settings
from django.core.management import call_command
# Django's checks know its middleware by its own names, and say nothing of its settings without.
own = {"llmsite.middleware." + name: "django.middleware." + module + "." + name for name, module in (
    ("SecurityMiddleware", "security"), ("CsrfViewMiddleware", "csrf"), ("XFrameOptionsMiddleware", "clickjacking"))}
assert set(own) < set(settings.MIDDLEWARE)
settings.MIDDLEWARE = [own.get(name, name) for name in settings.MIDDLEWARE]
call_command("check", deploy=True, fail_level="WARNING")
"""


def test_behind_https_the_deployment_check_has_nothing_to_say(tmp_path):
    write_config(tmp_path, server={"https": True})
    for command in (["check", "--deploy", "--fail-level", "WARNING"], ["shell", "-v", "0", "-c", CHECK]):
        checked = manage(tmp_path, *command)
        assert checked.returncode == 0, checked.stderr


def test_without_https_the_deployment_check_names_what_is_missing(tmp_path):
    write_config(tmp_path, server={"secret_key": "only-the-tests-use-this-key-0123456789-0123456789-abcdef"})
    checked = manage(tmp_path, "shell", "-v", "0", "-c", CHECK)
    assert {f"security.W{number}" for number in ("004", "008", "010", "016")} <= set(
        re.findall(r"security\.W\d+", checked.stderr)
    )


@pytest.mark.parametrize("is_https", [False, True])
def test_cookies_need_https_only_where_there_is_https(tmp_path, is_https):
    write_config(tmp_path, server={"https": is_https})
    code = (
        "from django.conf import settings as s; "
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS > 0)"
    )
    assert manage(tmp_path, "shell", "-v", "0", "-c", code).stdout.split()[-4:] == [str(is_https)] * 4


@pytest.mark.parametrize(("path", "status"), [(LOGIN, 301), ("/v1/models", 200), ("/healthz", 200)])
def test_only_pages_are_sent_to_https(client, db, settings, path, status):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get(path).status_code == status


def test_nothing_is_said_without_https_either(db):
    call_command("check", fail_level="WARNING")
