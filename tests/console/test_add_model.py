"""The pages that add models."""

from dataclasses import replace

import huggingface_hub
import pytest
from django.contrib.auth.models import Permission
from huggingface_hub.utils._http import default_client_factory

from llmsite.config import Downloads, Storage
from registry import download_tokens
from registry.models import Download, RegisteredModel
from tests.adapted_models import write_lora
from tests.file_server import FileServer
from tests.gguf_files import write_gguf, write_split_gguf
from tests.live_server import DEMO
from tests.registry.hub_server import COMMIT, HubServer, use_hub

CHOOSE, CONFIGURE = "/admin/models/add/", "/admin/models/add/file/"
REPOSITORY, URL, ESTIMATE = "/admin/models/add/repository/", "/admin/models/add/url/", "/admin/models/estimate/"


@pytest.fixture
def folder(tmp_path, settings):
    """The only model folder, beside that of the demo."""
    folder = tmp_path / "models"
    folder.mkdir()
    storage = Storage(model_folders=(str(folder), str(DEMO.parent)))
    settings.CONFIG = replace(settings.CONFIG, storage=storage, downloads=Downloads(allowed_hosts=("127.0.0.1",)))
    return folder


@pytest.fixture
def hub(monkeypatch):
    with FileServer() as server:
        use_hub(monkeypatch, server.url)
        yield HubServer(server)
    huggingface_hub.set_client_factory(default_client_factory)
    download_tokens._tokens.clear()


def text(response):
    assert response.status_code == 200
    return response.content.decode()


def test_files_in_the_folders_are_offered(admin_client, folder):
    write_gguf(folder / "a.gguf")
    write_split_gguf(folder, 3, "b")
    page = text(admin_client.get(CHOOSE))
    assert "a.gguf" in page
    assert "b-00001-of-00003.gguf" in page
    assert "(3 parts)" in page
    assert "b-00002-of-00003.gguf" not in page
    assert "demo/demo.gguf" in page


def test_what_cannot_be_registered_is_said_with_its_reason(admin_client, folder, tmp_path):
    write_lora(folder / "lora.gguf")
    parts = write_split_gguf(folder, 3, "b")
    parts[1].unlink()
    write_split_gguf(folder, 2, "c")[0].unlink()
    (folder / "page.gguf").write_text("<html>")
    write_gguf(tmp_path / "outside.gguf")
    (folder / "link.gguf").symlink_to(tmp_path / "outside.gguf")
    page = text(admin_client.get(CHOOSE))
    for words in ("LoRA adapter", "are missing: b-00002-of-00003", "The first part is missing", "an HTML page"):
        assert words in page
    assert "a link that leads out" in page


def test_the_list_takes_the_same_number_of_queries_however_many_models_there_are(
    admin_client, folder, django_assert_num_queries
):
    admin_client.get(CHOOSE)
    models = [RegisteredModel(name=f"m{number}", path=f"{folder}/{number}.gguf") for number in range(1000)]
    RegisteredModel.objects.bulk_create(models)
    with django_assert_num_queries(3):  # the session, the user, the models
        admin_client.get(CHOOSE)


def test_registered_files_are_not_offered(admin_client, folder):
    RegisteredModel.objects.create(name="demo", path="demo/demo.gguf")
    assert "demo/demo.gguf" not in text(admin_client.get(CHOOSE))


def test_a_file_is_described_before_it_is_registered(admin_client, folder):
    page = text(admin_client.get(CONFIGURE, {"path": "demo/demo.gguf"}))
    for words in ("What the file says", "What the model would read", "What is the capital of France?", 'value="demo"'):
        assert words in page


def test_a_file_is_registered(admin_client, folder):
    path = write_gguf(folder / "a.gguf")
    form = {"path": str(path), "name": "new", "ctx_size": "256", "parallel": "2"}
    response = admin_client.post(CONFIGURE, form)
    model = RegisteredModel.objects.get()
    assert response.headers["Location"] == f"/admin/registry/registeredmodel/{model.pk}/change/"
    assert (model.name, model.ctx_size, model.parallel, model.architecture) == ("new", 256, 2, "llama")
    assert model.defaults.temperature == 0.8


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [("name", "a b", "is not a model name"), ("ctx_size", "600", "more than the 512 tokens"), ("parallel", "0", "1")],
)
def test_wrong_settings_are_errors_and_nothing_is_saved(admin_client, folder, field, value, reason):
    path = write_gguf(folder / "a.gguf")
    form = {"path": str(path), "name": "new", "ctx_size": "256", "parallel": "2", field: value}
    assert reason in text(admin_client.post(CONFIGURE, form))
    assert not RegisteredModel.objects.exists()


