"""What each role may see and do."""

import re

import pytest
from django.contrib.auth.models import Group, Permission

from access.models import APIKey
from access.roles import NAMES, ROLES, update_roles
from registry.models import Preset, RegisteredModel

MODELS = "/admin/registry/registeredmodel/"
USERS = ("viewer", "operator", "model manager", "administrator", "superuser")


@pytest.fixture
def login(client, django_user_model):
    """Logs in somebody with a role, or a superuser; nobody if None."""

    def login(role):
        if role == "superuser":
            client.force_login(django_user_model.objects.create_superuser("root"))
        elif role:
            user = django_user_model.objects.create_user("somebody", is_staff=True)
            user.groups.add(Group.objects.get(name=role))
            client.force_login(user)
        return client

    return login


@pytest.fixture
def model(db):
    return RegisteredModel.objects.create(name="m", path="m.gguf")


@pytest.fixture
def urls(model):
    preset = Preset.objects.create(name="p", model=model)
    key, _ = APIKey.create("k")
    return {
        "see models": ("get", MODELS),
        "see a model": ("get", f"{MODELS}{model.pk}/change/"),
        "see its history": ("get", f"{MODELS}{model.pk}/history/"),
        "follow the states": ("get", f"{MODELS}live/"),
        "load": ("post", f"{MODELS}{model.pk}/load/"),
        "unload": ("post", f"{MODELS}{model.pk}/unload/"),
        "enable": ("post", f"{MODELS}{model.pk}/enable/"),
        "disable": ("post", f"{MODELS}{model.pk}/disable/"),
        "load selected": ("post", MODELS, {"action": "load", "_selected_action": [model.pk]}),
        "disable selected": ("post", MODELS, {"action": "disable", "_selected_action": [model.pk]}),
        "delete selected": ("post", MODELS, {"action": "delete_selected", "_selected_action": [model.pk]}),
        "clone": ("post", MODELS, {"action": "clone", "_selected_action": [model.pk]}),
        "register a model": ("get", f"{MODELS}add/"),
        "change a model": ("post", f"{MODELS}{model.pk}/change/", {}),
        "roll a model back": ("post", f"{MODELS}{model.pk}/history/{model.history.first().pk}/", {}),
        "roll defaults back": (
            "post",
            f"/admin/registry/generationdefaults/{model.defaults.pk}/history/{model.defaults.history.first().pk}/",
            {},
        ),
        "delete a model": ("get", f"{MODELS}{model.pk}/delete/"),
        "change a preset": ("post", f"/admin/registry/preset/{preset.pk}/change/", {}),
        "see a model's defaults": ("get", f"/admin/registry/preset/defaults/?model={model.pk}"),
        "disable presets": (
            "post",
            "/admin/registry/preset/",
            {"action": "disable", "_selected_action": [preset.pk]},
        ),
        "see keys": ("get", "/admin/access/apikey/"),
        "revoke keys": ("post", "/admin/access/apikey/", {"action": "revoke", "_selected_action": [key.pk]}),
        "see users": ("get", "/admin/auth/user/"),
        "see stored responses": ("get", "/admin/inference/storedresponse/"),
    }


SEE = {"see models", "see a model", "see its history", "follow the states", "see a model's defaults"}
OPERATE = SEE | {"load", "unload", "load selected", "change a preset", "disable presets"}
MANAGE = OPERATE | {
    *("disable selected", "delete selected", "clone", "register a model", "change a model", "delete a model"),
    *("roll a model back", "roll defaults back", "enable", "disable"),
}
ALL = MANAGE | {"see keys", "revoke keys", "see users", "see stored responses"}
TABLE = {"viewer": SEE, "operator": OPERATE, "model manager": MANAGE, "administrator": ALL, "superuser": ALL}


def status(client, method, url, data=None):
    response = getattr(client, method)(url, data)
    response.close()
    return response.status_code


@pytest.mark.parametrize("role", USERS)
def test_a_role_may_do_what_is_listed_and_gets_403_for_the_rest(role, login, urls):
    client = login(role)
    done = {name: status(client, *request) for name, request in urls.items()}
    assert {name for name, code in done.items() if code != 403} == TABLE[role]
    assert all(code in (200, 302, 403) for code in done.values()), done


