"""Who changed what, and the way back."""

import pytest
from django.utils import timezone

from access.models import APIKey
from registry.models import LoraAdapter, Preset, RegisteredModel
from registry.registration import register
from tests.registry.test_registered_model_admin import DEFAULTS, change_form, form  # noqa: F401 - fixtures

MODELS = "/admin/registry/registeredmodel/"


def versions(instance):
    return [(row.history_type, str(row.history_user)) for row in instance.history.all()]


def test_a_change_in_the_admin_has_its_user(admin_client, registered, change_form):  # noqa: F811
    admin_client.post(f"{MODELS}{registered.pk}/change/", {**change_form, "parallel": 3, "defaults-0-top_k": "7"})
    assert versions(registered) == [("~", "admin"), ("+", "None")]
    assert versions(registered.defaults) == [("~", "admin"), ("+", "None")]


def test_a_save_that_changes_nothing_leaves_no_trace(admin_client, registered, change_form):  # noqa: F811
    admin_client.post(f"{MODELS}{registered.pk}/change/", change_form)
    assert registered.history.count() == registered.defaults.history.count() == 1


def test_what_is_read_from_the_file_is_no_change(registered):
    registered.architecture = "other"
    registered.save()
    assert registered.history.count() == 1


def test_commands_leave_changes_without_a_user(registered):
    register("tiny", {"path": registered.path, "parallel": 5}, {"top_k": 3})
    assert versions(registered) == [("~", "None"), ("+", "None")]
    assert registered.defaults.history.first().top_k == 3


def test_the_page_shows_who_changed_what(admin_client, registered, change_form):  # noqa: F811
    admin_client.post(f"{MODELS}{registered.pk}/change/", {**change_form, "parallel": 3, "defaults-0-top_k": "7"})
    page = admin_client.get(f"{MODELS}{registered.pk}/history/").content.decode()
    for text in ("by admin", "by a command", "<dt>Parallel requests</dt>", "<ins>3</ins>", "<dt>Top k</dt>"):
        assert text in page


def test_a_model_goes_back(admin_client, registered, change_form):  # noqa: F811
    url = f"{MODELS}{registered.pk}/"
    admin_client.post(f"{url}change/", {**change_form, "parallel": 3})
    old = registered.history.last()
    shown = admin_client.get(f"{url}history/{old.pk}/")
    assert shown.context["adminform"].form["parallel"].value() == registered.parallel
    admin_client.post(f"{url}history/{old.pk}/", {**change_form, "parallel": 4})
    registered.refresh_from_db()
    assert registered.parallel == 4
    assert registered.architecture == "llama"
    assert registered.history.count() == 3


def test_an_old_state_that_is_no_use_any_more_is_refused(admin_client, registered, change_form, tmp_path):  # noqa: F811
    url = f"{MODELS}{registered.pk}/history/{registered.history.last().pk}/"
    response = admin_client.post(url, {**change_form, "path": str(tmp_path / "gone.gguf")})
    assert response.status_code == 200
    assert "path" in response.context["adminform"].form.errors
    assert registered.history.count() == 1


def test_defaults_go_back(admin_client, registered, change_form):  # noqa: F811
    admin_client.post(f"{MODELS}{registered.pk}/change/", {**change_form, "defaults-0-top_k": "7"})
    defaults = registered.defaults
    url = f"/admin/registry/generationdefaults/{defaults.pk}/history/{defaults.history.last().pk}/"
    shown = admin_client.get(url).context["adminform"].form
    assert shown["top_k"].value() == 40
    admin_client.post(url, {**DEFAULTS, "top_k": shown["top_k"].value()})
    defaults.refresh_from_db()
    assert defaults.top_k == 40


def test_a_deleted_model_comes_back(admin_client, registered, change_form):  # noqa: F811
    key = registered.pk
    old = registered.history.last()
    registered.delete()
    assert admin_client.get(f"{MODELS}{key}/history/").status_code == 200
    admin_client.post(f"{MODELS}{key}/history/{old.pk}/", change_form)
    assert RegisteredModel.objects.get().architecture == "llama"


def test_deleted_presets_and_adapters_leave_their_last_state(registered):
    for part in (
        Preset.objects.create(name="p", model=registered),
        LoraAdapter.objects.create(model=registered, path="a"),
    ):
        key = part.pk
        part.delete()
        assert type(part).history.filter(id=key).first().history_type == "-"


@pytest.fixture
def key(registered):
    key, _ = APIKey.create("k", all_models=False)
    key.allowed_models.add(registered)
    return key


def test_the_history_of_a_key_knows_no_secret(admin_client, key):
    names = {field.name for field in APIKey.history.model._meta.fields}
    assert not names & {"digest", "last_used_at"}
    key.revoke()
    page = admin_client.get(f"/admin/access/apikey/{key.pk}/history/").content.decode()
    assert "Revoked" in page
    assert key.digest not in page


def test_the_use_of_a_key_is_no_change(key):
    count = key.history.count()
    key.last_used_at = timezone.now()
    key.save()
    assert key.history.count() == count


def test_the_models_of_a_key_go_back_and_its_end_stays(admin_client, key, registered):
    key.allowed_models.clear()
    key.revoke()
    old = next(row for row in key.history.all() if row.allowed_models.exists())
    url = f"/admin/access/apikey/{key.pk}/history/{old.pk}/"
    shown = admin_client.get(url).context["adminform"].form
    assert shown["allowed_models"].value() == [registered.pk]
    admin_client.post(url, {"name": "k", "allowed_models": [registered.pk], "priority": "1"})
    key.refresh_from_db()
    assert list(key.allowed_models.all()) == [registered]
    assert key.revoked_at is not None


def test_a_deleted_key_does_not_come_back(admin_client, key):
    url = f"/admin/access/apikey/{key.pk}/history/{key.history.last().pk}/"
    key.delete()
    assert admin_client.post(url, {"name": "k", "all_models": "on", "priority": "1"}).status_code == 403