def test_the_suggested_name_is_free(admin_client, folder):
    RegisteredModel.objects.create(name="demo", path="other.gguf")
    assert 'value="demo-2"' in text(admin_client.get(CONFIGURE, {"path": "demo/demo.gguf"}))


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "models/../../../../etc/passwd", "~/secret.gguf", "a\0b.gguf", "none.gguf"]
)
def test_paths_outside_the_folders_are_refused_without_a_word_about_what_is_there(admin_client, folder, path):
    for response in (admin_client.get(CONFIGURE, {"path": path}), admin_client.post(CONFIGURE, {"path": path})):
        page = text(response)
        assert "is not under the model folders" in page
        assert "looks like" not in page
        assert "There is no file" not in page
    answer = admin_client.post(ESTIMATE, {"path": path}).json()
    assert answer["level"] == "error"
    assert "is not under the model folders" in answer["text"] or "Null characters" in answer["text"]


def test_a_link_that_leads_out_is_refused(admin_client, folder, tmp_path):
    write_gguf(tmp_path / "outside.gguf")
    (folder / "link.gguf").symlink_to(tmp_path / "outside.gguf")
    assert "is a link that leads out" in text(admin_client.get(CONFIGURE, {"path": str(folder / "link.gguf")}))


def test_a_part_that_is_a_link_leading_out_is_refused(admin_client, folder, tmp_path):
    parts = write_split_gguf(folder, 2)
    parts[1].rename(tmp_path / "outside.gguf")
    parts[1].symlink_to(tmp_path / "outside.gguf")
    assert "is a link that leads out" in text(admin_client.get(CONFIGURE, {"path": str(parts[0])}))


def test_a_link_to_a_file_in_another_model_folder_is_fine(admin_client, folder):
    (folder / "link.gguf").symlink_to(DEMO)
    assert "What the file says" in text(admin_client.get(CONFIGURE, {"path": str(folder / "link.gguf")}))


def fill_licence(writer):
    writer.add_license("apache-2.0")


def test_the_licence_is_shown(admin_client, folder):
    path = write_gguf(folder / "a.gguf", fill=fill_licence)
    assert "apache-2.0" in text(admin_client.get(CONFIGURE, {"path": str(path)}))


def test_what_should_be_known_is_said(admin_client, folder):
    def fill(writer):
        del writer.kv_data[0]["tokenizer.chat_template"]
        writer.kv_data[0]["plamo2.context_length"].value = 131072

    path = write_gguf(folder / "a.gguf", "plamo2", fill=fill)
    page = text(admin_client.get(CONFIGURE, {"path": str(path)}))
    for words in ("no chat template", "trained for 131072 tokens", "one request at a time"):
        assert words in page


def test_what_should_be_known_of_a_diffusion_model_is_said(admin_client, folder):
    def fill(writer):
        writer.kv_data[0]["llada.context_length"].value = 4096

    path = write_gguf(folder / "a.gguf", "llada", fill=fill)
    page = text(admin_client.get(CONFIGURE, {"path": str(path)}))
    for words in ("Left empty, the context size is 2048", "a diffusion model", "(tokenizer.ggml.mask_token_id)"):
        assert words in page


def test_a_template_that_is_no_use_is_a_warning(admin_client, folder):
    path = write_gguf(folder / "a.gguf", fill=lambda writer: writer.add_chat_template("{{ raise_exception('no') }}"))
    page = text(admin_client.get(CONFIGURE, {"path": str(path)}))
    assert "refuses a simple conversation" in page


def test_the_memory_is_estimated(admin_client, folder):
    answer = admin_client.post(ESTIMATE, {"path": "demo/demo.gguf", "ctx_size": "256", "parallel": "2"}).json()
    assert answer["level"] == "ok", answer
    assert "It takes about" in answer["text"]
    assert "KV cache" in answer["text"]


def test_what_does_not_fit_gets_advice(admin_client, folder, monkeypatch):
    from inference.memory import Limit

    monkeypatch.setattr("inference.pool.room.Room.limit", Limit(120 * 2**20))
    answer = admin_client.post(ESTIMATE, {"path": "demo/demo.gguf", "parallel": "64"}).json()
    assert answer["level"] == "warning", answer
    assert "It would fit with" in answer["text"]


def test_what_llama_cpp_does_not_know_is_said(admin_client, folder):
    path = write_gguf(folder / "a.gguf", "no-such-architecture")
    answer = admin_client.post(ESTIMATE, {"path": str(path), "parallel": "1"}).json()
    assert answer["level"] == "error"
    assert "unknown model architecture" in answer["text"]


def test_a_wrong_setting_is_said_by_its_name(admin_client, folder):
    answer = admin_client.post(ESTIMATE, {"path": "demo/demo.gguf", "ctx_size": "1"}).json()
    assert answer["level"] == "error"
    assert "ontext size: " in answer["text"]


