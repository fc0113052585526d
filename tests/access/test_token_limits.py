"""Limits of tokens on a live server, as OpenAI's own client meets them."""

from collections.abc import Callable, Iterator

import httpx
import openai
import pytest
from openai import OpenAI

from tests.access import keys
from tests.access.keys import Keys, bearer, create_key
from tests.live_server import wait_until
from tests.usage.test_request_log import row_of

WORDS = 8
HELLO = {
    "model": "demo",
    "messages": [{"role": "user", "content": "Hello!"}],
    "max_tokens": WORDS,
    "extra_body": {"ignore_eos": True},
}
A_LOT = 1_000_000


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Iterator[Keys]:
    made = keys.start(tmp_path_factory.mktemp("tokens"), auth={"required": True})
    yield made
    made.stop()


@pytest.fixture
def client_of(made) -> Iterator[Callable[[str], OpenAI]]:
    """Returns a client with a key; it does not try again by itself."""
    clients = []

    def client_of(text: str) -> OpenAI:
        clients.append(OpenAI(base_url=made.server.base_url, api_key=text, max_retries=0, timeout=60))
        return clients[-1]

    yield client_of
    for client in clients:
        client.close()


@pytest.fixture
def cost(made, client_of) -> int:
    """The tokens of one HELLO: its prompt and WORDS."""
    usage = client_of(made.texts["ok"]).chat.completions.create(**HELLO).usage
    assert usage.completion_tokens == WORDS
    return usage.total_tokens


def limited(made: Keys, unit: str, tokens: int) -> str:
    return create_key(made.server, f"--tokens-per-{unit}", str(tokens))


def remaining(made: Keys, text: str) -> int:
    """Ask without using any."""
    answer = httpx.get(f"{made.server.base_url}/models", headers=bearer(text), timeout=60)
    return int(answer.headers["x-ratelimit-remaining-tokens"])


def refusal(client: OpenAI) -> openai.RateLimitError:
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(**HELLO)
    return caught.value


@pytest.mark.parametrize(("left_over", "num_answers"), [(0, 3), (1, 4)])
def test_the_minute_ends_exactly_where_the_sum_says_so(made, client_of, cost, left_over, num_answers):
    """A single token that is left lets one more in."""
    limit = 3 * cost + left_over
    client = client_of(limited(made, "minute", limit))
    for number in range(num_answers):
        answer = client.chat.completions.with_raw_response.create(**HELLO)
        assert answer.headers["x-ratelimit-limit-tokens"] == str(limit)
        assert answer.headers["x-ratelimit-remaining-tokens"] == str(limit - number * cost)
        assert answer.parse().usage.total_tokens == cost
    error = refusal(client)
    assert (error.status_code, error.code, error.type, error.param) == (429, "rate_limit_exceeded", "tokens", None)
    assert f"may use {limit} tokens a minute and has used {num_answers * cost}" in error.message
    headers = error.response.headers
    assert 0 < int(headers["retry-after"]) <= 60
    assert "x-should-retry" not in headers
    assert headers["x-ratelimit-limit-tokens"] == str(limit)
    assert headers["x-ratelimit-remaining-tokens"] == "0"
    assert headers["x-ratelimit-reset-tokens"].endswith("s")
    assert "x-ratelimit-limit-requests" not in headers


def test_the_day_ends_exactly_where_the_sum_says_so(made, client_of, cost):
    limit = 2 * cost
    client = client_of(limited(made, "day", limit))
    for _ in range(2):
        client.chat.completions.create(**HELLO)
    error = refusal(client)
    assert (error.code, error.type) == ("insufficient_quota", "insufficient_quota")
    assert f"may use {limit} tokens a day and has used {limit}" in error.message
    headers = error.response.headers
    assert headers.get("x-should-retry") == "false" or 0 < int(headers["retry-after"]) <= 60
    assert (headers["x-ratelimit-limit-tokens"], headers["x-ratelimit-remaining-tokens"]) == (str(limit), "0")


def test_what_is_streamed_counts(made, client_of):
    text = limited(made, "minute", A_LOT)
    options = {"stream": True, "stream_options": {"include_usage": True}}
    *_, last = client_of(text).chat.completions.create(**HELLO, **options)
    assert last.usage.completion_tokens == WORDS
    assert remaining(made, text) == A_LOT - last.usage.total_tokens


def test_every_choice_counts_and_the_prompt_once(made, client_of, cost):
    text = limited(made, "minute", A_LOT)
    client_of(text).chat.completions.create(**HELLO, n=3)
    assert remaining(made, text) == A_LOT - cost - 2 * WORDS


def test_other_endpoints_count_as_their_usage_says(made, client_of):
    text = limited(made, "minute", A_LOT)
    client = client_of(text)
    answered = client.responses.create(model="demo", input="Hello!", max_output_tokens=WORDS).usage.total_tokens
    completed = client.completions.create(model="demo", prompt="Once", max_tokens=WORDS).usage.total_tokens
    assert remaining(made, text) == A_LOT - answered - completed


def test_of_a_stream_that_is_broken_off_counts_what_was_made(made, client_of):
    text = limited(made, "minute", A_LOT)
    stream = client_of(text).chat.completions.create(
        **{**HELLO, "max_tokens": 400}, stream=True, extra_headers={"x-request-id": f"off-{text[:11]}"}
    )
    for _ in range(10):
        next(stream)
    stream.close()
    row = row_of(made.server, f"off-{text[:11]}")
    assert row["finish_reason"] == "abort"
    assert 8 <= row["completion_tokens"] < 400
    wait_until(lambda: remaining(made, text) == A_LOT - row["prompt_tokens"] - row["completion_tokens"])


def test_what_is_refused_for_its_body_takes_no_tokens(made, client_of):
    text = limited(made, "minute", A_LOT)
    with pytest.raises(openai.BadRequestError):
        client_of(text).chat.completions.create(**{**HELLO, "max_tokens": -1})
    assert remaining(made, text) == A_LOT
