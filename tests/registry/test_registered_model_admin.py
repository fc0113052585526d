from dataclasses import replace

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from llmsite.config import Storage
from registry.models import GenerationDefaults, RegisteredModel
from registry.runtime_settings import RuntimeSettings
from tests.adapted_models import write_lora
from tests.gguf_files import write_gguf

LIST_URL = "/admin/registry/registeredmodel/"
DEFAULTS = {
    "temperature": "0.8", "top_p": "0.95", "top_k": "40", "min_p": "0.05", "presence_penalty": "0.0",
    "frequency_penalty": "0.0", "max_tokens": "", "seed": "", "stop": "[]", "system_prompt": "",
}  # fmt: skip


NO_LORAS = {"loras-TOTAL_FORMS": 0, "loras-INITIAL_FORMS": 0}


def runtime_values():
    """What the form shows of a new model's runtime settings; a box that is not ticked posts nothing."""
    fields = RuntimeSettings._meta.get_fields()
    values = {field.name: field.get_default() for field in fields}
    return {
        name: "on" if value is True else value
        for name, value in values.items()
        if value is not None and value is not False
    }


@pytest.fixture(autouse=True)
def model_folder(tmp_path, settings):
    """The folder in which these tests have their files, and no other one."""
    settings.CONFIG = replace(settings.CONFIG, storage=Storage(model_folders=(str(tmp_path),)))
    return tmp_path


@pytest.fixture
def form(gguf):
    """What the empty form of the admin posts for the tiny file."""
    management = {"defaults-TOTAL_FORMS": 1, "defaults-INITIAL_FORMS": 0, **NO_LORAS}
    defaults = {f"defaults-0-{key}": value for key, value in DEFAULTS.items()}
    return {
        "name": "new",
        "path": str(gguf),
        "enabled": "on",
        **runtime_values(),
        **management,
        **defaults,
    }


@pytest.fixture
def change_form(form, registered):
    """What the form of the registered model posts."""
    ids = {"defaults-0-id": registered.defaults.pk, "defaults-0-model": registered.pk}
    return {**form, "name": "tiny", "defaults-INITIAL_FORMS": 1, **ids}


def change_url(model):
    return reverse("admin:registry_registeredmodel_change", args=[model.pk])


def run_action(client, action, model):
    return client.post(LIST_URL, {"action": action, "_selected_action": [model.pk]}, follow=True)


def test_the_list_shows_what_was_read(admin_client, registered):
    page = admin_client.get(LIST_URL).content.decode()
    for text in ("tiny", "llama", "256", "Q8_0", "512", "1.6 KiB"):
        assert text in page


def test_the_list_can_be_searched_and_filtered(admin_client, registered):
    page = admin_client.get(LIST_URL, {"q": "nothing", "enabled__exact": "1", "architecture": "llama"})
    assert page.context["cl"].result_count == 0


def test_the_empty_form_shows_no_metadata(admin_client):
    page = admin_client.get(f"{LIST_URL}add/", {"plain": "1"}).content.decode()
    assert "Read from the file" not in page
    assert page.count('name="defaults-0-temperature"') == 1
    assert 'name="defaults-1-temperature"' not in page


def test_adding_a_model_reads_its_file(admin_client, form):
    response = admin_client.post(f"{LIST_URL}add/", form)
    assert response.status_code == 302
    assert RegisteredModel.objects.get(name="new").architecture == "llama"
    assert GenerationDefaults.objects.get().temperature == 0.8


def test_defaults_can_be_set_while_adding(admin_client, form):
    admin_client.post(f"{LIST_URL}add/", {**form, "defaults-0-temperature": "0.1", "defaults-0-stop": '["###"]'})
    defaults = GenerationDefaults.objects.get()
    assert (defaults.temperature, defaults.stop, defaults.model.name) == (0.1, ["###"], "new")


def test_a_file_that_is_no_use_is_an_error_on_the_path_and_nothing_is_saved(admin_client, form, tmp_path):
    (tmp_path / "page.gguf").write_text("<html>")
    response = admin_client.post(f"{LIST_URL}add/", {**form, "path": str(tmp_path / "page.gguf")})
    assert "looks like an HTML page" in response.context["adminform"].form.errors["path"][0]
    assert not RegisteredModel.objects.exists()