def test_the_models_of_a_repository_are_listed_and_one_is_downloaded(admin_client, folder, hub):
    hub.add_repo("owner/m-GGUF", {"m-Q8_0.gguf": b"GGUF1234", "m-Q4_0.gguf": b"GGUF"})
    page = text(admin_client.post(REPOSITORY, {"repo": "owner/m-GGUF"}))
    assert "Q4_0" in page
    assert "8 B" in page
    response = admin_client.post(REPOSITORY, {"repo": "owner/m-GGUF", "file": "m-Q8_0.gguf"})
    assert response.headers["Location"] == "/admin/registry/download/"
    job = Download.objects.get()
    assert (job.state, job.source) == ("queued", f"hf:owner/m-GGUF@{COMMIT}/m-Q8_0.gguf")
    assert job.target == str(folder / "owner" / "m-GGUF" / "m-Q8_0.gguf")
    assert job.started_by.is_superuser


def test_a_token_is_sent_to_the_hub_and_shown_nowhere(admin_client, folder, hub):
    hub.add_repo("owner/m", {"m.gguf": b"GGUF"})
    page = text(admin_client.post(REPOSITORY, {"repo": "owner/m", "token": "hf_secret"}))
    assert "hf_secret" not in page
    assert "The server remembers your token" in page
    sent = [headers.get("authorization") for _, _, headers in hub.server.requests]
    assert sent
    assert set(sent) == {"Bearer hf_secret"}
    admin_client.post(REPOSITORY, {"repo": "owner/m", "file": "m.gguf"})
    assert "hf_secret" not in str(Download.objects.values())


def test_a_hub_on_a_private_address_is_refused_unless_it_is_allowed(admin_client, folder, hub, settings):
    hub.add_repo("owner/m", {"m.gguf": b"GGUF"})
    settings.CONFIG = replace(settings.CONFIG, downloads=Downloads())
    assert "127.0.0.1 is not allowed" in text(admin_client.post(REPOSITORY, {"repo": "owner/m"}))
    assert hub.server.requests == []


@pytest.mark.parametrize(("repo", "reason"), [("x", "expected owner/name"), ("owner/none", "does not list the files")])
def test_a_repository_that_is_no_use_is_an_error(admin_client, folder, hub, repo, reason):
    assert reason in text(admin_client.post(REPOSITORY, {"repo": repo}))


def test_a_url_is_downloaded(admin_client, folder):
    assert admin_client.post(URL, {"url": "https://example.com/a.gguf"}).status_code == 302
    assert Download.objects.get().target == str(folder / "a.gguf")
    assert "is being downloaded already" in text(admin_client.post(URL, {"url": "https://example.com/a.gguf"}))


def test_a_url_that_is_no_use_is_an_error(admin_client, folder):
    assert "expected https://" in text(admin_client.post(URL, {"url": "ftp://example.com/a.gguf"}))


def test_the_add_button_leads_here_and_the_plain_form_stays(admin_client, folder):
    add = "/admin/registry/registeredmodel/add/"
    assert admin_client.get(add).headers["Location"] == CHOOSE
    assert 'name="kv_layout"' in text(admin_client.get(add, {"plain": "1"}))
    assert admin_client.get("/admin/registry/download/add/").headers["Location"] == CHOOSE


def test_a_models_page_has_the_estimate(admin_client, folder):
    model = RegisteredModel(name="demo", path="demo/demo.gguf")
    model.full_clean()
    model.save()
    page = text(admin_client.get(f"/admin/registry/registeredmodel/{model.pk}/change/"))
    assert f'data-model="{model.pk}"' in page
    answer = admin_client.post(ESTIMATE, {"model": model.pk, "path": model.path, "ctx_size": "256"}).json()
    assert answer["level"] == "ok"


@pytest.fixture
def staff_client(client, django_user_model):
    """A function that logs somebody in with these permissions."""

    def staff_client(*codenames):
        user = django_user_model.objects.create_user(f"staff {codenames}", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return staff_client


@pytest.mark.parametrize(
    ("permissions", "allowed"),
    [
        ((), set()),
        (("view_registeredmodel", "view_download"), set()),
        (("add_registeredmodel",), {CHOOSE, CONFIGURE, ESTIMATE}),
        (("change_registeredmodel",), {ESTIMATE}),
        (("add_download",), {CHOOSE, REPOSITORY, URL}),
    ],
)
def test_every_page_asks_for_its_permission(staff_client, folder, permissions, allowed):
    client = staff_client(*permissions)
    answers = {
        CHOOSE: client.get(CHOOSE),
        CONFIGURE: client.get(CONFIGURE, {"path": "demo/demo.gguf"}),
        REPOSITORY: client.post(REPOSITORY),
        URL: client.post(URL),
        ESTIMATE: client.post(ESTIMATE),
    }
    assert {page for page, answer in answers.items() if answer.status_code == 200} == allowed
    assert {page for page, answer in answers.items() if answer.status_code == 403} == set(answers) - allowed


def test_what_is_not_permitted_is_not_shown(staff_client, folder):
    assert "Download from" not in text(staff_client("add_registeredmodel").get(CHOOSE))


def test_visitors_are_sent_to_the_login(client, folder):
    assert client.get(CHOOSE).headers["Location"].startswith("/admin/login/")
