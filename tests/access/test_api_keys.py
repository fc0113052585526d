"""API keys on a live server: what bad ones are told, what others may see, and how soon a revocation holds."""

import time
from collections.abc import Iterator

import httpx
import openai
import pytest

from tests.access import keys
from tests.access.keys import Keys, bearer, create_key
from tests.live_server import wait_until

CHAT = {"model": "demo", "messages": [{"role": "user", "content": "Count to 9."}], "max_tokens": 2}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Iterator[Keys]:
    cors = {"allowed_origins": ["http://localhost:3080"]}
    made = keys.start(tmp_path_factory.mktemp("keys"), auth={"required": True}, cors=cors)
    yield made
    made.stop()


def get(made: Keys, path: str, headers: dict[str, str]) -> httpx.Response:
    return made.http.get(f"/v1{path}", headers=headers)


@pytest.mark.parametrize(
    ("headers", "part"),
    [
        ({}, "No API key was sent. Send one as `Authorization: Bearer sk-…`."),
        ({"Authorization": "Basic YTpi"}, "The Authorization header has another form than `Bearer sk-…`."),
        (bearer(keys.BAD), "Incorrect API key: this server has no such key."),
        (bearer("any text"), "Incorrect API key: this server has no such key."),
    ],
)
def test_what_is_wrong_is_said(made, headers, part):
    answer = get(made, "/models", headers)
    error = answer.json()["error"]
    assert answer.status_code == 401
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", "invalid_api_key", None)
    assert part in error["message"]
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("kind", "part"), [("revoked", "has been revoked."), ("expired", " expired on 20")])
def test_a_key_that_is_no_good_any_more_is_named(made, kind, part):
    error = get(made, "/models", made.headers(kind)).json()["error"]
    assert f"The API key {made.texts[kind][:11]}… {part.strip()}" in error["message"]
    assert made.texts[kind] not in error["message"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER "])
def test_the_scheme_may_be_written_in_any_way(made, scheme):
    assert get(made, "/models", {"Authorization": f"{scheme} {made.texts['ok']}"}).status_code == 200


def test_the_official_client_knows_the_error(made):
    with openai.OpenAI(base_url=made.server.base_url, api_key=keys.BAD, max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as caught:
            client.models.list()
        assert caught.value.code == "invalid_api_key"


def test_a_key_sees_what_it_may_use_and_nothing_else(made):
    def names(kind: str) -> list[str]:
        return [model["id"] for model in get(made, "/models", made.headers(kind)).json()["data"]]

    assert names("ok") == ["demo", "other"]
    assert names("other") == ["other"]
    hidden, unknown = (get(made, f"/models/{name}", made.headers("other")) for name in ("demo", "nobody"))
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.text.replace("demo", "nobody") == unknown.text
    url = f"{made.server.base_url}/chat/completions"
    answer = httpx.post(url, json={**CHAT, "model": "other"}, headers=made.headers("other"), timeout=60)
    assert answer.status_code == 200


def test_each_key_continues_only_its_own_conversations(made):
    url = f"{made.server.base_url}/responses"
    body = {"model": "other", "input": "Hello!", "max_output_tokens": 16}
    first = httpx.post(url, json=body, headers=made.headers("ok"), timeout=60).json()["id"]
    following = {**body, "previous_response_id": first}
    assert httpx.post(url, json=following, headers=made.headers("ok"), timeout=60).status_code == 200
    refused = httpx.post(url, json=following, headers=made.headers("other"), timeout=60)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "previous_response_not_found")
    referring = {**body, "input": [{"type": "item_reference", "id": f"msg_{first[5:]}_i0"}]}
    assert httpx.post(url, json=referring, headers=made.headers("ok"), timeout=60).status_code == 200
    assert httpx.post(url, json=referring, headers=made.headers("other"), timeout=60).status_code == 400


def test_operators_tokens_are_keys_that_may_do_all(made):
    token = made.server.manage("pool", "token").stdout.strip()
    assert get(made, "/pool", bearer(token)).status_code == 200
    assert get(made, "/models", bearer(token)).status_code == 200
    assert get(made, "/pool", bearer(token[:-1] + "_")).status_code == 401


def test_a_revocation_takes_effect_within_a_second(made):
    """By another process, which the server learns of only from the database."""
    text = create_key(made.server)
    assert get(made, "/models", bearer(text)).status_code == 200
    assert made.server.manage("revoke_key", text[:11]).returncode == 0
    revoked = time.monotonic()  # somewhat later than the commit
    wait_until(lambda: get(made, "/models", bearer(text)).status_code == 401)
    assert time.monotonic() - revoked < 1


def test_the_last_use_is_kept(made):
    text = create_key(made.server)
    get(made, "/models", bearer(text))
    wait_until(
        lambda: (
            next(
                line for line in made.server.manage("list_keys").stdout.splitlines() if line.startswith(text[:11])
            ).split()[-1]
            != "never"
        )
    )


def test_browsers_may_ask_and_read_refusals(made):
    origin = {"Origin": "http://localhost:3080"}
    asking = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    asked = httpx.options(f"{made.server.base_url}/chat/completions", headers=asking)
    assert asked.status_code == 200
    assert "authorization" in asked.headers["access-control-allow-headers"]
    refused = get(made, "/models", origin)
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == origin["Origin"]
    assert "x-ratelimit-remaining-requests" in refused.headers["access-control-expose-headers"]
