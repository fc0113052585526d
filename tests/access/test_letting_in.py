"""What `llmsite.api_access` does with a request's record, and how refusals are worded."""

import pytest
from django.test import RequestFactory

from access.admission import Admission
from access.identity import ANYBODY, Identity, Limits
from access.limits import Limit
from access.meter import Meter
from inference.exceptions import APIError
from llmsite import api_access
from llmsite.rate_headers import duration
from usage.record import RequestRecord, recorded


async def nothing(*_: object) -> int:
    return 0


@pytest.fixture
def admission(monkeypatch):
    admission = Admission(100, 100, Meter(nothing))
    monkeypatch.setattr(api_access, "admission", admission)
    monkeypatch.setattr(api_access.last_used, "note", lambda key_id: None)
    return admission


def key(**limits: int) -> Identity:
    return Identity("key-1", 1, "sk-1", limits=Limits(**limits))


async def ask(identity: Identity, tokens: int = 0, path: str = "/v1/chat/completions") -> RequestRecord:
    with recorded(RequestRecord("id", "POST", path)) as record:
        await api_access.let_in(RequestFactory().post(path), identity)
        record.prompt_tokens, record.completion_tokens = tokens - 1, 1
    return record


async def refusal(identity: Identity) -> APIError:
    with pytest.raises(APIError) as caught:
        await ask(identity)
    return caught.value


async def test_tokens_are_charged_when_the_request_ends(admission):
    identity = key(tokens_per_minute=100)
    await ask(identity, 60)
    assert admission.meter.levels(identity)[Limit.TOKENS].remaining == 40
    await ask(identity, 60)
    error = await refusal(identity)
    assert (error.status_code, error.type, error.code) == (429, "tokens", "rate_limit_exceeded")
    assert 0 < int(error.headers["retry-after"]) <= 60


async def test_a_used_up_day_is_no_reason_to_try_again(admission):
    identity = key(tokens_per_day=100)
    await ask(identity, 100)
    error = await refusal(identity)
    assert (error.status_code, error.type, error.code) == (429, "insufficient_quota", "insufficient_quota")
    assert "retry-after" in error.headers or error.headers == {"x-should-retry": "false"}


async def test_the_record_names_the_key(admission):
    record = await ask(key())
    assert (record.key_id, record.key_prefix) == (1, "sk-1")
    assert (await ask(ANYBODY)).key_id is None


async def test_a_request_that_has_ended_makes_room(admission):
    identity = key(max_concurrent=1)
    with recorded(RequestRecord("id", "POST", "/v1/completions")):
        await api_access.let_in(RequestFactory().post("/v1/completions"), identity)
        assert (await refusal(identity)).code == "too_many_requests"
    await ask(identity)


async def test_managing_models_is_no_work_of_a_model(admission):
    identity = key(requests_per_minute=1)
    for _ in range(3):
        await ask(identity, path="/v1/models/demo/load")
    assert admission.meter.levels(identity)[Limit.REQUESTS].used == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (0.0195, "20ms"), (1, "1s"), (59.2, "1m0s"), (120, "2m0s"), (10810, "3h0m10s")],
)
def test_times_are_written_as_openai_writes_them(seconds, text):
    assert duration(seconds) == text
