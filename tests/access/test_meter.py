"""Meter: requests and tokens a minute, tokens a day."""

from datetime import datetime, timedelta, timezone

import pytest

from access.identity import ANYBODY, Identity, Limits
from access.limits import Limit, LimitReached
from access.meter import Meter

NOON = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)


class Time:
    """A clock and a time of day that go together, and what the database says."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.asked: list[tuple] = []
        self.in_database = 0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    async def spent(self, *question: object) -> int:
        self.asked.append(question)
        return self.in_database

    def meter(self) -> Meter:
        return Meter(self.spent, clock=lambda: self.seconds, now=self.now)


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def meter(time):
    return time.meter()


def key(number: int = 1, **limits: int) -> Identity:
    return Identity(f"key-{number}", number, f"sk-{number}", limits=Limits(**limits))


def use(meter: Meter, identity: Identity, tokens: int = 0) -> None:
    meter.check(identity)
    meter.count(identity)
    meter.charge(identity, tokens)


def refusal(meter: Meter, identity: Identity) -> LimitReached:
    with pytest.raises(LimitReached) as caught:
        meter.check(identity)
    return caught.value


def test_requests_a_minute(meter, time):
    identity = key(requests_per_minute=2)
    use(meter, identity)
    time.seconds = 10
    use(meter, identity)
    refused = refusal(meter, identity)
    assert (refused.limit, refused.retry_after) == (Limit.REQUESTS, 50)
    assert str(refused) == (
        "Rate limit reached: the API key sk-1… may use 2 requests a minute and has used 2. Try again in 50 s."
    )
    time.seconds = 60
    use(meter, identity)
    assert refusal(meter, identity).retry_after == 10


def test_a_request_that_starts_below_the_limit_of_tokens_may_end_above_it(meter, time):
    identity = key(tokens_per_minute=100)
    use(meter, identity, 99)
    use(meter, identity, 500)
    assert meter.levels(identity)[Limit.TOKENS].used == 599
    assert refusal(meter, identity).limit is Limit.TOKENS
    time.seconds = 60
    use(meter, identity)


async def test_tokens_a_day_end_at_midnight(meter, time):
    identity = key(tokens_per_day=100)
    await meter.prepare(identity)
    use(meter, identity, 100)
    refused = refusal(meter, identity)
    assert (refused.limit, refused.retry_after) == (Limit.DAY, None)
    assert "Try again after midnight UTC, in 12.0 h." in str(refused)
    time.seconds = 12 * 3600 - 30
    assert refusal(meter, identity).retry_after == 30
    time.seconds = 12 * 3600
    use(meter, identity, 100)
    await meter.prepare(identity)
    assert refusal(meter, identity).limit is Limit.DAY
    assert len(time.asked) == 1


async def test_tokens_of_the_day_survive_a_restart(meter, time):
    identity = key(tokens_per_day=100)
    time.in_database = 90
    await meter.prepare(identity)
    await meter.prepare(identity)
    assert time.asked == [(1, NOON.replace(hour=0), NOON)]
    use(meter, identity, 10)
    assert refusal(meter, identity).limit is Limit.DAY


async def test_what_was_used_before_a_limit_was_set_counts_too(meter, time):
    """This process has counted it; the database is asked for what came before."""
    use(meter, key(), 60)
    identity = key(tokens_per_day=100)
    time.in_database = 30
    await meter.prepare(identity)
    assert meter.levels(identity)[Limit.DAY].remaining == 10


async def test_nobody_asks_the_database_without_a_limit(meter, time):
    for identity in (ANYBODY, key(requests_per_minute=1)):
        await meter.prepare(identity)
        use(meter, identity, 5)
    assert time.asked == []
    assert meter.levels(ANYBODY) == {}


def test_a_changed_limit_holds_at_once(meter):
    use(meter, key(requests_per_minute=5))
    assert refusal(meter, key(requests_per_minute=1)).limit is Limit.REQUESTS
    use(meter, key(requests_per_minute=2))


def test_each_key_has_its_own(meter):
    use(meter, key(1, requests_per_minute=1))
    use(meter, key(2, requests_per_minute=1))
    refusal(meter, key(1, requests_per_minute=1))


def test_a_refused_request_counts_nowhere(meter):
    identity = key(requests_per_minute=5, tokens_per_minute=10)
    use(meter, identity, 10)
    for _ in range(3):
        refusal(meter, identity)
    assert meter.levels(identity)[Limit.REQUESTS].used == 1
