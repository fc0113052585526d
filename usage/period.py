"""The stretches of time that the dashboard shows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Period:
    """`count` steps of `step`, the last one being the one that runs now."""

    name: str
    label: str
    step: timedelta
    count: int

    def starts(self, now: datetime) -> list[datetime]:
        """Return when each step begins, the oldest first; days begin at midnight in the current time zone."""
        last = _floor(timezone.localtime(now), self.step)
        return [last - self.step * number for number in reversed(range(self.count))]


DAY = Period("24h", _("24 hours"), HOUR, 24)
WEEK = Period("7d", _("7 days"), 6 * HOUR, 28)
MONTH = Period("30d", _("30 days"), 24 * HOUR, 30)
PERIODS = {period.name: period for period in (DAY, WEEK, MONTH)}


def _floor(moment: datetime, step: timedelta) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (moment - midnight) // step * step