def test_a_wrong_default_is_an_error_and_nothing_is_saved(admin_client, form):
    response = admin_client.post(f"{LIST_URL}add/", {**form, "defaults-0-temperature": "9"})
    assert "less than or equal to 2" in response.content.decode()
    assert not RegisteredModel.objects.exists()


def test_the_form_of_a_model_shows_what_was_read(admin_client, registered):
    page = admin_client.get(change_url(registered)).content.decode()
    assert "Read from the file" in page
    assert "{% for message in messages %}" in page
    assert "defaults-0-DELETE" not in page


def test_a_diffusion_model_has_no_settings_of_what_it_does_not_keep(admin_client, registered):
    def shown():
        page = admin_client.get(change_url(registered)).content.decode()
        return {name for name in ("kv_layout", "kv_type_k", "n_batch", "draft_max") if f'name="{name}"' in page}, page

    assert shown()[0] == {"kv_layout", "kv_type_k", "n_batch", "draft_max"}
    RegisteredModel.objects.update(architecture="llada")
    names, page = shown()
    assert names == set()
    assert all(f'name="{name}"' in page for name in ("parallel", "flash_attention", "defaults-0-top_k"))


def test_changing_a_model_changes_its_only_defaults(admin_client, registered, change_form):
    form = {**change_form, "parallel": 8, "defaults-0-top_k": "7", "defaults-0-stop": ""}
    assert admin_client.post(change_url(registered), form).status_code == 302
    model = RegisteredModel.objects.for_api("tiny")
    assert (model.parallel, model.defaults.top_k, model.defaults.stop) == (8, 7, [])


def test_a_changed_path_is_read(admin_client, registered, change_form, tmp_path):
    path = write_gguf(tmp_path / "other.gguf", "qwen3")
    admin_client.post(change_url(registered), {**change_form, "path": str(path)})
    assert RegisteredModel.objects.get().architecture == "qwen3"


def test_a_template_that_does_not_compile_is_an_error_with_its_line(admin_client, registered, change_form):
    response = admin_client.post(change_url(registered), {**change_form, "chat_template_override": "{{"})
    assert "Line 1 of the template" in response.content.decode()


def test_models_are_disabled_and_enabled(admin_client, registered):
    assert "Disabled now: 1." in run_action(admin_client, "disable", registered).content.decode()
    assert not RegisteredModel.objects.get().enabled
    assert "Enabled now: 1." in run_action(admin_client, "enable", registered).content.decode()
    assert RegisteredModel.objects.get().enabled


def test_enabling_what_is_enabled_changes_nothing(admin_client, registered):
    assert "Enabled now: 0." in run_action(admin_client, "enable", registered).content.decode()
    assert RegisteredModel.objects.get().updated_at == registered.updated_at


def test_disabling_needs_the_permission_to_change(client, make_user, registered):
    user = make_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_registeredmodel"))
    client.force_login(user)
    run_action(client, "disable", registered)
    assert RegisteredModel.objects.get().enabled
    assert client.get(change_url(registered)).status_code == 200
    assert client.post(change_url(registered), {}).status_code == 403


def test_the_admin_is_for_staff_only(client, make_user, registered):
    assert client.get(LIST_URL).status_code == 302
    client.force_login(make_user("somebody"))
    assert client.get(LIST_URL).status_code == 302


def test_deleting_a_model_deletes_its_defaults(admin_client, registered):
    admin_client.post(reverse("admin:registry_registeredmodel_delete", args=[registered.pk]), {"post": "yes"})
    assert not GenerationDefaults.objects.exists()


def test_the_site_has_its_name(admin_client):
    assert "llmsite" in admin_client.get("/admin/").content.decode()


