"""How much a key has used, as far as it has been written down."""

from datetime import datetime

from django.db.models import Sum

from registry.queries import query
from usage.models import RequestLog


async def tokens_between(key_id: int, since: datetime, until: datetime) -> int:
    """Return the tokens of prompts and answers of the key's requests that began at `since` or later, before `until`."""
    return await query(_tokens_between, key_id, since, until)


def _tokens_between(key_id: int, since: datetime, until: datetime) -> int:
    rows = RequestLog.objects.filter(key=key_id, at__gte=since, at__lt=until)
    sums = rows.aggregate(prompts=Sum("prompt_tokens"), answers=Sum("completion_tokens"))
    return (sums["prompts"] or 0) + (sums["answers"] or 0)
