"""The page with LibreChat's configuration."""

import pytest
import yaml
from django.contrib.auth.models import Permission

from registry.models import RegisteredModel

PATH = "/admin/console/librechat/"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def model() -> RegisteredModel:
    return RegisteredModel.objects.create(name="m", path="m.gguf", ctx_size=4096)


def test_the_page_is_for_a_librechat_in_docker_at_first(admin_client):
    response = admin_client.get(PATH, headers={"host": "127.0.0.1:8123"})
    assert response.context["base_url"] == "http://host.docker.internal:8123/v1"
    assert "http://127.0.0.1:8123/v1" in response.content.decode()
    assert "set server.host to 0.0.0.0" in response.content.decode()


def test_another_base_url_is_taken_over_and_downloaded(admin_client):
    query = {"base_url": "https://llm.example.com/v1"}
    assert "set server.host" not in admin_client.get(PATH, query).content.decode()
    response = admin_client.get(f"{PATH}librechat.yaml", query)
    assert response["Content-Disposition"] == 'attachment; filename="librechat.yaml"'
    endpoint = yaml.safe_load(response.content)["endpoints"]["custom"][0]
    assert endpoint["baseURL"] == "https://llm.example.com/v1"


def test_what_is_no_base_url_is_named(admin_client):
    response = admin_client.get(PATH, {"base_url": "llm"})
    assert "“llm” is no base URL" in response.content.decode()


def test_a_needed_key_is_said(admin_client, settings):
    settings.AUTH_REQUIRED = True
    page = admin_client.get(PATH).content.decode()
    assert "${LLM_API_KEY}" in page
    assert "make one under “API keys”" in page


def test_a_placeholder_is_said(admin_client, model):
    model.delete()
    assert "There is no enabled chat model yet." in admin_client.get(PATH).content.decode()


@pytest.mark.parametrize("path", [PATH, f"{PATH}librechat.yaml"])
def test_it_is_for_those_who_see_models(client, django_user_model, path):
    assert client.get(path).status_code == 302
    user = django_user_model.objects.create_user("someone", is_staff=True)
    client.force_login(user)
    assert client.get(path).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_registeredmodel"))
    assert client.get(path).status_code == 200
