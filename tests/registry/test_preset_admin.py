"""The admin of presets, and presets on the pages of models."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from registry.models import Preset, RegisteredModel
from registry.preset_changes import changes_of

LIST_URL = "/admin/registry/preset/"
MODELS_URL = "/admin/registry/registeredmodel/"


@pytest.fixture
def preset(registered):
    return Preset.objects.create(name="cool", model=registered, temperature=0.2, forced={"seed": 1}, stripped=["n"])


@pytest.fixture
def form(registered):
    """What the empty form posts for the tiny model."""
    names = (
        *("temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "max_tokens", "seed"),
        *("stop", "system_prompt", "forced", "stripped", "allowed_tools", "reasoning", "description"),
    )
    return {**dict.fromkeys(names, ""), "name": "new", "model": registered.pk, "enabled": "on"}


@pytest.fixture
def staff(client, make_user):
    """A function that logs somebody in who has some permissions only."""

    def staff(*codenames):
        user = make_user("somebody", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return staff


def change_url(instance):
    return reverse(f"admin:registry_{instance._meta.model_name}_change", args=[instance.pk])


def run_action(client, url, action, *instances):
    return client.post(url, {"action": action, "_selected_action": [each.pk for each in instances]}, follow=True)


def test_an_empty_form_makes_a_further_name_without_rules(admin_client, form):
    assert admin_client.post(f"{LIST_URL}add/", form).status_code == 302
    preset = Preset.objects.get(name="new")
    assert (preset.defaults(), preset.rules()) == ({}, {})
    assert (preset.stop, preset.allowed_tools) == (None, None)


def test_an_empty_list_is_not_the_same_as_nothing(admin_client, form):
    admin_client.post(f"{LIST_URL}add/", {**form, "stop": "[]", "allowed_tools": "[]"})
    preset = Preset.objects.get()
    assert (preset.stop, preset.allowed_tools) == ([], [])
    page = admin_client.get(change_url(preset)).content.decode()
    assert re.search(r'name="allowed_tools"[^>]*>\s*\[\]</textarea>', page)


def test_what_is_absent_is_shown_as_an_empty_box_with_the_models_value(admin_client, preset):
    preset.model.defaults.system_prompt = "Answer briefly."
    preset.model.defaults.save()
    page = admin_client.get(change_url(preset)).content.decode()
    assert "null</textarea>" not in page
    assert 'placeholder="Answer briefly."' in page
    assert re.search(r'name="top_k"[^>]*placeholder="40"', page) or re.search(
        r'placeholder="40"[^>]*name="top_k"', page
    )


def test_a_page_opened_from_a_model_shows_its_values_at_once(admin_client, registered):
    page = admin_client.get(f"{LIST_URL}add/?model={registered.pk}").content.decode()
    assert 'placeholder="0.95"' in page
    assert 'placeholder="0.95"' not in admin_client.get(f"{LIST_URL}add/").content.decode()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("forced", '{"temperature": 3}', "Invalid `temperature`: expected a number between 0 and 2, got 3."),
        ("forced", '{"colour": 1}', "“colour” cannot be ruled here."),
        ("stripped", '["model"]', "“model” cannot be ruled here."),
        ("stop", '"x"', "is not allowed: give a list of non-empty strings"),
        ("allowed_tools", '{"a": 1}', "give a list of function names"),
        ("name", "tiny", "is the name of a registered model"),
        ("temperature", "5", "less than or equal to 2"),
    ],
)
def test_what_is_not_allowed_is_an_error_at_its_field(admin_client, form, field, value, message):
    response = admin_client.post(f"{LIST_URL}add/", {**form, field: value})
    assert message in response.context["adminform"].form.errors[field][0]
    assert not Preset.objects.exists()


def test_the_list_shows_model_state_and_changes_in_few_queries(admin_client, preset, django_assert_max_num_queries):
    for number in range(30):
        Preset.objects.create(name=f"p{number}", model=preset.model)
    with django_assert_max_num_queries(8):
        page = admin_client.get(LIST_URL).content.decode()
    for text in ("cool", "tiny", "not loaded", "temperature 0.2; seed always 1; n ignored"):
        assert text in page


def test_long_changes_are_shown_in_short(preset):
    assert changes_of(Preset(allowed_tools=[], reasoning="none")) == "no tools; reasoning off"
    assert changes_of(Preset(allowed_tools=["a", "b"])) == "only these tools: a, b"
    assert changes_of(Preset()) == "nothing"
    assert len(changes_of(Preset(system_prompt="a" * 1000))) < 100


def test_presets_are_switched_on_and_off(admin_client, preset):
    assert "Disabled now: 1." in run_action(admin_client, LIST_URL, "disable", preset).content.decode()
    assert not Preset.objects.get().enabled
    run_action(admin_client, LIST_URL, "enable", preset)
    assert Preset.objects.get().enabled


def test_a_single_copy_is_opened(admin_client, preset):
    response = run_action(admin_client, LIST_URL, "clone", preset)
    clone = Preset.objects.get(name="cool-copy")
    assert response.redirect_chain == [(change_url(clone), 302)]
    assert "disabled until you enable it" in response.content.decode()


def test_several_copies_are_linked(admin_client, preset):
    other = Preset.objects.create(name="b", model=preset.model)
    page = run_action(admin_client, LIST_URL, "clone", preset, other).content.decode()
    for name in ("cool-copy", "b-copy"):
        assert f'<a href="{change_url(Preset.objects.get(name=name))}">{name}</a>' in page


def test_a_registration_is_cloned_from_its_list(admin_client, registered):
    response = run_action(admin_client, MODELS_URL, "clone", registered)
    assert response.redirect_chain == [(change_url(RegisteredModel.objects.get(name="tiny-copy")), 302)]


@pytest.mark.parametrize("url", [LIST_URL, MODELS_URL])
def test_who_may_not_add_may_not_clone(staff, preset, url):
    client = staff("change_preset", "view_preset", "change_registeredmodel", "view_registeredmodel")
    original = preset if url == LIST_URL else preset.model
    run_action(client, url, "clone", original)
    assert (Preset.objects.count(), RegisteredModel.objects.count()) == (1, 1)


def test_who_may_only_look_can_change_nothing(staff, preset):
    client = staff("view_preset")
    assert client.get(change_url(preset)).status_code == 200
    assert client.post(change_url(preset), {"name": "x"}).status_code == 403
    run_action(client, LIST_URL, "disable", preset)
    assert Preset.objects.get().enabled


def test_a_models_page_links_its_presets(admin_client, preset):
    page = admin_client.get(change_url(preset.model)).content.decode()
    assert f'1: <a href="{change_url(preset)}">cool</a>' in page
    assert f'<a href="/admin/registry/preset/add/?model={preset.model.pk}">Add a preset</a>' in page


def test_of_many_presets_a_models_page_links_the_list(admin_client, registered):
    for number in range(25):
        Preset.objects.create(name=f"p{number:02}", model=registered)
    page = admin_client.get(change_url(registered)).content.decode()
    url = f"{LIST_URL}?model__id__exact={registered.pk}"
    assert f'<a href="{url}">25</a>' in page
    assert ">p19<" in page
    assert ">p20<" not in page
    assert admin_client.get(url).context["cl"].result_count == 25


def test_who_may_not_see_presets_does_not_see_them_on_a_models_page(staff, preset):
    page = staff("view_registeredmodel").get(change_url(preset.model)).content.decode()
    assert "cool" not in page
    assert "Add a preset" not in page


def test_deleting_a_model_says_which_presets_go_with_it(admin_client, preset):
    url = reverse("admin:registry_registeredmodel_delete", args=[preset.model.pk])
    page = admin_client.get(url).content.decode()
    assert f'<a href="{change_url(preset)}">cool</a>' in page
    admin_client.post(url, {"post": "yes"})
    assert not Preset.objects.exists()


def test_who_may_not_delete_presets_may_not_delete_their_model(staff, preset):
    client = staff("view_registeredmodel", "delete_registeredmodel", "view_preset", "delete_generationdefaults")
    client.post(reverse("admin:registry_registeredmodel_delete", args=[preset.model.pk]), {"post": "yes"})
    assert Preset.objects.exists()