def test_visitors_are_sent_to_the_login(client, urls):
    for method, url, *data in urls.values():
        response = getattr(client, method)(url, *data)
        assert (response.status_code, response.url.partition("?")[0]) == (302, "/admin/login/"), url


@pytest.mark.parametrize(("role", "is_shown"), [("viewer", False), ("operator", True), ("superuser", True)])
def test_buttons_are_for_those_who_may_press_them(role, is_shown, login, model):
    page = login(role).get(MODELS).content.decode()
    assert ("console-button" in page) is is_shown
    assert (f'formaction="{MODELS}{model.pk}/load/"' in page) is is_shown
    assert ('value="unload"' in page) is is_shown


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        ("viewer", set()),
        ("operator", {"load", "unload"}),
        ("model manager", {"load", "unload", "disable"}),
        ("superuser", {"load", "unload", "disable"}),
    ],
)
def test_a_models_page_has_the_buttons_of_its_reader(role, shown, login, model):
    page = login(role).get(f"{MODELS}{model.pk}/change/").content.decode()
    assert set(re.findall(rf'formaction="{MODELS}{model.pk}/(\w+)/"', page)) == shown
    assert "not loaded" in page


def test_a_disabled_model_can_be_enabled_and_not_loaded(login, model):
    client = login("superuser")
    answer = client.post(f"{MODELS}{model.pk}/disable/", {"is_page": ""}, follow=True)
    assert answer.redirect_chain == [(f"{MODELS}{model.pk}/change/", 302)]
    assert set(re.findall(r'formaction="[^"]*/(\w+)/"', answer.content.decode())) == {"enable", "unload"}
    assert "Disabled now: 1." in answer.content.decode()
    assert client.post(f"{MODELS}{model.pk}/enable/").url == MODELS
    model.refresh_from_db()
    assert model.enabled


@pytest.mark.parametrize("name", ["load", "unload", "enable", "disable"])
def test_a_link_does_nothing(name, login, model):
    assert login("superuser").get(f"{MODELS}{model.pk}/{name}/").status_code == 405


def test_permissions_are_given_though_they_are_not_made_yet(db):
    Group.objects.filter(name__in=NAMES).delete()
    Permission.objects.all().delete()
    update_roles("default")
    assert Group.objects.get(name="operator").permissions.filter(codename="load_registeredmodel").exists()


def test_every_grant_stands_for_a_permission(db):
    names = {f"{p.content_type.app_label}.{p.codename}" for p in Permission.objects.select_related("content_type")}
    for role in ROLES:
        for grant in role.grants:
            assert any(type(role)(role.name, "", "", (grant,)).includes(name) for name in names) or grant == "console.*"


def test_what_was_said_is_for_administrators(db):
    for role in ROLES[:3]:
        codes = set(Group.objects.get(name=role.name).permissions.values_list("codename", flat=True))
        assert not codes & {"view_storedresponse", "view_capture", "view_capturedexchange", "view_apikey", "view_user"}


def test_an_administrator_makes_no_superuser(login, django_user_model):
    client = login("administrator")
    me, root = django_user_model.objects.get(), django_user_model.objects.create_superuser("root")
    form = {"username": "somebody", "is_staff": "on", "is_active": "on", "is_superuser": "on"}
    form |= {"groups": [me.groups.get().pk], "date_joined_0": "2026-01-01"}
    client.post(f"/admin/auth/user/{me.pk}/change/", {**form, "date_joined_1": "00:00:00"})
    me.refresh_from_db()
    assert not me.is_superuser
    assert client.post(f"/admin/auth/user/{root.pk}/password/", {}).status_code == 403
    assert client.post(f"/admin/auth/user/{root.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post("/admin/auth/group/add/", {"name": "mine"}).status_code == 403


def test_the_roles_groups_stay_as_they_are(admin_client):
    group = Group.objects.get(name="viewer")
    assert admin_client.post(f"/admin/auth/group/{group.pk}/change/", {"name": "x"}).status_code == 403
    assert "Sees models, presets and usage" in admin_client.get("/admin/auth/group/").content.decode()
