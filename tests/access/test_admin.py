"""The admin of API keys: made, shown once, changed, revoked."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from access.models import APIKey, State, digest_of
from registry.models import RegisteredModel

pytestmark = pytest.mark.django_db
LIST = "/admin/access/apikey/"
FIELDS = {"name": "LibreChat", "priority": "1", "all_models": "on"}


@pytest.fixture
def model():
    return RegisteredModel.objects.create(name="demo", path="demo.gguf")


def shown(page: str) -> list[str]:
    return re.findall(r"sk-[\w-]{43}", page)


def test_a_new_key_is_shown_once(admin_client):
    response = admin_client.post(f"{LIST}add/", FIELDS)
    assert response.status_code == 200
    [text] = shown(response.content.decode())
    assert "no-store" in response.headers["Cache-Control"]
    key = APIKey.objects.get()
    assert key.digest == digest_of(text)
    for page in (LIST, f"{LIST}{key.pk}/change/", f"{LIST}{key.pk}/history/"):
        assert shown(admin_client.get(page, follow=True).content.decode()) == []
        assert text[11:] not in admin_client.get(page, follow=True).content.decode()


def test_the_page_has_no_script_of_its_own(admin_client):
    page = admin_client.post(f"{LIST}add/", FIELDS).content.decode()
    content = page.partition('id="new-key"')[2]
    assert re.search(r'<script type="module" src="/static/access/copy_key.js"></script>', page)
    assert "onclick" not in content


def test_a_key_says_which_models_and_how_much(admin_client, model):
    fields = {
        **FIELDS,
        "all_models": "",
        "allowed_models": [model.pk],
        "requests_per_minute": 60,
        "tokens_per_day": 1_000_000,
        "max_concurrent": 2,
    }
    admin_client.post(f"{LIST}add/", fields)
    page = admin_client.get(LIST).content.decode()
    assert "60 requests/min, 1,000,000 tokens/day, 2 at a time" in page
    assert APIKey.objects.get().allowed_names() == {"demo"}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"all_models": ""}, "Choose at least one model or preset, or allow all models."),
        ({"expires_at_0": "2020-01-01", "expires_at_1": "00:00"}, "This time is over. To end a key, revoke it."),
        ({"requests_per_minute": "0"}, "Ensure this value is greater than or equal to 1."),
    ],
)
def test_a_key_good_for_nothing_is_refused(admin_client, change, error):
    page = admin_client.post(f"{LIST}add/", {**FIELDS, **change}).content.decode()
    assert error in page
    assert not APIKey.objects.exists()


def test_an_expired_key_can_still_be_renamed(admin_client):
    yesterday = (timezone.now() - timedelta(days=1)).replace(microsecond=0)
    key, _ = APIKey.create("old", expires_at=yesterday)
    fields = {**FIELDS, "expires_at_0": f"{yesterday:%Y-%m-%d}", "expires_at_1": f"{yesterday:%H:%M:%S}"}
    assert admin_client.post(f"{LIST}{key.pk}/change/", fields).status_code == 302
    key.refresh_from_db()
    assert (key.name, key.state) == ("LibreChat", State.EXPIRED)


def test_revoking_asks_first(admin_client):
    keys = [APIKey.create(name)[0] for name in ("a", "b")]
    chosen = {"action": "revoke", "_selected_action": [key.pk for key in keys]}
    page = admin_client.post(LIST, chosen).content.decode()
    assert all(f"{key.name} ({key.prefix}…)" in page for key in keys)
    assert APIKey.objects.usable(timezone.now()).count() == 2
    page = admin_client.post(LIST, {**chosen, "confirmed": "yes"}, follow=True).content.decode()
    assert "2 API keys are revoked." in page
    assert not APIKey.objects.usable(timezone.now()).exists()
    assert "0 API keys are revoked." in admin_client.post(LIST, chosen, follow=True).content.decode()


def test_the_page_of_a_key_leads_to_revoking_it(admin_client):
    key, _ = APIKey.create("a")
    url = f"{LIST}{key.pk}/revoke/"
    assert f'href="{url}"' in admin_client.get(f"{LIST}{key.pk}/change/").content.decode()
    page = admin_client.get(url).content.decode()
    assert f'name="_selected_action" value="{key.pk}"' in page
    key.revoke()
    assert "revoked already" in admin_client.get(url).content.decode()


def test_who_may_only_look_revokes_nothing(client):
    key, _ = APIKey.create("a")
    user = User.objects.create_user("viewer", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_apikey"))
    client.force_login(user)
    assert client.get(LIST).status_code == 200
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.get(f"{LIST}{key.pk}/revoke/").status_code == 403
    client.post(LIST, {"action": "revoke", "_selected_action": key.pk, "confirmed": "yes"})
    key.refresh_from_db()
    assert key.is_usable


@pytest.mark.parametrize(("state", "name"), [("active", "good"), ("expired", "old"), ("revoked", "gone")])
def test_keys_are_filtered_by_what_has_become_of_them(admin_client, state, name):
    past = timezone.now() - timedelta(days=1)
    APIKey.create("good", expires_at=timezone.now() + timedelta(days=1))
    APIKey.create("old", expires_at=past)
    APIKey.create("gone", revoked_at=past, expires_at=past)
    page = admin_client.get(LIST, {"state": state}).content.decode()
    assert re.findall(r">(good|old|gone)</a>", page) == [name]


def test_the_list_takes_the_same_queries_for_one_key_and_for_many(admin_client, model, django_assert_max_num_queries):
    for number in range(30):
        APIKey.create(f"{number}", all_models=False)[0].allowed_models.add(model)
    with django_assert_max_num_queries(12):
        admin_client.get(LIST)
