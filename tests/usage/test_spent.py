"""How much a key has used, from the request log."""

from datetime import datetime, timedelta, timezone

from django.test import TestCase

from access.models import APIKey
from usage.models import RequestLog
from usage.spent import tokens_between

MIDNIGHT = datetime(2026, 5, 1, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


class SpentTest(TestCase):
    def log(self, key: APIKey, at: datetime, tokens: int) -> None:
        RequestLog.objects.create(
            at=at, key=key, status=200, prompt_tokens=tokens, completion_tokens=1, total_ms=1, request_id="x"
        )

    async def test_only_requests_of_the_key_between_the_moments_count(self):
        key, other = [(await APIKey.objects.acreate(name=name, digest=name)) for name in ("a", "b")]
        from asgiref.sync import sync_to_async

        log = sync_to_async(self.log)
        await log(key, MIDNIGHT - timedelta(seconds=1), 1000)
        await log(key, MIDNIGHT, 10)
        await log(key, MIDNIGHT + HOUR, 20)
        await log(key, MIDNIGHT + 2 * HOUR, 4000)
        await log(other, MIDNIGHT + HOUR, 500)
        assert await tokens_between(key.pk, MIDNIGHT, MIDNIGHT + 2 * HOUR) == 32

    async def test_nothing_is_no_tokens(self):
        assert await tokens_between(1, MIDNIGHT, MIDNIGHT + HOUR) == 0
