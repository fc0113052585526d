"""The stretches of time that the dashboard shows."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from django.utils.translation import gettext_lazy as _

from usage.models import UsageStep

LENGTHS = {UsageStep.HOUR: timedelta(hours=1), UsageStep.DAY: timedelta(days=1)}


@dataclass(frozen=True)
class Period:
    """`count` hours or days, the last one being the one that runs now. Days are those of UTC."""

    name: str
    label: str
    length: str
    count: int

    def starts(self, now: datetime) -> list[datetime]:
        """Return when each step begins, the oldest first."""
        last = now.astimezone(timezone.utc).replace(minute=0, second=0, microsecond=0)
        last = last.replace(hour=0) if self.length == UsageStep.DAY else last
        return [last - LENGTHS[self.length] * number for number in reversed(range(self.count))]


DAY = Period("24h", _("24 hours"), UsageStep.HOUR, 24)
WEEK = Period("7d", _("7 days"), UsageStep.DAY, 7)
MONTH = Period("30d", _("30 days"), UsageStep.DAY, 30)
PERIODS = {period.name: period for period in (DAY, WEEK, MONTH)}
