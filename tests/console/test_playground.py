"""The playground's page, and who may send its requests."""

import httpx
import pytest
from django.contrib.auth.models import Permission

from registry.models import Preset, RegisteredModel
from tests.browser import Browser

PATH = "/admin/console/playground/"
CHAT = f"{PATH}chat"
HELLO = {"model": "demo", "messages": [{"role": "user", "content": "Hello!"}], "stream": True, "temperature": 0}


@pytest.fixture
def model(db) -> RegisteredModel:
    return RegisteredModel.objects.create(name="m", path="m.gguf", ctx_size=4096)


def allowed(user, *codenames: str):
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return user


def test_the_page_offers_enabled_chat_models_and_presets(admin_client, model):
    Preset.objects.create(name="p", model=model)
    RegisteredModel.objects.create(name="off", path="x.gguf", enabled=False)
    RegisteredModel.objects.create(name="embedder", path="x.gguf", kind="embedding")
    response = admin_client.get(PATH, {"model": "p"})
    assert [each.name for each in response.context["models"]] == ["m", "p"]
    assert response.context["chosen"].name == "p"


def test_a_model_that_is_not_there_is_named(admin_client, model):
    assert "“gone” is no enabled chat model or preset." in admin_client.get(PATH, {"model": "gone"}).content.decode()


def test_without_models_the_page_says_so(admin_client, db):
    assert "There is no enabled chat model yet." in admin_client.get(PATH).content.decode()


def test_the_facts_of_a_preset_are_its_own(admin_client, model):
    Preset.objects.create(name="p", model=model, temperature=0.1, system_prompt="Be brief.")
    facts = admin_client.get(f"{PATH}model", {"model": "p"}).json()
    assert (facts["context"], facts["defaults"]["temperature"], facts["defaults"]["top_k"]) == (4096, 0.1, 40)
    assert facts["defaults"]["system_prompt"] == "Be brief."
    assert admin_client.get(f"{PATH}model", {"model": "gone"}).status_code == 404


def test_the_page_asks_the_database_no_more_for_more_models(admin_client, model, django_assert_max_num_queries):
    RegisteredModel.objects.bulk_create(RegisteredModel(name=f"m{n}", path="x.gguf") for n in range(50))
    with django_assert_max_num_queries(8):
        admin_client.get(PATH)


def test_who_sees_models_may_look_but_not_send(client, django_user_model, model):
    user = django_user_model.objects.create_user("someone", is_staff=True)
    client.force_login(user)
    assert client.get(PATH).status_code == 403
    allowed(user, "view_registeredmodel")
    assert "You may look at this page, but not use models" in client.get(PATH).content.decode()
    refused = client.post(CHAT, HELLO, content_type="application/json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_allowed")


def test_strangers_get_no_answer(client, db):
    assert client.get(PATH).status_code == 302
    refused = client.post(CHAT, HELLO, content_type="application/json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "not_allowed")


def test_users_outside_the_admin_get_no_answer(client, django_user_model):
    client.force_login(allowed(django_user_model.objects.create_user("member"), "load_registeredmodel"))
    assert client.post(CHAT, HELLO, content_type="application/json").status_code == 403


def test_a_session_alone_is_not_enough(server, browser: Browser):
    """Another site's page can make a browser send its cookies, but not the token."""
    assert browser.http.post(CHAT, json=HELLO).status_code == 403
    headers = {"X-CSRFToken": browser.http.cookies["csrftoken"], "Referer": server.url + PATH}
    answer = browser.http.post(CHAT, json=HELLO, headers=headers)
    assert answer.status_code == 200
    assert answer.text.rstrip().endswith("data: [DONE]")


def test_a_session_opens_nothing_below_v1(server, browser: Browser):
    """Where keys are required, cookies are none: the playground's answers come by its own way only."""
    server.manage("create_key", "for-the-test")
    answer = browser.http.get("/v1/pool")
    assert answer.status_code == 401


def test_the_request_log_sees_the_playground(server, browser: Browser):
    headers = {"X-CSRFToken": browser.http.cookies["csrftoken"], "Referer": server.url + PATH}
    request_id = browser.http.post(CHAT, json=HELLO, headers=headers).headers["x-request-id"]
    httpx.get(f"{server.url}/healthz", timeout=60)
    found = f"RequestLog.objects.filter(request_id={request_id!r}).values_list('endpoint', 'model', 'status')"
    code = f"""
import time
from usage.models import RequestLog
rows = []
while not rows:
    rows = list({found})
    time.sleep(0.1)
print(rows)
"""
    shown = server.manage("shell", "-c", code)
    assert "('playground', 'demo', 200)" in shown.stdout, shown.stdout + shown.stderr