def test_an_embedding_model_has_no_generation_defaults(admin_client, form, tmp_path):
    path = str(write_gguf(tmp_path / "bert.gguf", "bert", fill=lambda writer: writer.add_embedding_length(384)))
    admin_client.post(f"{LIST_URL}add/", {**form, "path": path})
    model = RegisteredModel.objects.get()
    page = admin_client.get(change_url(model)).content.decode()
    assert "temperature" not in page
    assert "384" in page
    assert "KV type of K" in page
    assert "step target" not in page.lower()
    assert "Speculative decoding" not in page
    fields = {"name": "renamed", "path": path, "enabled": "on", **runtime_values(), **NO_LORAS}
    assert admin_client.post(change_url(model), fields).status_code == 302
    assert RegisteredModel.objects.get().name == "renamed"


def test_the_list_can_be_filtered_by_kind(admin_client, registered):
    assert admin_client.get(LIST_URL, {"kind__exact": "chat"}).context["cl"].result_count == 1
    assert admin_client.get(LIST_URL, {"kind__exact": "rerank"}).context["cl"].result_count == 0


def test_an_adapter_is_added_with_the_model(admin_client, form, tmp_path):
    row = {"loras-TOTAL_FORMS": 1, "loras-0-path": str(write_lora(tmp_path / "a.gguf")), "loras-0-scale": "0.5"}
    assert admin_client.post(f"{LIST_URL}add/", {**form, **row, "loras-0-order": "0"}).status_code == 302
    assert [lora.scale for lora in RegisteredModel.objects.get().loras.all()] == [0.5]


def test_an_adapter_for_another_architecture_is_an_error_and_nothing_is_saved(admin_client, form, tmp_path):
    path = str(write_lora(tmp_path / "a.gguf", "qwen3"))
    row = {"loras-TOTAL_FORMS": 1, "loras-0-path": path, "loras-0-scale": "1", "loras-0-order": "0"}
    response = admin_client.post(f"{LIST_URL}add/", {**form, **row})
    assert "general.architecture is &#x27;qwen3&#x27;, expected &#x27;llama&#x27;" in response.content.decode()
    assert not RegisteredModel.objects.exists()


def test_settings_that_do_not_go_together_are_an_error_on_their_field(admin_client, form):
    response = admin_client.post(f"{LIST_URL}add/", {**form, "kv_type_v": "q8_0", "flash_attention": "off"})
    assert list(response.context["adminform"].form.errors) == ["kv_type_v"]


def test_one_request_at_a_time_is_said_when_a_model_is_saved(admin_client, form, tmp_path):
    path = str(write_gguf(tmp_path / "plamo.gguf", "plamo2"))
    page = admin_client.post(f"{LIST_URL}add/", {**form, "path": path}, follow=True).content.decode()
    assert "The model “new” answers one request at a time: llama.cpp mixes up" in page


@pytest.fixture
def elsewhere(tmp_path_factory):
    """A file outside the model folders."""
    return write_gguf(tmp_path_factory.mktemp("elsewhere") / "a.gguf")


@pytest.mark.parametrize("field", ["path", "draft_model"])
def test_paths_outside_the_model_folders_are_refused(admin_client, form, elsewhere, field):
    response = admin_client.post(f"{LIST_URL}add/", {**form, field: str(elsewhere)})
    assert "is not under the model folders" in response.context["adminform"].form.errors[field][0]
    assert not RegisteredModel.objects.exists()


def test_an_adapter_outside_the_model_folders_is_refused(admin_client, form, elsewhere):
    row = {"loras-TOTAL_FORMS": 1, "loras-0-path": str(elsewhere), "loras-0-scale": "1", "loras-0-order": "0"}
    response = admin_client.post(f"{LIST_URL}add/", {**form, **row})
    assert "is not under the model folders" in response.content.decode()
    assert "is no adapter" not in response.content.decode()


def test_a_model_that_was_registered_elsewhere_can_be_changed(admin_client, change_form, registered, elsewhere):
    RegisteredModel.objects.update(path=str(elsewhere))
    form = {**change_form, "path": str(elsewhere), "parallel": 3}
    assert admin_client.post(change_url(registered), form).status_code == 302
    assert RegisteredModel.objects.get().parallel == 3
