"""Switching capture on and off in the admin."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from access.models import APIKey
from registry.models import Preset, RegisteredModel
from tests.usage.rows import add_exchange, add_row
from usage import capture
from usage.models import Capture, CapturedExchange

CAPTURES = "/admin/usage/capture/"
EXCHANGES = "/admin/usage/capturedexchange/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stopped():
    yield
    capture._set(None)


@pytest.fixture
def model() -> RegisteredModel:
    return RegisteredModel.objects.create(name="demo", path="demo.gguf")


def test_an_operator_captures_for_a_limited_time(admin_client, model):
    key = APIKey.create("Chats")[0]
    response = admin_client.post(f"{CAPTURES}add/", {"minutes": 5, "model": "demo", "key": key.pk})
    assert response.status_code == 302, response.context["errors"]
    assert capture.is_on()
    found = Capture.objects.get()
    assert (found.model, found.key) == ("demo", key)
    assert timedelta(minutes=4) < found.until - timezone.now() <= timedelta(minutes=5)


def test_presets_can_be_chosen_too(admin_client, model):
    Preset.objects.create(name="brief", model=model)
    assert admin_client.post(f"{CAPTURES}add/", {"minutes": 5, "model": "brief"}).status_code == 302
    assert Capture.objects.get().model == "brief"


@pytest.mark.parametrize("minutes", ["", "0", "1441", "x"])
def test_it_never_runs_without_an_end(admin_client, minutes):
    response = admin_client.post(f"{CAPTURES}add/", {"minutes": minutes})
    assert "minutes" in response.context["adminform"].form.errors
    assert not Capture.objects.exists()
    assert not capture.is_on()


def test_a_name_that_nobody_can_ask_for_is_refused(admin_client, model):
    page = admin_client.post(f"{CAPTURES}add/", {"minutes": 5, "model": "dmeo"}).content.decode()
    assert "dmeo is not one of the available choices" in page


def test_the_form_says_what_will_be_stored(admin_client, settings):
    page = admin_client.get(f"{CAPTURES}add/").content.decode()
    assert "stored in the clear" in page
    assert f"deleted {settings.CONFIG.usage.capture_hours} hours after" in page


def test_it_is_stopped_by_an_action(admin_client):
    started = capture.start(10)
    admin_client.post(CAPTURES, {"action": "stop", "_selected_action": started.pk})
    assert not capture.is_on()
    assert capture.active() is None


@pytest.mark.parametrize("page", [CAPTURES, EXCHANGES, "/admin/usage/requestlog/"])
def test_while_it_runs_the_lists_say_so(admin_client, page):
    text = "Bodies of requests and answers are being captured until"
    assert text not in admin_client.get(page).content.decode()
    capture.start(10)
    assert text in admin_client.get(page).content.decode()


def test_what_was_captured_can_be_seen_and_deleted(admin_client):
    exchange = add_exchange(add_row())
    assert "r" in admin_client.get(f"{EXCHANGES}?q=r").content.decode()
    page = admin_client.get(f"{EXCHANGES}{exchange.pk}/change/").content.decode()
    assert "data: x" in page
    started = capture.start(1)
    admin_client.post(CAPTURES, {"action": "forget", "_selected_action": started.pk})
    assert not CapturedExchange.objects.exists()


def test_what_has_expired_is_not_shown(admin_client):
    exchange = add_exchange(add_row(), expires_at=timezone.now())
    assert admin_client.get(f"{EXCHANGES}{exchange.pk}/change/").status_code == 302


def test_who_may_only_look_cannot_switch_it_on_or_off(client, django_user_model):
    viewer = django_user_model.objects.create_user("viewer", password="x", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__in=["view_capture", "view_requestlog"]))
    client.force_login(viewer)
    started = capture.start(10)
    page = client.get(CAPTURES).content.decode()
    assert 'value="stop"' not in page
    assert 'value="forget"' not in page
    assert client.get(f"{CAPTURES}add/").status_code == 403
    assert client.post(f"{CAPTURES}add/", {"minutes": 5}).status_code == 403
    client.post(CAPTURES, {"action": "stop", "_selected_action": started.pk})
    assert capture.is_on()
    assert client.get(EXCHANGES).status_code == 403
