"""How much a key has used, as far as it has been written down."""

from datetime import datetime

from asgiref.sync import sync_to_async
from django.db.models import Sum

from usage.models import RequestLog


@sync_to_async
def tokens_between(key_id: int, since: datetime, until: datetime) -> int:
    """Return the tokens of prompts and answers of the key's requests that began at `since` or later, before `until`."""
    rows = RequestLog.objects.filter(key=key_id, at__gte=since, at__lt=until)
    sums = rows.aggregate(prompts=Sum("prompt_tokens"), answers=Sum("completion_tokens"))
    return (sums["prompts"] or 0) + (sums["answers"] or 0)
