"""Admission: how many requests at a time, and that limits are exact however many come at once."""

import asyncio
from collections import Counter

import pytest

from access.admission import Admission
from access.identity import ANYBODY, Identity, Limits
from access.limits import Limit, LimitReached
from access.meter import Meter


async def nothing(*_: object) -> int:
    return 0


def admission(limit: int = 100, limit_per_client: int = 100) -> Admission:
    return Admission(limit, limit_per_client, Meter(nothing))


def key(number: int = 1, **limits: int) -> Identity:
    return Identity(f"key-{number}", number, f"sk-{number}", limits=Limits(**limits))


def refusal(admission: Admission, identity: Identity) -> LimitReached:
    with pytest.raises(LimitReached) as caught:
        admission.enter(identity)
    return caught.value


def test_all_together_have_a_limit():
    entrance = admission(limit=1)
    entrance.enter(ANYBODY)
    refused = refusal(entrance, key())
    assert (refused.limit, refused.retry_after) == (Limit.SERVER, None)
    assert "limits.requests)" in str(refused)
    entrance.leave(ANYBODY, 0)
    entrance.enter(key())


def test_a_sender_without_a_limit_of_its_own_has_that_of_the_configuration():
    entrance = admission(limit_per_client=1)
    entrance.enter(ANYBODY)
    refused = refusal(entrance, ANYBODY)
    assert (refused.limit, refused.retry_after) == (Limit.CONCURRENT, None)
    assert "limits.requests_per_key" in str(refused)
    entrance.enter(key())


def test_the_limit_of_a_key_goes_before_that_of_the_configuration():
    entrance = admission(limit_per_client=1)
    entrance.enter(key(max_concurrent=2))
    entrance.enter(key(max_concurrent=2))
    refused = refusal(entrance, key(max_concurrent=2))
    assert "a limit of the key sk-1…" in str(refused)
    assert refused.retry_after == 2
    entrance.leave(key(max_concurrent=2), 0)
    entrance.enter(key(max_concurrent=2))


def test_a_request_refused_for_one_limit_counts_for_no_other():
    entrance = admission()
    identity = key(requests_per_minute=2, max_concurrent=1)
    entrance.enter(identity)
    refusal(entrance, identity)
    entrance.leave(identity, 0)
    entrance.enter(identity)
    entrance.leave(identity, 0)
    assert refusal(entrance, identity).limit is Limit.REQUESTS


async def test_two_limits_are_exact_for_fifty_requests_at_once():
    """The day's tokens are spent while others wait; nobody takes a place twice."""
    entrance = admission()
    identity = key(requests_per_minute=30, tokens_per_day=200)
    outcomes: Counter[object] = Counter()

    async def ask() -> None:
        await entrance.meter.prepare(identity)
        try:
            entrance.enter(identity)
        except LimitReached as refused:
            outcomes[refused.limit] += 1
            return
        outcomes["ok"] += 1
        await asyncio.sleep(0)
        entrance.leave(identity, 10)

    await asyncio.gather(*(ask() for _ in range(50)))
    assert outcomes == {"ok": 30, Limit.REQUESTS: 20}
    assert entrance.meter.levels(identity)[Limit.DAY].used == 300
    assert refusal(entrance, Identity("key-1", 1, limits=Limits(tokens_per_day=300))).limit is Limit.DAY
