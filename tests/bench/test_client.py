"""ChatClient: what servers of other makers send."""

import json

import httpx
import pytest

from inference.bench.client import Address, BenchError, ChatClient, Timing, base_url_of

USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
LAST = {"choices": [], "usage": USAGE}


def delta(**fields: object) -> dict:
    return {"choices": [{"index": 0, "delta": fields}]}


def stream(*events: dict | str) -> str:
    texts = [event if isinstance(event, str) else f"data: {json.dumps(event)}" for event in events]
    return "".join(f"{text}\n\n" for text in texts)


async def chat(body: str, status: int = 200) -> tuple[Timing, httpx.Request]:
    """Return what the client makes of a server's answer, and the request that it has sent."""
    requests = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(status, text=body)

    address = Address("http://other/v1/", "their-model", "secret")
    async with ChatClient(address, httpx.MockTransport(answer)) as client:
        return await client.chat({"messages": []}), requests[0]


async def test_it_asks_for_a_stream_with_usage_of_the_servers_model():
    _, request = await chat(stream(delta(content="a"), LAST, "data: [DONE]"))
    sent = json.loads(request.content)
    assert (sent["model"], sent["stream"], sent["stream_options"]) == ("their-model", True, {"include_usage": True})
    assert request.url == "http://other/v1/chat/completions"
    assert request.headers["Authorization"] == "Bearer secret"


async def test_text_and_a_last_chunk_that_has_no_choices():
    timing, _ = await chat(
        stream(delta(role="assistant"), delta(content="a"), delta(content="b"), LAST, "data: [DONE]")
    )
    assert (timing.text, len(timing.arrivals)) == ("ab", 2)
    assert (timing.prompt_tokens, timing.completion_tokens, timing.cached_tokens) == (9, 2, 4)
    assert timing.first_token > 0
    assert len(timing.gaps) == 1


async def test_thinking_arrives_but_is_no_part_of_the_answer():
    events = [delta(reasoning_content="hm"), delta(content="a"), delta(content=None), LAST, "data: [DONE]"]
    timing, _ = await chat(stream(*events))
    assert (timing.text, len(timing.arrivals)) == ("a", 2)


@pytest.mark.parametrize("details", [{}, {"prompt_tokens_details": None}, {"prompt_tokens_details": {}}])
async def test_a_server_that_tells_no_cached_tokens(details):
    usage = {"prompt_tokens": 9, "completion_tokens": 2, **details}
    timing, _ = await chat(stream(delta(content="a"), {"choices": None, "usage": usage}, "data:[DONE]"))
    assert timing.cached_tokens is None


async def test_the_version_of_a_server_is_remembered():
    timing, _ = await chat(stream({**delta(content="a"), "system_fingerprint": "b1-c0ffee"}, LAST, "data: [DONE]"))
    assert timing.system_fingerprint == "b1-c0ffee"


async def test_comments_between_events_say_nothing():
    timing, _ = await chat(stream(": keep-alive", delta(content="a"), LAST, "data: [DONE]"))
    assert timing.text == "a"


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("no key", 401, "401: no key"),
        (stream({"error": {"message": "too long"}}), 200, "too long"),
        (stream({"error": "broken"}), 200, "broken"),
        (stream("data: <html>"), 200, "no JSON: '<html>'"),
        (stream(delta(content="a"), LAST), 200, "without .DONE."),
        (stream(delta(content="a"), "data: [DONE]"), 200, "no usage"),
    ],
)
async def test_whatever_fails_is_an_error(body, status, reason):
    with pytest.raises(BenchError, match=reason):
        await chat(body, status)


def test_an_answer_without_text_has_no_time_to_first_token():
    with pytest.raises(BenchError, match="3 tokens had no text"):
        _ = Timing(completion_tokens=3).first_token


@pytest.mark.parametrize(
    ("url", "base_url"),
    [
        ("http://host:1", "http://host:1/v1/"),
        ("http://host:1/", "http://host:1/v1/"),
        ("http://host:1/v1", "http://host:1/v1/"),
        ("http://host:1/api/v3/", "http://host:1/api/v3/"),
    ],
)
def test_urls_are_taken_with_and_without_v1(url, base_url):
    assert base_url_of(url) == base_url


def test_a_key_is_sent_only_if_there_is_one():
    assert Address("http://a/v1/", "m").headers == {}
