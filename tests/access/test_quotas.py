"""Limits of keys on a live server, with many requests at once."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.access import keys
from tests.access.keys import Keys, bearer, create_key
from tests.live_server import wait_until

AT_ONCE = 50
HELLO = {"model": "demo", "messages": [{"role": "user", "content": "Hello!"}]}


@pytest.fixture(scope="module")
def database() -> dict[str, object]:
    """Returns the sections of the configuration that name the database: another one where $TEST_DATABASE_URL does."""
    url = os.environ.get("TEST_DATABASE_URL")
    return {"database": {"url": url}} if url else {}


@pytest.fixture(scope="module")
def made(tmp_path_factory, database) -> Iterator[Keys]:
    made = keys.start(tmp_path_factory.mktemp("quotas"), **database)
    yield made
    made.stop()


def tokenize(made: Keys, text: str) -> httpx.Response:
    body = {"model": "demo", "content": "a"}
    return httpx.post(f"{made.server.base_url}/tokenize", json=body, headers=bearer(text), timeout=60)


def at_once(ask) -> list:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return [future.result() for future in [threads.submit(ask) for _ in range(AT_ONCE)]]


def test_requests_a_minute_are_exact(made):
    """Of two keys, each with a limit of its own, at the same time."""
    texts = {limit: create_key(made.server, "--requests-per-minute", str(limit)) for limit in (7, 20)}
    tokenize(made, "any text")  # loads the model
    with ThreadPoolExecutor(2 * AT_ONCE) as threads:
        asked = {limit: [threads.submit(tokenize, made, text) for _ in range(AT_ONCE)] for limit, text in texts.items()}
        answers = {limit: [future.result() for future in futures] for limit, futures in asked.items()}
    for limit, given in answers.items():
        assert Counter(answer.status_code for answer in given) == {200: limit, 429: AT_ONCE - limit}
        remaining = sorted(int(answer.headers["x-ratelimit-remaining-requests"]) for answer in given)
        assert remaining[-1] <= limit - 1
        refused = next(answer for answer in given if answer.status_code == 429)
        error = refused.json()["error"]
        assert (error["type"], error["code"]) == ("requests", "rate_limit_exceeded")
        assert 0 < int(refused.headers["retry-after"]) <= 60
        assert refused.headers["x-ratelimit-limit-requests"] == str(limit)
        assert refused.headers["x-ratelimit-remaining-requests"] == "0"


def test_two_limits_at_once_are_exact(made):
    """Three at a time, and what is refused for that is not counted as one of the ten a minute."""
    text = create_key(made.server, "--max-concurrent", "3", "--requests-per-minute", "10")
    body = {**HELLO, "stream": True, "ignore_eos": True, "max_tokens": 400}

    def stream() -> tuple[httpx.Client, httpx.Response]:
        client = httpx.Client(timeout=60)
        request = client.build_request(
            "POST", f"{made.server.base_url}/chat/completions", json=body, headers=bearer(text)
        )
        return client, client.send(request, stream=True)

    opened = at_once(stream)
    assert Counter(response.status_code for _, response in opened) == {200: 3, 429: AT_ONCE - 3}
    refused = next(response for _, response in opened if response.status_code == 429)
    refused.read()
    assert refused.json()["error"]["code"] == "too_many_requests"
    assert "3 requests of this API key are being answered" in refused.text
    assert refused.headers["retry-after"] == "2"
    assert refused.headers["x-ratelimit-remaining-requests"] == "7"
    for client, _ in opened:
        client.close()
    made.server.wait_for("running == 0")
    assert Counter(tokenize(made, text).status_code for _ in range(10)) == {200: 7, 429: 3}


def test_a_revoked_key_is_refused_within_a_second(made):
    """Whatever the database is: it is asked twice a second at most."""
    text = create_key(made.server)
    assert tokenize(made, text).status_code == 200
    assert made.server.manage("revoke_key", text[:11]).returncode == 0
    revoked = time.monotonic()
    wait_until(lambda: tokenize(made, text).status_code == 401)
    assert time.monotonic() - revoked < 1


def test_a_changed_limit_holds_for_the_next_request(made):
    text = create_key(made.server, "--requests-per-minute", "1")
    assert [tokenize(made, text).status_code for _ in range(2)] == [200, 429]
    change = f"from access.models import APIKey; APIKey.objects.filter(prefix='{text[:11]}').update"
    assert made.server.manage("shell", "-c", f"{change}(requests_per_minute=5)").returncode == 0
    answer = tokenize(made, text)
    while answer.status_code == 429:  # another process has changed it: that is seen within half a second
        answer = tokenize(made, text)
    assert answer.headers["x-ratelimit-limit-requests"] == "5"
    assert answer.headers["x-ratelimit-remaining-requests"] == "3"


def test_looking_around_is_not_limited(made):
    text = create_key(made.server, "--requests-per-minute", "1")
    answers = [httpx.get(f"{made.server.base_url}/models", headers=bearer(text), timeout=60) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert [answer.headers["x-ratelimit-remaining-requests"] for answer in answers] == ["1"] * 3


def test_keys_without_limits_have_no_headers(made):
    answer = tokenize(made, made.texts["ok"])
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("x-ratelimit")]
